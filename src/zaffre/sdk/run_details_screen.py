"""Where RunDetails is shown: four outputs of a notebook's cell, the foot of a terminal, or a print.

A notebook's outputs are replaced one by one through their display ids, which every front end
understands. In a terminal a few lines stand below whatever the program prints: sys.stdout and
sys.stderr are stood in for meanwhile, so that these lines make way.
"""

from __future__ import annotations

import os
import sys
import threading

#: ANSI colour of the line that says the state: what goes on is blue, what waits is yellow.
_COLOURS = {"Running": "34", "Finalizing": "34", "Starting": "34"}

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any, Callable

    from zaffre.sdk.run_details_view import RunView


def _now() -> datetime:
    from datetime import datetime, timezone

    return datetime.now(timezone.utc)


def notebook_shell() -> Any:
    """Return IPython's shell in a kernel, None in a script or a terminal."""
    if "IPython" not in sys.modules:
        return None
    from importlib import import_module

    shell = import_module("IPython").get_ipython()
    return shell if getattr(shell, "kernel", None) is not None else None


def has_live_terminal() -> bool:
    """Say whether a script prints to a terminal whose lines can be written again."""
    if hasattr(sys, "ps1") or sys.flags.interactive or "IPython" in sys.modules:
        return False  # a prompt would stand in between
    stdout = sys.stdout
    if isinstance(stdout, _StandIn):
        return False  # another run's lines stand there
    return os.name == "posix" and stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def print_once(view: RunView) -> None:
    """Print all that is known."""
    from zaffre.sdk import run_details_text as text

    sys.stdout.write(text.whole(view, _now()) + "\n")


class Notebook:
    """The outputs of one cell. stop: called when the cell is run again or was deleted."""

    def __init__(self, shell: Any, stop: Callable[[], None]) -> None:
        self._shell = shell
        self._stop = stop
        self._handles: dict[str, Any] = {}
        self._bundles: dict[str, dict[str, str]] = {}
        self._drawn: dict[str, int] = {}
        self._cell = _cell(shell)
        shell.events.register("pre_run_cell", self._before_a_cell)

    def paint(self, view: RunView) -> None:
        """Replace the parts that have changed; the first time, put them there."""
        from zaffre.sdk import run_details_html as html
        from zaffre.sdk import run_details_text as text

        now = _now()
        self._put("head", html.head(view, now), text.head(view, now))
        living = any(not child.get("ended_at") for child in view.children)
        for name, draw in html.CHANGING.items():
            change = view.changes[name]
            if self._drawn.get(name) != change or (name == "metrics" and living) or view.ended:
                self._put(name, draw(view, now), text.PARTS[name](view, now))
                self._drawn[name] = change
        if view.ended:
            self._forget()

    def send_again(self) -> None:
        """Send what is drawn once more."""
        for name, handle in self._handles.items():
            handle.update(self._bundles[name], raw=True)

    def _put(self, name: str, html: str, text: str) -> None:
        bundle = self._bundles.get(name)
        if bundle is not None and bundle["text/html"] == html:
            return
        bundle = self._bundles[name] = {"text/html": html, "text/plain": text}
        if name in self._handles:
            self._handles[name].update(bundle, raw=True)
        else:
            from importlib import import_module

            display = import_module("IPython.display").display
            self._handles[name] = display(bundle, raw=True, display_id=True)

    def _before_a_cell(self, _info: Any = None) -> None:
        metadata = _metadata(self._shell)
        gone = [metadata.get("cellId"), *(metadata.get("deletedCells") or ())]
        if self._cell is not None and self._cell in gone:
            self._stop()
            self._forget()

    def _forget(self) -> None:
        try:
            self._shell.events.unregister("pre_run_cell", self._before_a_cell)
        except ValueError:
            return  # that was done before


def _metadata(shell: Any) -> dict[str, Any]:
    """Return what the front end says of the cell that runs now."""
    get_parent = getattr(shell, "get_parent", dict)  # not every kernel is ipykernel
    parent: dict[str, Any] = get_parent() or {}
    return parent.get("metadata") or {}


def _cell(shell: Any) -> str | None:
    return _metadata(shell).get("cellId")


class Terminal:
    """A few lines at the foot of a terminal, below what the program prints."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._out: Any = sys.stdout
        self._lines: list[str] = []
        self._colour = ""
        self._height = 0
        self._at_line_start = True
        self._standing_in = [_StandIn(self, "stdout"), _StandIn(self, "stderr")]
        import atexit

        atexit.register(self.close)

    def paint(self, view: RunView) -> None:
        """Draw the lines again; once the run has ended, print what became of it instead."""
        from zaffre.sdk import run_details_text as text

        now = _now()
        with self._lock:
            self._erase()
            self._lines = [] if view.ended else text.brief(view, now)
            self._colour = _COLOURS.get(view.state, "33")
            if view.ended:
                self.close()
                parts = (text.head(view, now), text.metrics(view, now))
                self._out.write("\n" + "\n\n".join(part for part in parts if part) + "\n")
            self._draw()

    def close(self) -> None:
        """Leave the lines as they stand and give the program its outputs back."""
        with self._lock:
            for one in self._standing_in:
                one.leave()

    def above(self, stream: Any, written: str) -> None:
        """Write a program's text above the lines."""
        with self._lock:
            self._erase()
            stream.write(written)
            if written:
                self._at_line_start = written.endswith("\n")
            self._draw()

    def _draw(self) -> None:
        if self._at_line_start and self._lines:
            import shutil

            columns, rows = shutil.get_terminal_size()
            shown = self._lines[: max(1, rows - 2)]
            first, *others = [fitted(line, columns - 1) for line in shown]
            if "NO_COLOR" not in os.environ:
                first = f"\x1b[1;{self._colour}m{first}\x1b[0m"
            self._out.write("".join(f"{line}\n" for line in [first, *others]))
            self._height = len(shown)
        self._out.flush()

    def _erase(self) -> None:
        if self._height:
            self._out.write(f"\x1b[{self._height}A\r\x1b[J")
            self._out.flush()
            self._height = 0


def fitted(line: str, width: int) -> str:
    """Return a line that a terminal shows in one row and that moves no cursor."""
    plain = "".join(c if c.isprintable() else " " for c in line)
    from unicodedata import east_asian_width

    used = 0
    for index, char in enumerate(plain):
        used += 2 if east_asian_width(char) in "WF" else 1
        if used > width:
            return plain[:index]
    return plain


class _StandIn:
    """Stands in for sys.stdout or sys.stderr: what is written makes the lines go down."""

    def __init__(self, terminal: Terminal, name: str) -> None:
        self._terminal = terminal
        self._name = name
        self._stream: Any = getattr(sys, name)
        if self._stream.isatty():
            setattr(sys, name, self)

    def leave(self) -> None:
        """Give the real stream back, unless something else stands there by now."""
        if getattr(sys, self._name) is self:
            setattr(sys, self._name, self._stream)

    def write(self, text: str) -> int:
        """Write above the lines."""
        self._terminal.above(self._stream, text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write above the lines."""
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
