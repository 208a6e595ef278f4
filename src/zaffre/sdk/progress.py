"""One line about a transfer that takes long: how much has come, how fast, how long it still takes.

It appears after SILENT_S, in a terminal (on standard error) or below a notebook's cell, and
nowhere else. A terminal's line goes when the transfer ends; a notebook's says what it has been.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from contextlib import contextmanager

from zaffre.sdk.run_details_screen import notebook_shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Callable

    from zaffre.client.blobs import Progress

#: What is over sooner shows nothing, seconds.
SILENT_S = 1.0
#: How often the line is written anew, and of how long a time its rate is, seconds.
_PAUSE_S, _RATE_S = 0.25, 5.0


@contextmanager
def shown(what: str) -> Iterator[Progress | None]:
    """Show a line while the block transfers; yield what to tell of it, None if nobody looks.

    what: what is done, such as "Uploading model.pkl".
    """
    show = _show_in_notebook() or _show_in_terminal()
    if show is None:
        yield None
        return
    line = Line(what, show, time.monotonic())
    try:
        yield line.tell
    finally:
        line.end(time.monotonic())


class Line:
    """The line's text, from what it is told.

    show: called with a text to show in place of the one before; at the end with the last text and
    True. now: monotonic time at which the transfer begins.
    """

    def __init__(self, what: str, show: Callable[[str, bool], None], now: float) -> None:
        self._what = what
        self._show = show
        self._began = now
        self._shown_at: float | None = None
        self._done = 0
        #: Time and bytes done, the oldest first.
        self._past: deque[tuple[float, int]] = deque()

    def tell(self, done: int, total: int) -> None:
        """Take what is done and all that is to do, bytes."""
        self.tell_at(done, total, time.monotonic())

    def tell_at(self, done: int, total: int, now: float) -> None:
        """As `tell`, at a time."""
        self._done = done
        if not self._past or now - self._past[-1][0] >= _PAUSE_S:
            self._past.append((now, done))
            while now - self._past[0][0] > _RATE_S:
                self._past.popleft()
        soon = now - self._began < SILENT_S
        if soon or (self._shown_at is not None and now - self._shown_at < _PAUSE_S):
            return
        self._shown_at = now
        self._show(f"{self._what}: {_size(done)} of {_size(total)}{self._rate(done, total)}", False)

    def end(self, now: float) -> None:
        """Say what the transfer has been, if anything was shown of it."""
        if self._shown_at is None:
            return
        taken_s = max(now - self._began, 0.001)
        rate = _size(self._done / taken_s)
        text = f"{self._what}: {_size(self._done)} in {_duration(taken_s)}, {rate}/s"
        self._show(text, True)

    def _rate(self, done: int, total: int) -> str:
        seconds = self._past[-1][0] - self._past[0][0]
        came = done - self._past[0][1]
        if seconds <= 0 or came <= 0:
            return ""
        rate = came / seconds
        return f", {_size(rate)}/s, {_duration((total - done) / rate)} left"


def _size(size_bytes: float) -> str:
    """Return a size as people say it; units are powers of 1,000."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 999.5:
            return f"{size_bytes:.3g} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.3g} TB"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def _show_in_terminal() -> Callable[[str, bool], None] | None:
    stream = sys.stderr
    # What is no terminal may be anything that a program has put there, even None.
    is_terminal = getattr(stream, "isatty", bool)
    if not is_terminal() or os.environ.get("TERM") == "dumb":
        return None

    def show(text: str, last: bool) -> None:
        import shutil

        width = max(10, shutil.get_terminal_size().columns - 1)
        stream.write("\r\x1b[K" + ("" if last else text[:width]))
        stream.flush()

    return show


def _show_in_notebook() -> Callable[[str, bool], None] | None:
    if notebook_shell() is None:
        return None
    handles: list[Any] = []

    def show(text: str, last: bool) -> None:
        from importlib import import_module

        del last
        bundle = {"text/plain": text}
        if handles:
            handles[0].update(bundle, raw=True)
        else:
            display = import_module("IPython.display").display
            handles.append(display(bundle, raw=True, display_id=True))

    return show
