"""Files on other machines: Azurite for blobs, moto for S3, Python's own web server."""

from __future__ import annotations

import contextlib
import http.server
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from tools import programs

from zaffre.contract.datastore import Datastore, DatastoreKind
from zaffre.contract.errors import NotBuiltYet
from zaffre.data.errors import DataInvalid, PathOutside, SourceMissing, TargetExists
from zaffre.data.stores import reach
from zaffre.data.stores.file_store import FileStore
from zaffre.data.stores.remote import StoreUnreachable

#: The key that every Azurite has; it is in its documentation.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
START_LIMIT_S = 30.0


def record(kind: DatastoreKind, credentials: dict[str, str], **settings: str) -> Datastore:
    now = datetime.now(UTC)
    return Datastore("w", "mine", kind, {**settings}, now, credentials=credentials)


@contextlib.contextmanager
def listening(*command: str) -> Iterator[int]:
    """Start a program with a free port as its last argument; yield the port once it listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with subprocess.Popen([*command, str(port)], stderr=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + START_LIMIT_S
            while True:
                with socket.socket() as sock:
                    if sock.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert process.poll() is None, f"{command[0]} ended at once"
                assert time.monotonic() < end, f"{command[0]} does not listen"
            yield port
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an account of an Azurite."""
    pytest.importorskip("adlfs", reason="adlfs is not installed")
    program = programs.azurite()
    if program is None:
        pytest.skip("azurite-blob is not installed: npm install -g azurite")
    folder = str(tmp_path_factory.mktemp("azurite"))
    options = ("--silent", "--location", folder, "--skipApiVersionCheck", "--blobPort")
    with listening(program, *options) as port:
        yield f"http://127.0.0.1:{port}/devstoreaccount1"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of a server that speaks S3."""
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    pytest.importorskip("moto.server", reason="moto is not installed")
    with listening(sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p") as port:
        yield f"http://127.0.0.1:{port}"


def blobs(azurite: str, container: str, key: str = KEY) -> Datastore:
    return record(
        DatastoreKind.AZURE_BLOB,
        {"account_key": key},
        account_name="devstoreaccount1",
        container_name=container,
        endpoint=azurite,
    )


@pytest.fixture(params=["azurite", "s3"])
def container(request: pytest.FixtureRequest) -> FileStore:
    """A new container of each kind of store."""
    address: str = request.getfixturevalue(request.param)
    name = f"c{uuid.uuid4().hex}"
    datastore = blobs(address, name)
    if request.param == "s3":
        secret = {"secret_access_key": "secret"}
        settings = {"bucket_name": name, "access_key_id": "id", "endpoint": address}
        datastore = record(DatastoreKind.S3, secret, **settings)
    reach.make(datastore)
    return reach.file_store(datastore)


def test_files_are_written_listed_and_read(container: FileStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    for path in ("b.csv", "a/2.csv", "a/1.csv"):
        container.write(path, str(tmp_path / "file"), overwrite=False)
    listed = list(container.list(""))
    assert [entry.path for entry in listed] == ["a/1.csv", "a/2.csv", "b.csv"]
    assert {entry.size_bytes for entry in listed} == {10}
    assert [entry.path for entry in container.list("a")] == ["a/1.csv", "a/2.csv"]
    assert list(container.list("absent")) == []
    assert list(container.list("b.csv")) == []
    with container.open("b.csv") as file:
        file.seek(4)
        assert file.read(3) == b"456"


def test_a_file_that_is_there_is_replaced_only_when_asked(
    container: FileStore, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("new")
    container.write("a", str(tmp_path / "file"), overwrite=True)
    with pytest.raises(TargetExists):
        container.write("a", str(tmp_path / "file"), overwrite=False)
    container.write("a", str(tmp_path / "file"), overwrite=True)


def test_what_is_not_there_or_outside_says_so(container: FileStore) -> None:
    assert container.find("absent") is None
    with pytest.raises(SourceMissing):
        container.open("absent")
    with pytest.raises(PathOutside):
        container.find("../other/x")


def test_a_wrong_key_is_one_sentence_without_the_key(azurite: str) -> None:
    wrong = "d3Jvbmc="
    with pytest.raises(StoreUnreachable, match="'mine' could not be used at http") as raised:
        reach.check(blobs(azurite, "container", wrong))
    assert wrong not in raised.value.message
    with pytest.raises(StoreUnreachable, match="no such container"):
        reach.check(blobs(azurite, f"c{uuid.uuid4().hex}"))


@pytest.mark.parametrize("kind", ["adlfs", "s3fs"])
def test_an_address_where_nothing_listens_is_said_at_the_first_use(kind: str) -> None:
    pytest.importorskip(kind, reason=f"{kind} is not installed")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{sock.getsockname()[1]}"
        datastore = blobs(address, "container")
        if kind == "s3fs":
            datastore = record(DatastoreKind.S3, {}, bucket_name="b", endpoint=address)
        with pytest.raises(StoreUnreachable, match=f"at {address}/.*refused"):
            reach.check(datastore)


def test_files_below_a_web_address_are_read(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp", reason="aiohttp is not installed")
    (tmp_path / "a.csv").write_text("a,b")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        store = reach.file_store(record(DatastoreKind.HTTP, {}, url=url))
        assert [(entry.path, entry.size_bytes) for entry in store.list("")] == [("a.csv", 3)]
        with store.open("a.csv") as file:
            assert file.read() == b"a,b"
        assert store.find("absent") is None
        server.shutdown()


def test_a_database_has_no_files_and_some_kinds_are_not_built() -> None:
    with pytest.raises(DataInvalid, match="is a database"):
        reach.file_store(record(DatastoreKind.AZURE_POSTGRE_SQL, {}))
    with pytest.raises(NotBuiltYet, match=r"Sftp \('mine'\)"):
        reach.file_store(record(DatastoreKind.SFTP, {}))


def test_a_client_that_is_not_installed_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "adlfs", None)
    with pytest.raises(reach.ClientMissing, match="pip install adlfs"):
        reach.file_store(blobs("http://127.0.0.1:1", "container"))
