"""Reading a Python traceback at the end of a log: what was raised, and where.

Log text is the script's own and proves nothing; this only helps people, so a guess is good enough.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MESSAGE_MAX_CHARS = 3_000
#: How much of a log's end is looked at, bytes.
TAIL_BYTES = 64 << 10

_HEAD = "Traceback (most recent call last):"
_FRAME = re.compile(r'\s+File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in .*)?$')
_RAISED = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?:: (?P<text>.*))?$")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_COLOR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Raised:
    """The last uncaught exception of a log: class name, its text, and the innermost own frame."""

    name: str
    text: str
    file: str | None
    line: int | None


def find_raised(log: str) -> Raised | None:
    """Return what the last traceback in `log` says, None if there is none at its end.

    The frame is the innermost one outside of installed packages, where users can change something.
    A SyntaxError has no traceback of its own file; its `File` line counts.
    """
    lines = _COLOR.sub("", log).splitlines()
    start = max((i for i, line in enumerate(lines) if line.strip() == _HEAD), default=None)
    if start is None:
        start = _syntax_error_start(lines)
        if start is None:
            return None
    frames: list[tuple[str, int]] = []
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if frame := _FRAME.match(line):
            frames.append((frame["file"], int(frame["line"])))
        elif line and not line[0].isspace():
            raised = _RAISED.match(line)
            if raised is None:
                return None
            rest = [line.removeprefix(raised["name"]).removeprefix(": "), *lines[number + 1 :]]
            file, at = _own_frame(frames)
            return Raised(raised["name"], "\n".join(rest).strip(), file, at)
    return None


def _syntax_error_start(lines: list[str]) -> int | None:
    """Return the line before `  File "x.py", line 3` when a syntax error ends the log."""
    ends = [i for i, line in enumerate(lines) if re.match(r"(Syntax|Indentation|Tab)Error: ", line)]
    if not ends:
        return None
    for number in range(ends[-1], max(-1, ends[-1] - 6), -1):
        if _FRAME.match(lines[number]):
            return number - 1
    return None


def _own_frame(frames: list[tuple[str, int]]) -> tuple[str | None, int | None]:
    own = [
        frame
        for frame in frames
        if "site-packages" not in frame[0] and "/lib/python" not in frame[0] and frame[0][0] != "<"
    ]
    if not own and not frames:
        return None, None
    return (own or frames)[-1]


def clean_tail(log: str, limit_chars: int = MESSAGE_MAX_CHARS) -> str:
    """Return the end of a log as it may stand in a message: whole lines, no control characters."""
    text = _CONTROL.sub("", _COLOR.sub("", log.replace("\r\n", "\n").replace("\r", "\n"))).strip()
    if len(text) <= limit_chars:
        return text
    cut = text[-limit_chars:]
    head, newline, rest = cut.partition("\n")
    return rest if newline and len(head) < limit_chars // 2 else cut
