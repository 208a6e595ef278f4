"""A file at a web address as a store of that one file, fetched when it is first asked for."""

from __future__ import annotations

import email.utils
import http.client
import os
import shutil
import tempfile
import urllib.error
import urllib.request
from datetime import datetime, timezone
from typing import Any, BinaryIO, Iterator

from zaffre.data.errors import DataInvalid, SourceMissing
from zaffre.data.stores.file_store import FileEntry, inner_path

#: How long a server may say nothing.
_PATIENCE_S = 60.0

#: What this process has fetched: (address, the server's marks of its content) to a file.
_fetched: dict[tuple[str, ...], str] = {}
_folders: list[Any] = []


class WebFile:
    """One file at an http or https address; nothing can be written to it.

    It is fetched again by another object unless the server says that it has not changed.
    """

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        if scheme not in ("http", "https"):
            raise DataInvalid(f"{url!r} is no http or https address")
        self._url = url
        #: As v1 shows it: `http%3A/%2Fhost/folder/file.csv`.
        self.path = inner_path(f"{scheme}%3A/%2F{rest.partition('#')[0].partition('?')[0]}")
        self._entry: FileEntry | None = None
        self._file = ""

    def list(self, folder: str) -> Iterator[FileEntry]:
        """Give the file."""
        del folder
        yield self._get()

    def find(self, path: str) -> FileEntry | None:
        """Return the file, if that is its path."""
        return self._get() if inner_path(path) == self.path else None

    def local_path(self, path: str) -> str | None:
        """Return where the fetched copy is; it goes when this process ends."""
        self._require(path)
        return self._file

    def open(self, path: str) -> BinaryIO:
        """Open the fetched copy."""
        self._require(path)
        return open(self._file, "rb")

    def write(self, path: str, local_file: str, *, overwrite: bool) -> None:
        """Refuse: a web address cannot be written to."""
        del path, local_file, overwrite
        raise DataInvalid(f"{self._url} cannot be written to")

    def _require(self, path: str) -> None:
        if self.find(path) is None:
            raise SourceMissing(path)

    def _get(self) -> FileEntry:
        if self._entry is None:
            try:
                # The scheme was checked, and no redirect leads to a file.
                with urllib.request.urlopen(self._url, timeout=_PATIENCE_S) as answer:  # noqa: S310
                    self._file = _kept(self._url, answer)
                    self._entry = FileEntry(
                        self.path, os.path.getsize(self._file), _modified(answer.headers)
                    )
            except urllib.error.HTTPError as problem:
                if problem.code in (404, 410):
                    raise SourceMissing(self._url) from problem
                raise DataInvalid(f"{self._url}: the server answers {problem.code}") from problem
            except (OSError, http.client.HTTPException) as problem:
                reason = getattr(problem, "reason", problem)
                raise DataInvalid(f"{self._url} cannot be reached: {reason}") from problem
        return self._entry


def _kept(url: str, answer: Any) -> str:
    """Return a file with the answer's content, one that is here already if it did not change."""
    marks = [answer.headers.get(name, "") for name in ("ETag", "Last-Modified", "Content-Length")]
    key = (url, *marks)
    is_known = bool(marks[0] or marks[1])
    if is_known and key in _fetched:
        return _fetched[key]
    if not _folders:
        _folders.append(tempfile.TemporaryDirectory(prefix="zaffre-web-"))
    number, path = tempfile.mkstemp(dir=_folders[0].name)
    with os.fdopen(number, "wb") as file:
        shutil.copyfileobj(answer, file)
    length = marks[2]
    if length.isdigit() and os.path.getsize(path) != int(length):
        raise DataInvalid(f"{url}: the answer ended before its {int(length):,} bytes were there")
    if is_known:
        _fetched[key] = path
    return path


def _modified(headers: Any) -> datetime:
    text = headers.get("Last-Modified")
    try:
        return email.utils.parsedate_to_datetime(text).astimezone(timezone.utc)
    except (TypeError, ValueError):  # none, or no date
        return datetime.now(timezone.utc)
