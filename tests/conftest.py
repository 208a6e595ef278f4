"""What all tests share: a real server in a home of its own, and both databases."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src"
START_LIMIT_S = 30.0
STOP_LIMIT_S = 20.0


class Answer:
    """One HTTP answer."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Client:
    """Plain HTTP to a server, without the SDK's client: its own tests must not lean on it."""

    def __init__(self, socket_path: str, token: str | None) -> None:
        self.socket_path = socket_path
        self.token = token

    def request(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        timeout_s: float = 30.0,
    ) -> Answer:
        sent = {"Authorization": f"Bearer {self.token}"} if self.token is not None else {}
        if json_body is not None:
            body = json.dumps(json_body).encode()
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        connection = _UnixConnection(self.socket_path, timeout_s)
        try:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def post(self, path: str, json_body: Any = None, **options: Any) -> Answer:
        return self.request("POST", path, json_body=json_body, **options)

    def patch(self, path: str, json_body: Any, **options: Any) -> Answer:
        return self.request("PATCH", path, json_body=json_body, **options)

    def as_caller(self, token: str | None) -> Client:
        """Return the same server's client with another token, or without any."""
        return Client(self.socket_path, token)


class ServerProcess:
    """One real server process and its home folder."""

    def __init__(self, home: Path, *arguments: str, environment: dict[str, str] | None = None):
        self.home = home
        self._arguments = arguments
        self._environment = environment or {}
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens; AssertionError with its sentence if it refuses."""
        reader, writer = os.pipe()
        self.home.mkdir(parents=True, exist_ok=True)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ZAFFRE_")}
        environment |= {"PYTHONPATH": str(SOURCE), **self._environment}
        command = [sys.executable, "-m", "zaffre.server", "--home", str(self.home)]
        command += [*self._arguments, "--ready-fd", str(writer)]
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, pass_fds=(writer,), env=environment, stdout=log, stderr=log, cwd="/"
            )
        os.close(writer)
        with os.fdopen(reader, "r", encoding="utf-8") as lines:
            line = lines.readline()
        if line != "ok\n":
            self.process.wait(STOP_LIMIT_S)
            logged = (self.home / "server.log").read_text()[-2000:]
            raise AssertionError(f"{line!r}; {logged}")

    @property
    def address(self) -> dict[str, Any]:
        return json.loads((self.home / "server.json").read_text())

    @property
    def url(self) -> str:
        return self.address["url"]

    @property
    def socket_path(self) -> str:
        return self.address["socket_path"]

    @property
    def token(self) -> str:
        return (self.home / "token").read_text().strip()

    @property
    def client(self) -> Client:
        return Client(self.socket_path, self.token)

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(STOP_LIMIT_S)

    def stop(self) -> int:
        """SIGTERM; return the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def restart(self) -> None:
        """Stop it, or find it dead, and start it again on the same home."""
        self.stop()
        self.start()


