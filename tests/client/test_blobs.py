"""Files go up and come down by content: whole, once, through cut connections."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client.cutting_proxy import CuttingProxy
from tests.client.wire_server import Request, WireServer, answer
from tests.conftest import ServerProcess

from zaffre.client import blobs, download
from zaffre.client.blobs import Source
from zaffre.client.connection import FoundServer, NamedServer
from zaffre.client.http import Client
from zaffre.contract.errors import FileChanging, Invalid, Refused, ServerUnreachable
from zaffre.contract.snapshot import FileEntry


@pytest.fixture
def client(server: ServerProcess) -> Client:
    return Client(FoundServer(str(server.home)))


@pytest.fixture
def cut_client(server: ServerProcess) -> Iterator[tuple[Client, CuttingProxy]]:
    """A client of the same server whose connections are often cut."""
    path = server.home / f"{uuid.uuid4().hex[:8]}.sock"
    seed = int.from_bytes(os.urandom(4), "big")
    with CuttingProxy(path, server.socket_path, server.token, seed=seed) as proxy:
        yield Client(proxy, retry_s=30.0), proxy
    path.unlink()


def make_files(folder: Path, sizes: list[int]) -> list[Source]:
    """Files of random content: `f0`, `sub1/f1`, `f2`, ..."""
    sources: list[Source] = []
    for number, size in enumerate(sizes):
        name = f"sub{number}/f{number}" if number % 2 else f"f{number}"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))
        sources.append(Source(name, str(path)))
    return sources


def read_tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


SIZES = [0, 1, 100, 70_000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5_000_000]


def test_files_of_every_size_come_back_as_they_went(client: Client, tmp_path: Path) -> None:
    sources = make_files(tmp_path / "up", SIZES)
    Path(sources[2].path).chmod(0o755)
    entries = blobs.send(client, sources)
    assert [entry.name for entry in entries] == [source.name for source in sources]
    assert [entry.size_bytes for entry in entries] == SIZES
    assert [entry.executable for entry in entries] == [n == 2 for n in range(len(SIZES))]
    for entry, source in zip(entries, sources, strict=True):
        assert entry.sha256 == hashlib.sha256(Path(source.path).read_bytes()).hexdigest()
    download.fetch(client, entries, str(tmp_path / "down"))
    assert read_tree(tmp_path / "down") == read_tree(tmp_path / "up")
    assert os.access(tmp_path / "down" / "f2", os.X_OK)
    assert not os.access(tmp_path / "down" / "f0", os.X_OK)


def test_what_the_server_has_is_not_sent_again(tmp_path: Path) -> None:
    """A wire server that lacks nothing sees the question and nothing else."""
    sources = make_files(tmp_path, [10, 2_000_000, 10])
    with WireServer(lambda _: answer(b'{"missing": []}')) as server:
        client = Client(NamedServer(server.url, "t"))
        blobs.send(client, sources)
        assert [request.line.split()[1] for request in server.requests] == ["/api/v1/blobs/missing"]


def test_equal_files_are_sent_once_and_written_each(client: Client, tmp_path: Path) -> None:
    content = os.urandom(1000)
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(content)
    sources = [Source(name, str(tmp_path / name)) for name in ("a", "b", "c")]
    entries = blobs.send(client, sources)
    assert len({entry.sha256 for entry in entries}) == 1
    download.fetch(client, entries, str(tmp_path / "down"))
    assert read_tree(tmp_path / "down") == dict.fromkeys("abc", content)


def test_no_files_are_no_request(tmp_path: Path) -> None:
    client = Client(FoundServer(str(tmp_path)))
    assert blobs.send(client, []) == []
    download.fetch(client, [], str(tmp_path / "down"))


def test_thousands_of_small_files_take_few_requests(client: Client, tmp_path: Path) -> None:
    sources = make_files(tmp_path / "up", [n % 50 for n in range(2500)])
    entries = blobs.send(client, sources)
    download.fetch(client, entries, str(tmp_path / "down"))
    assert read_tree(tmp_path / "down") == read_tree(tmp_path / "up")


def test_progress_goes_up_to_the_whole(client: Client, tmp_path: Path) -> None:
    sources = make_files(tmp_path / "up", SIZES)
    total = sum(SIZES)
    told: list[tuple[int, int]] = []
    for turn in range(2):
        told.clear()
        entries = blobs.send(client, sources, on_progress=lambda *of: told.append(of))
        assert told[-1] == (total, total), turn
        assert [done for done, _ in told] == sorted(done for done, _ in told)
    told.clear()
    download.fetch(client, entries, str(tmp_path / "down"), on_progress=lambda *of: told.append(of))
    assert told[-1] == (total, total)


def test_uploads_and_downloads_get_through_cut_connections(
    cut_client: tuple[Client, CuttingProxy], tmp_path: Path
) -> None:
    client, proxy = cut_client
    for turn in range(8):
        up, down = tmp_path / f"up{turn}", tmp_path / f"down{turn}"
        sources = make_files(up, random.sample(SIZES, len(SIZES)))
        entries = blobs.send(client, sources)
        client.close()
        download.fetch(client, entries, str(down))
        client.close()
        assert read_tree(down) == read_tree(up)
    assert proxy.cut_up_count
    assert proxy.cut_down_count


def test_a_download_that_is_cut_goes_on_where_it_stopped(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    asked: list[str | None] = []

    def handle(request: Request) -> bytes:
        asked.append(request.header("Range"))
        start = int((asked[-1] or "bytes=0-")[len("bytes=") : -1])
        rest = content[start:]
        status = "206 Partial Content" if start else "200 OK"
        return answer(rest, status, cut_after=min(1_000_000, len(rest)))

    told: list[tuple[int, int]] = []
    with WireServer(handle, closes_after=1) as server:
        client = Client(NamedServer(server.url, "t"))
        size = download.fetch_path(
            client,
            "/blobs/x",
            str(tmp_path / "file"),
            sha256=hashlib.sha256(content).hexdigest(),
            on_progress=lambda *of: told.append(of),
        )
    assert size == len(content)
    assert told[-1] == (size, size)
    assert (tmp_path / "file").read_bytes() == content
    assert asked == [None, "bytes=1000000-", "bytes=2000000-"]


def test_a_file_that_is_replaced_while_it_comes_is_read_from_the_start(tmp_path: Path) -> None:
    old, new = os.urandom(3_000_000), os.urandom(3_000_000)
    asked: list[tuple[str | None, str | None]] = []

    def handle(request: Request) -> bytes:
        asked.append((request.header("Range"), request.header("If-Range")))
        content = old if len(asked) == 1 else new
        etag = f'ETag: "{hashlib.sha256(content).hexdigest()}"'
        return answer(content, "200 OK", etag, cut_after=1_000_000 if len(asked) == 1 else None)

    with WireServer(handle, closes_after=1) as server:
        client = Client(NamedServer(server.url, "t"))
        download.fetch_path(client, "/runs/r/files/f", str(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == new
    assert asked[1] == ("bytes=1000000-", f'"{hashlib.sha256(old).hexdigest()}"')


def test_content_is_checked_against_the_hash_in_its_etag(tmp_path: Path) -> None:
    with WireServer(lambda _: answer(b"not it", "200 OK", f'ETag: "{"0" * 64}"')) as server:
        client = Client(NamedServer(server.url, "t"))
        with pytest.raises(Refused, match="damaged"):
            download.fetch_path(client, "/runs/r/files/f", str(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == []


def test_a_server_without_ranges_is_read_from_the_start(tmp_path: Path) -> None:
    content = os.urandom(1_500_000)
    turns = iter([700_000, None, None])

    def handle(_: Request) -> bytes:
        return answer(content, cut_after=next(turns))

    with WireServer(handle, closes_after=1) as server:
        client = Client(NamedServer(server.url, "t"))
        download.fetch_path(client, "/x", str(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == content


def test_a_download_that_brings_nothing_ends(tmp_path: Path) -> None:
    with WireServer(lambda _: answer(b"x" * 100, cut_after=0), closes_after=1) as server:
        client = Client(NamedServer(server.url, "t"), retry_s=0.1)
        with pytest.raises(ServerUnreachable):
            download.fetch_path(client, "/x", str(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == []


def test_damaged_content_is_refused_and_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with WireServer(lambda _: answer(b"not it")) as server:
        client = Client(NamedServer(server.url, "t"))
        with pytest.raises(Refused, match="damaged"):
            download.fetch_path(client, "/x", str(target), sha256="0" * 64)
    line = b"0" * 64 + b" 6\nnot it"
    with WireServer(lambda _: answer(line)) as server:
        client = Client(NamedServer(server.url, "t"))
        with pytest.raises(Refused, match="damaged"):
            download.fetch(client, [FileEntry("file", "0" * 64, 6)], str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert target.read_bytes() == b"old"


def test_a_name_that_would_leave_the_folder_is_refused_before_anything_is_written(
    client: Client, tmp_path: Path
) -> None:
    with pytest.raises(Invalid, match="file name"):
        download.fetch(client, [FileEntry("../x", "0" * 64, 1)], str(tmp_path / "down"))
    assert not (tmp_path / "x").exists()


def test_content_that_the_server_lacks_is_refused(client: Client, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        download.fetch(client, [FileEntry("x", "1" * 64, 1)], str(tmp_path))
    with pytest.raises(Refused):
        download.fetch(client, [FileEntry("x", "1" * 64, 2 << 20)], str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [1000, 3_000_000])
def test_a_file_that_is_replaced_while_it_is_sent_arrives_as_one_of_the_two(
    client: Client, tmp_path: Path, size: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0" * size)
    stop = threading.Event()

    def replace() -> None:
        for n in range(1, 10_000):
            part = tmp_path / "part"
            part.write_bytes(b"%d" % (n % 10) * size)
            part.rename(path)
            if stop.wait(0.02):
                return

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        for turn in range(5):
            [entry] = blobs.send(client, [Source("file", str(path))])
            download.fetch(client, [entry], str(tmp_path / f"down{turn}"))
            found = (tmp_path / f"down{turn}" / "file").read_bytes()
            assert len(found) == size
            assert len(set(found)) == 1
    finally:
        stop.set()
        thread.join()


def test_a_file_that_changes_once_while_it_is_sent_is_read_again(
    client: Client, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(3_000_000))
    changed = os.urandom(3_000_001)

    def on_progress(done: int, _: int) -> None:
        if done == 1 << 20:
            path.write_bytes(changed)

    [entry] = blobs.send(client, [Source("file", str(path))], on_progress=on_progress)
    assert entry.sha256 == hashlib.sha256(changed).hexdigest()
    assert entry.size_bytes == len(changed)
    download.fetch(client, [entry], str(tmp_path / "down"))
    assert (tmp_path / "down" / "file").read_bytes() == changed


def test_a_file_that_never_stands_still_is_named(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "busy.log"
    path.write_bytes(os.urandom(3_000_000))
    stop = threading.Event()

    def write() -> None:
        with path.open("ab") as file:
            while not stop.is_set():
                file.write(b"x" * 100)
                file.flush()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        with pytest.raises(FileChanging, match=r"busy\.log"):
            blobs.send(client, [Source("busy.log", str(path))])
    finally:
        stop.set()
        thread.join()


def test_a_file_that_is_gone_or_no_file_is_an_error_and_ends_the_hashing(
    client: Client, tmp_path: Path
) -> None:
    sources = make_files(tmp_path, [10, 10])
    with pytest.raises(FileNotFoundError):
        blobs.send(client, [*sources, Source("gone", str(tmp_path / "gone"))])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Invalid, match="regular file"):
        blobs.send(client, [Source("pipe", str(tmp_path / "pipe")), *sources])
    assert all(thread.name != "zaffre-hashing" for thread in threading.enumerate())


def test_many_clients_may_send_the_same_files_at_once(
    server: ServerProcess, tmp_path: Path
) -> None:
    sources = make_files(tmp_path / "up", [10, 100_000, 2_000_000] * 5)
    failures: list[BaseException] = []

    def send() -> None:
        try:
            blobs.send(Client(FoundServer(str(server.home))), sources)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert not failures


def test_a_full_disk_leaves_no_part_behind(client: Client, tmp_path: Path) -> None:
    import resource
    import signal

    [source] = make_files(tmp_path / "up", [3_000_000])
    entries = blobs.send(client, [source])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
        with pytest.raises(OSError, match="large") as caught:
            download.fetch(client, entries, str(tmp_path / "down"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not isinstance(caught.value, ConnectionError)
    assert list((tmp_path / "down").iterdir()) == []


def test_files_that_are_collected_before_a_record_names_them_are_sent_again(
    client: Client, tmp_path: Path
) -> None:
    sources = make_files(tmp_path, [10, 2_000_000])
    turns = iter(range(10))

    def register(entries: list[FileEntry]) -> list[str]:
        if next(turns) == 0:
            client.request("POST", "/garbage/collect", query={"force": True})
            raise Refused("gone", code="blob.missing", status=409)
        names = [entry.sha256 for entry in entries]
        assert not client.request("POST", "/blobs/missing", json={"sha256": names})["missing"]
        return names

    assert len(blobs.send_for(client, sources, register)) == 2
