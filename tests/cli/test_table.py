"""Tables for people, JSON for programs."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from zaffre.cli import moment, table


def test_a_table_off_a_terminal_is_aligned_and_cut_nowhere(
    capsys: pytest.CaptureFixture[str],
) -> None:
    long = "x" * 300
    table.show_table(["NAME", "SIZE>"], [("a", 1), (long, 1000), ("two\nlines", None)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "NAME".ljust(300) + "  SIZE"
    assert lines[1] == "a".ljust(300) + "     1"
    assert lines[2] == long + "  1000"
    assert lines[3] == "two lines"


def test_a_table_without_rows_is_a_sentence_on_stderr_if_there_is_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table.show_table(["NAME"], [], empty="There are none.")
    assert capsys.readouterr() == ("", "There are none.\n")
    table.show_table(["NAME"], [])
    assert capsys.readouterr() == ("NAME\n", "")


def test_pairs_name_a_tag_without_a_value_alone() -> None:
    assert table.pairs({"a": "1", "b": None}) == "a = 1, b"
    assert table.pairs({"a": "1", "b": None}, between="\n") == "a = 1\nb"


def test_times_in_sentences_are_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        text = moment.with_local_times("Silent since 2026-01-02T15:04:05.678901Z. Really.")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert text == "Silent since 2026-01-03 00:04:05. Really."


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_table_in_a_terminal_breaks_no_id_and_no_short_column(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "has_colours", lambda _: True)
    monkeypatch.setenv("COLUMNS", str(width))
    run_id = "training_1795589986_406f4ee6"
    rows = [(run_id, "NotResponding", "", "word " * 12), ("other", "Failed", "", "")]
    table.show_table(["RUN", "STATE", "NAME", "REASON"], rows)
    shown = capsys.readouterr().out
    assert run_id in shown
    assert "NotResponding" in shown
    assert shown.count("word") == 12
    assert all(len(line) <= width for line in shown.splitlines())


def test_a_table_that_no_window_holds_is_plain_lines_in_a_terminal_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "has_colours", lambda _: True)
    monkeypatch.setenv("COLUMNS", "30")
    row = ("training_1795589986_406f4ee6", "NotResponding", "12 s ago")
    table.show_table(["RUN", "STATE", "STARTED"], [row])
    assert capsys.readouterr().out.splitlines()[1] == "  ".join(row)


def test_json_holds_numbers_that_json_lacks_as_texts(capsys: pytest.CaptureFixture[str]) -> None:
    table.show_json({"a": [float("nan"), float("inf"), -float("inf"), 1.5], "b": "ä"})
    text = capsys.readouterr().out
    assert json.loads(text) == {"a": ["NaN", "Infinity", "-Infinity", 1.5], "b": "ä"}
    assert "ä" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (12, "12 s"),
        (184, "3 min 4 s"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
        (-5, "0.0 s"),
    ],
)
def test_a_length_of_time_is_said_in_two_parts(seconds: float, words: str) -> None:
    assert moment.lasted(seconds) == words


def test_how_long_ago_has_one_part() -> None:
    now = datetime.now(UTC)
    assert moment.ago(now - timedelta(seconds=30.5)) == "30 s ago"
    assert moment.ago(now - timedelta(hours=5, minutes=1)) == "5 h ago"
    assert moment.ago(now + timedelta(seconds=30)) == "0 s ago"
    assert moment.ago(None) == ""
    assert len(moment.ago(now - timedelta(days=30))) == len("2026-01-01")


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (812, "812 B"), (4_200, "4.2 kB"), (300_000_000, "300 MB")]
)
def test_a_size_has_a_unit(size: int, words: str) -> None:
    assert moment.size(size) == words