#: Fixtures that start processes.
_PROCESSES = {
    "server",
    "new_server",
    "bench",
    "runners",
    "home",
    "own_home",
    "run_python",
    "python38",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start processes: `make test-fast` leaves them out."""
    for item in items:
        if not _PROCESSES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.processes)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[ServerProcess]:
    """One server for all tests of this process; a test makes its own workspace in it.

    With ZAFFRE_TEST_DATABASE=postgresql it keeps its records there.
    """
    arguments: list[str] = []
    if os.environ.get("ZAFFRE_TEST_DATABASE") == "postgresql":
        cluster: Path = request.getfixturevalue("postgresql_cluster")
        arguments = ["--database", f"postgresql://zf@/postgres?host={cluster}"]
    started = ServerProcess(_short_folder(), *arguments)
    yield started
    started.stop()
    shutil.rmtree(started.home, ignore_errors=True)


@pytest.fixture
def new_server() -> Iterator[Callable[..., ServerProcess]]:
    """Start servers of the test's own, in fresh homes: `new_server(*arguments, environment=)`."""
    started: list[ServerProcess] = []

    def start(*arguments: str, environment: dict[str, str] | None = None) -> ServerProcess:
        one = ServerProcess(_short_folder(), *arguments, environment=environment)
        started.append(one)
        return one

    yield start
    for one in started:
        with contextlib.suppress(subprocess.TimeoutExpired):
            one.stop()
        shutil.rmtree(one.home, ignore_errors=True)


@pytest.fixture
def workspace(server: ServerProcess) -> dict[str, Any]:
    """A fresh workspace on the shared server."""
    answer = server.client.post("/api/v1/workspaces/open", workspace_request())
    assert answer.status == 200, answer.body
    return answer.json["workspace"]


def workspace_request(name: str | None = None) -> dict[str, Any]:
    """The body that opens a workspace with a name of its own."""
    return {
        "name": name or f"ws-{uuid.uuid4().hex[:12]}",
        "subscription_id": "sub",
        "resource_group": "rg",
    }


_BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(params=_BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of each kind; PostgreSQL is skipped where it is missing."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'zaffre.db'}"
        return
    with _postgresql_database(request.getfixturevalue("postgresql_cluster")) as url:
        yield url


@pytest.fixture(params=_BOTH)
def prepared_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of each kind that has the tables: a copy, which is much faster."""
    if request.param == "sqlite":
        copy = tmp_path / "zaffre.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), copy)
        yield f"sqlite:///{copy}"
        return
    cluster: Path = request.getfixturevalue("postgresql_cluster")
    template: str = request.getfixturevalue("postgresql_template")
    with _postgresql_database(cluster, template) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables."""
    path = tmp_path_factory.mktemp("template") / "zaffre.db"
    _prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql_cluster: Path) -> str:
    """The name of a PostgreSQL database with the tables."""
    with _admin(postgresql_cluster) as admin:
        admin.execute("CREATE DATABASE template_zaffre")
    _prepare(_postgresql_url(postgresql_cluster, "template_zaffre"))
    return "template_zaffre"


def _prepare(url: str) -> None:
    from zaffre.server.store import schema
    from zaffre.server.store.database import Database

    database = Database(url)
    schema.prepare(database)
    database.close()


@contextlib.contextmanager
def _postgresql_database(cluster: Path, template: str = "template1") -> Iterator[str]:
    name = f"t{uuid.uuid4().hex[:12]}"
    with _admin(cluster) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _postgresql_url(cluster, name)
    with _admin(cluster) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _postgresql_url(cluster: Path, name: str) -> str:
    return f"postgresql://zf@/{name}?host={cluster}"


def _admin(cluster: Path) -> Any:
    import psycopg

    return psycopg.connect(host=str(cluster), user="zf", dbname="postgres", autocommit=True)


@pytest.fixture(scope="session")
def postgresql_cluster() -> Iterator[Path]:
    """A PostgreSQL of this test session; the folder holds its socket."""
    programs = _postgresql_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt install postgresql")
    folder = _short_folder()
    as_user: list[str] = []
    if os.geteuid() == 0:
        as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        shutil.chown(folder, "nobody", "nogroup")
    data = folder / "data"
    run = [*as_user, "env", "HOME=" + str(folder), "LC_ALL=C"]
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder}
    initdb = [str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "zf", "-E", "UTF8"]
    subprocess.run([*run, *initdb, "--no-sync"], **quiet)  # type: ignore[call-overload]
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    pg_ctl = [str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log")]
    subprocess.run([*run, *pg_ctl, "-o", options, "start"], **quiet)  # type: ignore[call-overload]
    yield folder
    subprocess.run([*run, *pg_ctl, "-m", "immediate", "stop"], **quiet)  # type: ignore[call-overload]
    shutil.rmtree(folder, ignore_errors=True)


def _postgresql_programs() -> Path | None:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).parent if found and shutil.which("pg_ctl") else None


def _short_folder() -> Path:
    """A folder with a short path: a Unix socket's may not be long."""
    folder = Path(tempfile.mkdtemp(prefix="zf-", dir="/tmp"))
    folder.chmod(0o755)
    return folder
