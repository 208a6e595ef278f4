"""Which files of a source folder are left out: the rules of `.gitignore` files.

A text of rules is parsed once; `decide` then answers for one path. As in git the last rule that
matches counts, a rule that begins with '!' takes a path back in, and nothing can be taken back in
below a folder that is left out: whoever walks a tree does not enter such a folder.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Pattern, Sequence

#: Left out unless the folder's own rules take them back in ('!node_modules/'): version control,
#: byte code, caches. Virtual environments are told by their content, not by a name.
DEFAULT_RULES = """\
.git
.hg
.svn
__pycache__/
*.py[co]
.ipynb_checkpoints/
.mypy_cache/
.pytest_cache/
.ruff_cache/
.hypothesis/
.tox/
.nox/
.cache/
node_modules/
.DS_Store
"""

#: A folder that holds one of these is an environment of Python packages.
ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")

_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\s",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


@dataclass(frozen=True)
class Rule:
    """One line: what it matches (a path relative to the root), and what that means."""

    matches: Pattern[str]
    keeps: bool
    folders_only: bool


@functools.lru_cache(maxsize=16)
def parse(text: str) -> tuple[Rule, ...]:
    """Return the rules of an ignore file in their order; a line that is no pattern is skipped."""
    rules: list[Rule] = []
    for raw in text.lstrip("\ufeff").split("\n"):
        rule = _parse_line(raw[:-1] if raw.endswith("\r") else raw)
        if rule is not None:
            rules.append(rule)
    return tuple(rules)


def decide(rules: Sequence[Rule], path: str, *, folder: bool) -> bool | None:
    """Say whether `path` is left out: True, False when a '!' rule keeps it, None if no rule speaks.

    path: relative to the folder of the rules, '/' between parts. Only its own rules are asked,
    not those of the folders above it.
    """
    for rule in reversed(rules):
        if (folder or not rule.folders_only) and rule.matches.match(path):
            return not rule.keeps
    return None


def leaves_out(rules: Sequence[Rule], path: str, *, folder: bool) -> bool:
    """Say whether `path` or a folder above it is left out."""
    parts = path.split("/")
    for count in range(1, len(parts)):
        if decide(rules, "/".join(parts[:count]), folder=True):
            return True
    return decide(rules, path, folder=folder) is True


def _parse_line(line: str) -> Rule | None:
    pattern = _without_trailing_blanks(line)
    if not pattern or pattern.startswith("#"):
        return None
    keeps = pattern.startswith("!")
    if keeps:
        pattern = pattern[1:]
    folders_only = pattern.endswith("/")
    if folders_only:
        pattern = pattern[:-1]
    if not pattern:
        return None
    anchored = "/" in pattern
    if pattern.startswith("/"):
        pattern = pattern[1:]
    expression = _translate(pattern)
    if expression is None:
        return None
    if not anchored:
        expression = f"(?:.*/)?{expression}"
    return Rule(re.compile(f"{expression}\\Z", re.DOTALL), keeps, folders_only)


def _without_trailing_blanks(line: str) -> str:
    end = len(line)
    while end and line[end - 1] == " ":
        before = line[: end - 1]
        if (len(before) - len(before.rstrip("\\"))) % 2:
            break  # the blank is escaped, so it belongs to the name
        end -= 1
    return line[:end]


def _translate(pattern: str) -> str | None:
    """Return the regular expression of a pattern, None if it can match nothing."""
    out: list[str] = []
    at, length = 0, len(pattern)
    while at < length:
        char = pattern[at]
        if char == "*":
            stars = at
            while at < length and pattern[at] == "*":
                at += 1
            out.append(_stars(pattern, stars, at))
            if out[-1] == _ANY_FOLDERS:
                at += 1  # its slash is part of the expression
        elif char == "?":
            out.append("[^/]")
            at += 1
        elif char == "[":
            found = _bracket(pattern, at)
            if found is None:
                return None
            text, at = found
            out.append(text)
        elif char == "\\":
            if at + 1 == length:
                return None
            out.append(re.escape(pattern[at + 1]))
            at += 2
        else:
            out.append(re.escape(char))
            at += 1
    return "".join(out)


_ANY_FOLDERS = "(?:.*/)?"


def _stars(pattern: str, start: int, end: int) -> str:
    """Translate the stars of pattern[start:end]: '**' means folders only between slashes."""
    if end - start < 2 or (start and pattern[start - 1] != "/"):
        return "[^/]*"
    if end == len(pattern):
        return ".+" if start else ".*"
    return _ANY_FOLDERS if pattern[end] == "/" else "[^/]*"


def _bracket(pattern: str, start: int) -> tuple[str, int] | None:
    """Translate the bracket expression at `start`; None if it does not end or is nonsense."""
    at = start + 1
    negated = pattern[at : at + 1] in ("!", "^")
    at += negated
    first = at
    parts: list[str] = []
    while True:
        if at >= len(pattern):
            return None
        char = pattern[at]
        if char == "]" and at > first:
            break
        if pattern.startswith("[:", at):
            name, found, _ = pattern[at + 2 :].partition(":]")
            if found and name.isalpha():
                if name not in _CLASSES:
                    return None
                parts.append(_CLASSES[name])
                at += len(name) + 4
                continue
        low, at = _bracket_char(pattern, at)
        if low is None:
            return None
        if pattern.startswith("-", at) and pattern[at + 1 : at + 2] not in ("", "]"):
            high, at = _bracket_char(pattern, at + 1)
            if high is None:
                return None
            if low <= high:
                parts.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            parts.append(re.escape(low))
    body = "".join(parts)
    if negated:
        return f"[^/{body}]", at + 1
    return (f"(?!/)[{body}]" if body else "(?!)"), at + 1


def _bracket_char(pattern: str, at: int) -> tuple[str | None, int]:
    if pattern[at] == "\\":
        at += 1
    if at >= len(pattern):
        return None, at
    return pattern[at], at + 1
