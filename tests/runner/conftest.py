"""A small real server that records what runners tell it, and runners forked by the real driver."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import socketserver
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from zaffre.compute.driver import Exit
from zaffre.compute.local import LocalDriver
from zaffre.contract.attempt import AttemptKind, Report, StartOrder
from zaffre.contract.run import RunSpec
from zaffre.contract.snapshot import FileEntry, snapshot_id

LIMIT_S = 30.0
FINAL = {"Completed", "Failed", "Canceled"}


class SmallServer:
    """Takes what a runner sends, over a Unix socket; `settle` waits for what it is to see."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.changed = threading.Condition()
        self.state = "Queued"
        self.is_superseded = False
        self.claims: list[dict[str, Any]] = []
        self.reports: list[dict[str, Any]] = []
        self.logs: dict[str, bytearray] = {}
        self.spools: dict[str, bytearray] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.file_posts: list[str] = []
        self.blobs: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self.snapshots: dict[str, list[dict[str, Any]]] = {}
        self.renewed = 0
        self.lease_s = 60.0
        self.requests: list[tuple[str, str]] = []
        self.refuse: Callable[[str, str], tuple[int, dict[str, Any]] | None] = lambda *_: None
        self._server: _Server | None = None
        self.start()

    def start(self) -> None:
        server = _Server(str(self.path), _Handler)
        server.small = self
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more and cut every connection."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.cut()
            self.path.unlink(missing_ok=True)

    def settle(self, condition: Callable[[], Any], limit_s: float = LIMIT_S) -> Any:
        """Wait until `condition` is true; return its value."""
        with self.changed:
            assert self.changed.wait_for(condition, limit_s), (self.state, self.reports, self.logs)
            return condition()

    def set_state(self, state: str) -> None:
        with self.changed:
            self.state = state
            self.changed.notify_all()

    def supersede(self) -> None:
        """Be done with the attempt, as when another one has been made."""
        with self.changed:
            self.is_superseded = True
            self.changed.notify_all()

    def log(self, name: str = "user_logs/std_log.txt") -> str:
        return bytes(self.logs.get(name, b"")).decode("utf-8", "replace")

    def final(self, limit_s: float = LIMIT_S) -> dict[str, Any]:
        """Wait for the final report and return it."""
        return self.settle(
            lambda: next((r for r in self.reports if r["state"] in FINAL), None), limit_s
        )

    def content(self, name: str) -> bytes:
        return self.blobs[self.files[name]["sha256"]]

    def add_snapshot(self, files: dict[str, bytes], executable: tuple[str, ...] = ()) -> str:
        entries: list[FileEntry] = []
        for name, data in files.items():
            digest = hashlib.sha256(data).hexdigest()
            self.blobs[digest] = data
            entries.append(FileEntry(name, digest, len(data), name in executable))
        named = snapshot_id(entries)
        self.snapshots[named] = [vars(entry) for entry in entries]
        return named

    def answer(
        self, method: str, path: str, query: dict[str, str], body: bytes
    ) -> tuple[int, bytes]:
        self.requests.append((method, path))
        # An upload is told by what it is to be, once that is known.
        named = f"/{json.loads(body)['sha256']}" if path.endswith("/finish") else ""
        refusal = self.refuse(method, path + named)
        if refusal is not None:
            return refusal[0], json.dumps(refusal[1]).encode()
        with self.changed:
            status, value = self._answer(method, path, query, body)
            self.changed.notify_all()
        return status, value if isinstance(value, bytes) else json.dumps(value).encode()

    def _answer(
        self, method: str, path: str, query: dict[str, str], body: bytes
    ) -> tuple[int, Any]:
        parts = path.removeprefix("/api/v1/").split("/")
        last = parts[-1]
        if last == "claim":
            return self._claim(json.loads(body))
        if last == "report":
            return self._report(json.loads(body))
        if last == "renew":
            return self._renew(float(query["hold_s"]))
        if parts[0] == "uploads":
            return self._uploads(method, parts[1], query, body)
        if parts[0] == "blobs":
            return self._blobs(method, last, body)
        if last == "content":
            files = self.snapshots[parts[-2]]
            manifest = json.dumps({"snapshot_id": parts[-2], "files": files}).encode()
            wanted = {file["sha256"] for file in files if file["size_bytes"]}
            return 200, manifest + b"\n" + self._bundle(sorted(wanted))
        if parts[0] == "workspaces":
            return 200, {"snapshot_id": last, "files": self.snapshots[last]}
        if parts[2] == "logs":
            return self._append(self.logs, "/".join(parts[3:]), int(query["offset"]), body)
        if parts[2] == "spools" and method == "GET":
            return 200, {"offset": len(self.spools.get(parts[3], b""))}
        if parts[2] == "spools":
            return self._append(self.spools, parts[3], int(query["from_offset"]), body)
        if parts[2] == "files":
            items = json.loads(body)["items"]
            for item in items:
                assert item["sha256"] in self.blobs
                self.files[item["name"]] = item
                self.file_posts.append(item["name"])
            return 200, {"items": items}
        return 404, {"error": {"code": "not_found", "message": path}}

    def _claim(self, claim: dict[str, Any]) -> tuple[int, Any]:
        if self.claims and self.claims[0]["claim_id"] != claim["claim_id"]:
            return 409, superseded()
        self.claims.append(claim)
        self.state = "Preparing"
        return 200, {"run": {}, "state": self.state}

    def _report(self, report: dict[str, Any]) -> tuple[int, Any]:
        self.reports.append(report)
        if self.state != "CancelRequested" or report["state"] in FINAL:
            self.state = report["state"]
        return 200, {"state": self.state}

    def _renew(self, hold_s: float) -> tuple[int, Any]:
        self.renewed += 1
        self.changed.notify_all()
        ends = {"CancelRequested", "Failed", "Canceled", "Completed"}
        self.changed.wait_for(lambda: self.state in ends or self.is_superseded, hold_s)
        if self.is_superseded:
            return 409, superseded()
        return 200, {"state": self.state, "lease_s": self.lease_s}

    def _blobs(self, method: str, last: str, body: bytes) -> tuple[int, Any]:
        if last == "missing":
            asked = json.loads(body)["sha256"]
            return 200, {"missing": [one for one in asked if one not in self.blobs]}
        if last == "read":
            return 200, self._bundle(json.loads(body)["sha256"])
        if last == "bundle":
            while body:
                head, _, body = body.partition(b"\n")
                digest, size = head.decode().split()
                self._keep(digest, body[: int(size)])
                body = body[int(size) :]
            return 200, {"stored": 1}
        if method == "PUT":
            self._keep(last, body)
            return 201, {"size_bytes": len(body)}
        return 200, self.blobs[last]

    def _uploads(
        self, method: str, upload_id: str, query: dict[str, str], body: bytes
    ) -> tuple[int, Any]:
        here = self.uploads.get(upload_id, b"")
        if method == "DELETE":
            self.uploads.pop(upload_id, None)
            return 204, b""
        if method == "PUT":
            assert int(query["offset"]) == len(here)
            here = self.uploads[upload_id] = here + body
        if method == "POST":
            self._keep(json.loads(body)["sha256"], self.uploads.pop(upload_id, b""))
            return 201, {"size_bytes": len(here)}
        return 200, {"offset": len(here), "active": False}

    def _bundle(self, asked: list[str]) -> bytes:
        return b"".join(
            b"%s %d\n%s" % (digest.encode(), len(self.blobs[digest]), self.blobs[digest])
            for digest in asked
        )

    def _keep(self, digest: str, data: bytes) -> None:
        assert hashlib.sha256(data).hexdigest() == digest
        self.blobs[digest] = data

    @staticmethod
    def _append(
        where: dict[str, bytearray], name: str, offset: int, body: bytes
    ) -> tuple[int, Any]:
        stored = where.setdefault(name, bytearray())
        if offset != len(stored):
            facts = {"offset": len(stored)}
            error = {"code": "offset.conflict", "message": "elsewhere", "facts": facts}
            return 409, {"error": error}
        stored += body
        return 200, {"offset": len(stored)}


