from __future__ import annotations

import logging
from pathlib import Path

import pytest

from zaffre.sdk.diagnostic_log import diagnostic_log


def test_what_is_logged_between_start_and_stop_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "debug.log"
    log = diagnostic_log(log_path=str(path), namespaces=["my.own"], context_name="context")
    logger = logging.getLogger("my.own")
    logger.warning("before")
    log.start_capture()
    log.start_capture()
    logger.warning("inside")
    log.stop_capture()
    log.stop_capture()
    logger.warning("after")
    assert path.read_text().endswith("|my.own|WARNING|inside\n")
    assert len(path.read_text().splitlines()) == 1


def test_a_block_is_captured_to_a_file_named_by_its_context(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with diagnostic_log(context_name="mine"):
        logging.getLogger("azureml.core").error("inside")
    assert "inside" in (tmp_path / "mine_debug.log").read_text()
