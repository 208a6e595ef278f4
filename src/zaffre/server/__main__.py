"""`python -m zaffre.server`: one server process, from its arguments to its end.

Order of a start: home locked, settings, sockets listening, database ready, address file written,
"ok" to whoever waits. Order of an end: held requests answered, connections closed, loops ended,
database closed, address file removed last. Runners are left alone: they find the next server.
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import contextlib
import gc
import json
import logging
import os
import resource
import signal
import socket
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import uvicorn
import uvloop

from zaffre.client import process
from zaffre.contract.errors import ZaffreError
from zaffre.contract.version import ZAFFRE_VERSION
from zaffre.server import app, home, log
from zaffre.server import settings as settings_file
from zaffre.server.events import Hub
from zaffre.server.http.door import Door
from zaffre.server.http.protocol import OriginFormProtocol
from zaffre.server.http.threads import Threads
from zaffre.server.loops.loops import Loops
from zaffre.server.store import schema
from zaffre.server.store import token as tokens
from zaffre.server.store.blob import BlobFolder
from zaffre.server.store.database import Database, sqlite_url
from zaffre.server.store.sole import sole_server
from zaffre.server.store.store import Store
from zaffre.server.usecases.server import Address

#: How long answers that are under way may take when the server stops, seconds.
_STOP_S = 5
#: Open files that a server may need at most.
_FILES_MAX = 16_384
#: How long the loser of two starts waits for the winner's address, seconds.
_OTHER_START_S = 20.0


class _Uvicorn(uvicorn.Server):
    """uvicorn without its tick of ten a second and without its signal handlers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopping = asyncio.Event()

    async def main_loop(self) -> None:
        """Wait for the stop."""
        await self.on_tick(0)
        await self.stopping.wait()
        self.should_exit = True


def main(arguments: list[str] | None = None) -> int:
    """Run one server until it is told to stop. Returns the exit status."""
    given = _parse(arguments)
    ready = _Ready(given.ready_fd)
    try:
        folder = home.take(given.home)
    except home.HomeTaken as taken:
        if given.started_by_sdk and _other_server_came(given.home):
            ready.ok()
            return 0
        return ready.refuse(taken)
    try:
        return _serve_home(given, ready)
    except ZaffreError as problem:
        return ready.refuse(problem)
    except Exception as problem:
        log.exception("server.not_started", problem)
        ready.say(f"error: The server could not start: {type(problem).__name__}: {problem}")
        return 1
    finally:
        folder.close()


def _raise_file_limit() -> None:
    """Take as many open files as we may: each notebook, runner and waiting page holds one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, _FILES_MAX)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _serve_home(given: argparse.Namespace, ready: _Ready) -> int:
    path: Path = given.home
    _raise_file_limit()
    settings = settings_file.load(path, os.environ)
    settings = replace(
        settings,
        database=given.database or settings.database,
        host=given.host or settings.host,
        port=settings.port if given.port is None else given.port,
        started_by_sdk=given.started_by_sdk,
    )
    tcp = home.listen_on_port(path, settings.host, settings.port)
    unix_path = home.socket_path(path)
    unix = home.listen_on_socket(unix_path)
    hub = Hub()
    url = settings.database or sqlite_url(path / "store" / "zaffre.db")
    database = Database(url, hub.publish)
    alone = contextlib.ExitStack()
    try:
        if not settings.team:
            alone.enter_context(sole_server(url))
        schema.prepare(database)
        with database.transaction() as tx:
            tokens.set_owner(tx, home.owner_token(path), home.user_name(), time.time())
        home.remember_interpreter(path)
        home.link_sdk(path)
        store = Store(
            database=database,
            blobs=BlobFolder(path / "store" / "blobs"),
            logs_path=path / "store" / "logs",
            hub=hub,
            key=home.sealing_key(path),
            settings=settings,
        )
        address = _address(path, tcp, unix_path)
        uvloop.run(_serve(store, address, [unix, tcp], ready))
    finally:
        database.close()
        alone.close()
        unix_path.unlink(missing_ok=True)
    (path / "server.json").unlink(missing_ok=True)
    return 0


async def _serve(
    store: Store, address: Address, sockets: list[socket.socket], ready: _Ready
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(
        concurrent.futures.ThreadPoolExecutor(store.settings.pool_threads, "usecase")
    )
    store.hub.bind(loop)
    stopping = asyncio.Event()
    threads = Threads(store.settings.pool_threads)
    door = app.build(store, address, stopping.set, threads)
    server = _Uvicorn(_uvicorn_config(door))
    # One line per malformed request would let anybody fill the log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    serving = asyncio.create_task(server._serve(sockets))  # pyright: ignore[reportPrivateUsage]
    while not server.started:
        await asyncio.sleep(0)
        if serving.done():
            await serving
    home.write_atomically(Path(address.home) / "server.json", json.dumps(asdict(address)))
    ready.ok()
    gc.freeze()  # what the start made stays; collections need not look at it again
    loops = Loops(store, address, door, stopping.set)
    await loops.start()
    await stopping.wait()
    store.hub.close()
    server.stopping.set()
    await serving
    await loops.stop()
    await asyncio.to_thread(threads.close)


def _uvicorn_config(door: Door) -> uvicorn.Config:
    return uvicorn.Config(
        door,  # pyright: ignore[reportArgumentType]
        http=OriginFormProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_STOP_S,
    )


def _address(path: Path, tcp: socket.socket, unix_path: Path) -> Address:
    host, port = tcp.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return Address(
        pid=os.getpid(),
        start_time=process.start_time(os.getpid()),
        boot_id=process.boot_id(),
        url=f"http://{shown}:{port}",
        socket_path=str(unix_path),
        version=ZAFFRE_VERSION,
        schema=schema.REVISIONS[-1],
        home=str(path),
        started_at=time.time(),
    )


class _Ready:
    """Whoever started this server and waits for one line."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def ok(self) -> None:
        """Say that the server listens."""
        self.say("ok")

    def refuse(self, problem: ZaffreError) -> int:
        """Say why there will be no server; return the exit status."""
        self.say(f"error: {problem.message}")
        return 1

    def say(self, line: str) -> None:
        """Write the line, once; errors go to standard error as well."""
        if line != "ok":
            sys.stderr.write(line + "\n")
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.write(self._descriptor, (line.replace("\n", " ") + "\n").encode())
            os.close(self._descriptor)
            self._descriptor = None


def _other_server_came(path: Path) -> bool:
    """Wait until the server that was faster has written its address."""
    deadline = time.monotonic() + _OTHER_START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError, KeyError):
            address = json.loads((path / "server.json").read_text("utf-8"))
            if process.is_alive(address["pid"], address["start_time"]):
                return True
        time.sleep(0.05)
    return False


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="zaffre.server", description="Run one Zaffre server.")
    default = Path(os.environ.get("ZAFFRE_HOME") or "~/.zaffre").expanduser()
    parser.add_argument("--home", type=lambda text: Path(text).expanduser(), default=default)
    parser.add_argument("--database", default="", help="sqlite:///FILE or postgresql://...")
    parser.add_argument("--host", default="", help="address for browsers (127.0.0.1)")
    parser.add_argument("--port", type=int, default=None, help="port for browsers")
    parser.add_argument("--started-by-sdk", action="store_true", help="end when nothing is asked")
    parser.add_argument("--ready-fd", type=int, default=None, help="where to write 'ok'")
    given = parser.parse_args(arguments)
    given.home = given.home.absolute()
    return given


if __name__ == "__main__":
    sys.exit(main())
