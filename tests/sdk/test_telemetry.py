"""v1's telemetry switches: one line, and nothing is written or sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from zaffre.sdk import telemetry
from zaffre.sdk.logging_level import NewLoggingLevel


@pytest.mark.parametrize(("switch", "word"), [(True, "on"), (False, "off")])
def test_the_switch_prints_one_line_and_writes_no_file(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    switch: bool,
    word: str,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    telemetry.set_diagnostics_collection(send_diagnostics=switch)
    assert capsys.readouterr().out.startswith(f"Turning diagnostics collection {word}.")
    assert telemetry.get_diagnostics_collection_info() == (False, None)
    assert list(tmp_path.iterdir()) == []


def test_its_logger_and_handler_drop_everything(capsys: pytest.CaptureFixture[str]) -> None:
    logger = telemetry.get_event_logger()
    logger.addHandler(telemetry.get_telemetry_log_handler())
    logger.error("nothing")
    assert capsys.readouterr() == ("", "")


def test_a_level_lasts_for_its_block() -> None:
    with NewLoggingLevel("some.logger", 10) as logger:
        assert logger.level == 10
    assert logger.level == 0
