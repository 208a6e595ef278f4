"""Which files of a store a path names: a file, a folder, or v1's glob patterns.

A folder gives all below it. In a pattern `*`, `?` and `[ab]` match within one part of the path,
names with a dot in front included, `**` any number of folders, and the last part must name files:
`folder/**` alone matches nothing. `{a,b}` is no pattern.
"""

from __future__ import annotations

import re
from typing import Pattern

from zaffre.data.errors import SourceMissing
from zaffre.data.stores.file_store import FileEntry, FileStore, inner_path

_WILD = re.compile(r"[*?\[]")


def expand(store: FileStore, path: str) -> list[FileEntry]:
    """Return the files that `path` names, sorted by path; raise SourceMissing if there are none."""
    name = inner_path(path)
    if name and not path.endswith("/"):
        file = store.find(name)
        # A file whose own name holds such characters is meant by that name.
        if file is not None:
            return [file]
    if not _WILD.search(name):
        files = list(store.list(name))
    else:
        pattern = compile_pattern(name)
        files = [file for file in store.list(fixed_folder(name)) if pattern.match(file.path)]
    if not files:
        raise SourceMissing(path or "/", _advice(name))
    return files


def fixed_folder(path: str) -> str:
    """Return the folder of a path or pattern that holds no wildcard."""
    parts = inner_path(path).split("/")
    fixed: list[str] = []
    for part in parts[:-1]:
        if _WILD.search(part):
            break
        fixed.append(part)
    return "/".join(fixed)


def is_pattern(path: str) -> bool:
    """Say whether a path holds a wildcard."""
    return _WILD.search(path) is not None


def compile_pattern(pattern: str) -> Pattern[str]:
    """Return what matches the paths that a pattern names."""
    parts = pattern.split("/")
    text = ""
    for part in parts[:-1]:
        text += "(?:[^/]+/)*" if part == "**" else _part(part) + "/"
    last = parts[-1]
    # A pattern that ends in ** names folders, and folders are no files.
    text += r"(?!)" if last == "**" else _part(last)
    return re.compile(text + r"\Z", re.DOTALL)


_PIECE = re.compile(r"\*+|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)


def _part(part: str) -> str:
    """Return the expression of one part of a path: no wildcard crosses a '/'."""
    return "".join(_piece(piece) for piece in _PIECE.findall(part))


def _piece(piece: str) -> str:
    if piece[0] == "*":
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if len(piece) > 2 and piece[0] == "[":
        negated = piece[1] == "!"
        inside = piece[2 if negated else 1 : -1].replace("\\", r"\\").replace("[", r"\[")
        inside = re.sub(r"\A([\]^])", r"\\\1", inside)
        return f"(?!/)[{'^' if negated else ''}{inside}]"
    return re.escape(piece)


def _advice(name: str) -> str:
    if name.endswith("**"):
        return "A pattern must end in a file part, such as '**/*.csv'."
    if "{" in name:
        return "Braces such as {a,b} are no pattern; list the paths instead."
    return ""
