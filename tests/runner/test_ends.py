"""How the end of a script is told: exit codes, signals, exceptions, what it left running."""

from __future__ import annotations

import pytest


def test_a_script_that_ends_well_completes_its_run(bench):
    report = bench.run("print('hello')")
    assert report["state"] == "Completed"
    assert bench.server.log() == "hello\n"


@pytest.mark.parametrize("isolated", [True, False])
@pytest.mark.parametrize("code", [1, 2, 7, 255])
def test_an_exit_code_is_passed_through(bench, code, isolated):
    report = bench.run(f"import sys; sys.exit({code})", isolated=isolated)
    assert report["state"] == "Failed"
    assert report["reason"]["kind"] == "script_failed"
    assert report["reason"]["facts"]["exit_code"] == code


@pytest.mark.parametrize("isolated", [True, False])
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGABRT"])
def test_a_signal_is_passed_through(bench, name, isolated):
    script = f"import os, signal; os.kill(os.getpid(), signal.{name})"
    report = bench.run(script, isolated=isolated)
    assert report["state"] == "Failed"
    assert report["reason"]["kind"] == "script_signalled"
    assert report["reason"]["facts"]["signal"] == name
    assert ("out of memory" in report["reason"]["facts"]["hint"]) == (name == "SIGKILL")
