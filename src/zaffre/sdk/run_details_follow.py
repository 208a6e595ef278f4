"""Keeping what RunDetails shows up to date, in two daemon threads while a run goes on.

One thread holds the server's event stream of the run open; the other draws about once a second,
and every few seconds asks for the children. Both end when the run has ended and that is drawn,
when they are told to stop, and with the process. They never start a server: while none answers,
what was known stays shown, and they ask again after longer and longer pauses.
"""

from __future__ import annotations

import itertools
import json
import threading
import time

from zaffre.contract.errors import Refused, ZaffreError
from zaffre.sdk import session
from zaffre.sdk.run_details import LOG_PREFIXES
from zaffre.sdk.run_details_view import LOG_TAIL_CHARS, Metric, RunView

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from zaffre.client.http import Client

REFRESH_S = 1.0
#: Children and files are asked for so far apart, or PATIENCE times what asking took.
LOOK_S = 2.0
PATIENCE = 10
_LONGEST_PAUSE_S = 30.0
_CHILDREN_MAX = 100
#: Of the children so many have their metrics asked for.
_CHILDREN_MEASURED = 50
#: Images of a run that are shown, the size of each and of all, bytes.
_IMAGES_MAX = 12
IMAGE_MAX_BYTES = 1_500_000
_IMAGES_MAX_BYTES = 6_000_000
#: Logs of which the end is read at once of a run that has ended.
_LOGS_MAX = 8
_IMAGE_ENDS = (".png", ".jpg", ".jpeg", ".gif", ".webp")

_following: list[Follower] = []
#: The last ones that have drawn a run's end and that `settle` has not seen yet.
_ended: list[Follower] = []
_ENDED_MAX = 4


class Follower:
    """Follows one run into a view."""

    def __init__(self, view: RunView) -> None:
        self.view = view
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._news = threading.Event()
        #: Nothing will come any more.
        self._over = False
        self._look_at = 0.0
        #: Child id to the state in which its metrics were asked for.
        self._measured: dict[str, str] = {}
        self._send_again: Callable[[], None] | None = None
        self._painter: threading.Thread | None = None

    def show(
        self, paint: Callable[[RunView], None], send_again: Callable[[], None] | None = None
    ) -> None:
        """Call `paint` with the view: once with all of a run that has ended, else again and again.

        The first call is made here, the others by a thread. send_again: called by `settle`.
        """
        if self.view.ended:
            self.look_once()
            paint(self.view)
            return
        paint(self.view)
        self._send_again = send_again
        _following.append(self)
        threading.Thread(target=self._listen, name="zaffre-run-events", daemon=True).start()
        self._painter = threading.Thread(
            target=self._draw, args=(paint,), name="zaffre-run-details", daemon=True
        )
        self._painter.start()

    def look_once(self) -> None:
        """Take what there is now into the view, in this thread."""
        client = session.current().client
        run_id = self.view.run_id
        for series in client.request("GET", f"/runs/{run_id}/metrics")["runs"].get(run_id, ()):
            self.view.take("metric", {**series, "first_position": 0})
        files = _files(client, run_id)
        logs = [name for name in files if name.startswith(LOG_PREFIXES) and files[name]]
        for name in [*logs[:_LOGS_MAX], *logs[_LOGS_MAX:][-1:]]:
            offset = max(0, files[name] - LOG_TAIL_CHARS)
            content, _ = client.fetch(
                "GET", f"/runs/{run_id}/files/{name}", headers={"Range": f"bytes={offset}-"}
            )
            text = content.decode("utf-8", "replace")
            self.view.take("log", {"name": name, "offset": 0, "text": text})
            self.view.logs[name].cut = offset > 0
        self._look(client)

    def stop(self) -> None:
        """Draw no more. The stream is left at its next sign of life, within 15 s."""
        self._stopped.set()
        self._news.set()

    def join(self, timeout_s: float) -> None:
        """Wait until the end is drawn."""
        if self._painter is not None:
            self._painter.join(timeout_s)

    def send_again(self) -> None:
        """Send what is drawn once more."""
        if self._send_again is not None:
            self._send_again()

    # -- the thread that holds the stream

    def _listen(self) -> None:
        pause_s = REFRESH_S
        while not self._stopped.is_set():
            try:
                self._read(_client())
                trouble = ""
            except Refused as refusal:
                if refusal.status < 500:
                    self._over = True
                    self._say(refusal.message)
                    return
                trouble = f"The server has trouble: {refusal.message}"
            except (ZaffreError, OSError):
                trouble = "Server not reachable: this is its last word. Trying again."
            if self._over:
                return
            heard = self.view.trouble == ""
            self._say(trouble or "The server is restarting.")
            pause_s = REFRESH_S if heard else min(pause_s * 2, _LONGEST_PAUSE_S)
            self._stopped.wait(pause_s)

    def _read(self, client: Client) -> None:
        """Take events until the run has ended, the stream does or all is to stop."""
        from zaffre.client.http import parse_events

        accept = {"Accept": "text/event-stream"}
        path = f"/runs/{self.view.run_id}/events"
        with client.stream("GET", path, headers=accept, timeout_s=45.0) as answer:
            lines = itertools.takewhile(lambda _: not self._stopped.is_set(), answer.lines())
            for kind, data in parse_events(lines):
                with self._lock:
                    self.view.take(kind, data)
                    self.view.trouble = ""
                    self._over = kind == "state" and self.view.ended
                if self._over:
                    self._news.set()
                    return

    def _say(self, trouble: str) -> None:
        with self._lock:
            self.view.trouble = trouble
        self._news.set()

    # -- the thread that draws

    def _draw(self, paint: Callable[[RunView], None]) -> None:
        try:
            while True:
                self._news.wait(REFRESH_S)
                self._news.clear()
                if self._stopped.is_set():
                    return
                ended = self._over
                if ended or time.monotonic() >= self._look_at:
                    self._try_to_look()
                with self._lock:
                    paint(self.view)
                if ended:
                    _ended.append(self)
                    del _ended[:-_ENDED_MAX]
                    return
        except Exception as problem:
            # Whatever a front end does to an output, the user's kernel goes on.
            import logging

            logging.getLogger("azureml.widgets").debug("RunDetails stopped: %s", problem)
        finally:
            self._stopped.set()
            _following.remove(self)

    def _try_to_look(self) -> None:
        before = time.monotonic()
        try:
            self._look(_client())
        except (ZaffreError, OSError):
            self._look_at = time.monotonic() + _LONGEST_PAUSE_S  # the stream's thread says so
            return
        took_s = time.monotonic() - before
        self._look_at = time.monotonic() + max(LOOK_S, PATIENCE * took_s)

    def _look(self, client: Client) -> None:
        """Ask for children and what they have logged, for pictures, and what a run waits for."""
        query: Any = {"parent_run_id": self.view.run_id, "limit": _CHILDREN_MAX}
        page = client.request("GET", "/runs", query=query)
        children: list[dict[str, Any]] = page["items"]
        measured = dict(self._measure(client, children))
        files = _files(client, self.view.run_id) if self.view.ended else self.view.files
        contents = self._contents(client, files or {})
        waits = ""
        if self.view.state == "Queued":
            # Who waits before it changes, and the stored reason does not.
            waits = client.request("GET", f"/runs/{self.view.run_id}/why").get("sentence") or ""
        with self._lock:
            view = self.view
            view.waits = waits
            if children != view.children or measured:
                view.children, view.more_children = children, page.get("next") is not None
                view.child_metrics.update(measured)
                view.changes["metrics"] += 1
            if contents or files != view.files:
                view.files = files
                view.contents.update(contents)
                view.changes["about"] += 1

    def _measure(
        self, client: Client, children: list[dict[str, Any]]
    ) -> list[tuple[str, dict[str, Metric]]]:
        """Return the metrics of the children that may have logged since they were asked last."""
        found: list[tuple[str, dict[str, Metric]]] = []
        for child in children[:_CHILDREN_MEASURED]:
            run_id, state = child["run_id"], child["state"]
            before = self._measured.get(run_id)
            if state == before and state != "Running":
                continue
            answer = client.request("GET", f"/runs/{run_id}/metrics")["runs"].get(run_id, ())
            metrics = {series["name"]: Metric(series["name"]) for series in answer}
            for series in answer:
                metrics[series["name"]].take(series["kind"], series["values"], series["steps"])
            self._measured[run_id] = state
            found.append((run_id, metrics))
        return found

    def _contents(self, client: Client, files: dict[str, int]) -> dict[str, Any]:
        """Return what has not been read yet of images and of the documents of charts."""
        with self._lock:
            kinds = {
                name: metric.kind for metric, names in self.view.file_metrics() for name in names
            }
        for name in files:
            if name.lower().endswith(_IMAGE_ENDS):
                kinds.setdefault(name, "image")
        found: dict[str, Any] = {}
        left = _IMAGES_MAX_BYTES - _size(self.view.contents)
        for name in list(kinds)[:_IMAGES_MAX]:
            if name not in self.view.contents:
                limit = max(0, min(IMAGE_MAX_BYTES, left))
                found[name] = _content(client, self.view.run_id, name, kinds[name], limit)
                left = _IMAGES_MAX_BYTES - _size(self.view.contents) - _size(found)
        return found