def superseded() -> dict[str, Any]:
    return {"error": {"code": "attempt.superseded", "message": "not the present attempt"}}


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 50
    small: SmallServer

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        for request in list(self._open):
            with contextlib.suppress(OSError):
                request.shutdown(2)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query))
        status, answer = self.server.small.answer(self.command, unquote(url.path), query, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def log_message(self, *_: Any) -> None:
        pass


class Runners:
    """The real local driver on an event loop of its own."""

    def __init__(self, log_path: Path | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.log_path = log_path
        self.driver = LocalDriver(log_path=None if log_path is None else str(log_path))
        self.do(self.driver.open())

    def do(self, work: Any, limit_s: float = LIMIT_S) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(limit_s)

    def start(self, order: StartOrder) -> None:
        self.do(self.driver.start(order))

    def next_end(self, limit_s: float = LIMIT_S) -> tuple[str, int, Exit]:
        """Wait for the next runner's end."""
        return self.do(asyncio.wait_for(self.driver.died().get(), limit_s))

    @property
    def zygote_pid(self) -> int:
        return self.driver._zygote.popen.pid  # type: ignore[union-attr]

    def close(self) -> None:
        self.do(self.driver.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Bench:
    """A server, runners and a folder for them."""

    def __init__(self, folder: Path, runners: Runners) -> None:
        self.folder = folder
        self.server = SmallServer(folder / "s.sock")
        self.runners = runners
        self.started: list[StartOrder] = []

    def order(self, script: str | None = None, **options: Any) -> StartOrder:
        """Return an order to run `script`, Python text; options override parts of the spec."""
        run_id = f"run-{uuid.uuid4().hex[:12]}"
        files: dict[str, bytes] = options.pop("files", {})
        executable = options.pop("executable", ())
        attempt: dict[str, Any] = options.pop("attempt", {})
        if script is not None:
            files = {"train.py": script.encode(), **files}
        defaults: dict[str, Any] = {
            "target": "local",
            "interpreter": sys.executable,
            "script": None if "command" in options else "train.py",
            "snapshot_id": self.server.add_snapshot(files, executable),
        }
        workspace = {
            "workspace_id": "w1",
            "name": "ws",
            "subscription_id": "sub",
            "resource_group": "rg",
            "location": "here",
        }
        order: dict[str, Any] = {
            "run_id": run_id,
            "attempt": 1,
            "kind": AttemptKind.RUN,
            "token": "zf_secret-token",
            "folder": str(self.folder / "runs" / run_id / "1"),
            "url": "http://127.0.0.1:1",
            "socket_path": str(self.server.path),
            "workspace": workspace,
            "experiment_id": "e1",
            "experiment_name": "exp",
            "root_run_id": run_id,
            "process_environment": {"PATH": os.environ["PATH"], "HOME": str(self.folder)},
            "spec": RunSpec(**{**defaults, **options}),
        }
        return StartOrder(**{**order, **attempt})

    def start(self, script: str | None = None, **options: Any) -> StartOrder:
        """Start a runner for `order(...)`."""
        order = self.order(script, **options)
        self.started.append(order)
        self.runners.start(order)
        return order

    def run(self, script: str | None = None, **options: Any) -> dict[str, Any]:
        """Start a runner, wait for its end; return its final report."""
        self.start(script, **options)
        self.next_end()
        return self.server.final()

    def next_end(self, limit_s: float = LIMIT_S) -> tuple[str, int, Exit]:
        """Wait for the next end of a runner that was started here."""
        own = {order.run_id for order in self.started}
        while True:
            end = self.runners.next_end(limit_s)
            if end[0] in own:
                return end

    def salvage(self, order: StartOrder, final: Report) -> StartOrder:
        """Start the salvage that follows `order`'s dead runner."""
        after = StartOrder(
            **{
                **vars(order),
                "attempt": order.attempt + 1,
                "kind": AttemptKind.SALVAGE,
                "spec": None,
                "process_environment": {},
                "final": final,
            }
        )
        self.server.claims.clear()
        self.started.append(after)
        self.runners.start(after)
        return after

    def marked(self) -> list[int]:
        """Return the living processes of every script that was started here."""
        found: list[int] = []
        marks = [f"AZUREML_RUN_ID={order.run_id}".encode() for order in self.started]
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) != os.getpid():
                with contextlib.suppress(OSError):
                    environment = Path(f"/proc/{name}/environ").read_bytes()
                    state = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[0]
                    if state not in "ZX" and any(mark in environment for mark in marks):
                        found.append(int(name))
        return found

    def wait_until_none_is_left(self, limit_s: float) -> float:
        """Wait until no process of a script is left; return how long that took."""
        begun = time.monotonic()
        while self.marked():
            assert time.monotonic() - begun < limit_s, self.marked()
            threading.Event().wait(0.005)
        return time.monotonic() - begun

    def runner_pid(self) -> int:
        """Wait for a claim; return the runner's pid."""
        return self.server.settle(lambda: self.server.claims)[0]["pid"]


@pytest.fixture(scope="session")
def runners() -> Iterator[Runners]:
    """One zygote for all tests of this process."""
    folder = Path(tempfile.mkdtemp(prefix="zf-", dir="/tmp"))
    started = Runners(folder / "zygote.log")
    yield started
    started.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def bench(runners: Runners) -> Iterator[Bench]:
    """A small server and the means to start runners for it."""
    folder = Path(tempfile.mkdtemp(prefix="zf-", dir="/tmp"))
    made = Bench(folder, runners)
    yield made
    for order in made.started:
        runners.do(runners.driver.kill(order.run_id, order.attempt))
    for pid in made.marked():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)
    made.server.stop()
    shutil.rmtree(folder, ignore_errors=True)