def _size(contents: dict[str, Any]) -> int:
    return sum(len(content) for content in contents.values() if isinstance(content, bytes))


def _files(client: Client, run_id: str) -> dict[str, int]:
    """Return the names of a run's files and logs, sorted, and their sizes in bytes."""
    listed = client.request("GET", f"/runs/{run_id}/files")["items"]
    return {file["name"]: int(file["size_bytes"]) for file in listed}


def _client() -> Client:
    """Return a client that starts no server and gives up at once."""
    from zaffre.client.connection import without_starting

    return without_starting(session.current().client)


def _content(client: Client, run_id: str, name: str, kind: str, limit: int) -> Any:
    """Return an image's bytes, a document, or a text that says why it is not shown."""
    from zaffre.sdk.run_details_pictures import image_type

    try:
        with client.stream("GET", f"/runs/{run_id}/files/{name}") as answer:
            content = b""
            for chunk in answer.chunks():
                content += chunk
                if len(content) > limit:
                    return f"is too large to be shown here: run.download_file({name!r})"
    except Refused as refusal:
        return refusal.message
    if kind == "image":
        return content if image_type(content) else "is of a format that browsers do not show"
    try:
        return json.loads(content)
    except ValueError:
        return "is no JSON"


def settle(run_id: str, timeout_s: float = 10.0) -> None:
    """Wait until the end of a run that has ended is drawn wherever it is shown.

    It is sent once more from here: what a thread sends between two cells is lost to programs that
    execute notebooks, which listen for one cell's outputs at a time.
    """
    deadline = time.monotonic() + timeout_s
    for follower in _following.copy():
        if follower.view.run_id == run_id:
            follower.join(max(0.0, deadline - time.monotonic()))
    for follower in _ended.copy():
        if follower.view.run_id == run_id:
            _ended.remove(follower)
            follower.send_again()
