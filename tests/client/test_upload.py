"""Large files: hashed while they are sent, and sent on from where a cut left them."""

from __future__ import annotations

import hashlib
import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client.cutting_proxy import CuttingProxy
from tests.conftest import ServerProcess

from zaffre.client import blobs, download
from zaffre.client.blobs import GROUP_BYTES, Source
from zaffre.client.connection import FoundServer
from zaffre.client.http import Client

SIZE = GROUP_BYTES + 10_000_000


@pytest.fixture
def client(server: ServerProcess) -> Client:
    return Client(FoundServer(str(server.home)))


@pytest.fixture
def proxy(server: ServerProcess) -> Iterator[CuttingProxy]:
    """What stands between a client and the server, and cuts when it is told to."""
    path = server.home / f"{uuid.uuid4().hex[:8]}.sock"
    with CuttingProxy(path, server.socket_path, server.token, seed=0) as between:
        between.calm = True
        yield between
    path.unlink()


@pytest.fixture
def large(tmp_path: Path) -> Source:
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(SIZE))
    return Source("large.bin", str(path))


def assert_stored(client: Client, source: Source, sha256: str, folder: Path) -> None:
    content = Path(source.path).read_bytes()
    assert sha256 == hashlib.sha256(content).hexdigest()
    target = folder / "back.bin"
    download.fetch_path(client, f"/blobs/{sha256}", str(target), sha256=sha256)
    assert target.read_bytes() == content


def assert_nothing_half(server: ServerProcess) -> None:
    assert list((server.home / "store" / "blobs" / "tmp").iterdir()) == []


def test_a_large_file_arrives_whole(
    server: ServerProcess, client: Client, large: Source, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    for _ in range(2):  # new, and known
        told.clear()
        [entry] = blobs.send(client, [large], on_progress=lambda *of: told.append(of))
        assert told[-1] == (SIZE, SIZE)
        assert [done for done, _ in told] == sorted(done for done, _ in told)
        assert_stored(client, large, entry.sha256, tmp_path)
    assert_nothing_half(server)


def test_after_a_cut_only_the_rest_is_sent(
    server: ServerProcess, client: Client, proxy: CuttingProxy, large: Source, tmp_path: Path
) -> None:
    proxy.up_limits = [9_000_000, 10_000_000, 5_000_000]
    [entry] = blobs.send(Client(proxy), [large])
    assert proxy.cut_up_count >= 2
    # What the proxy has passed on when it cuts, the server may not have read.
    assert proxy.passed_up < SIZE + 3 * 4_000_000
    assert_stored(client, large, entry.sha256, tmp_path)
    assert_nothing_half(server)


def test_another_process_sends_the_rest_of_what_one_has_begun(
    server: ServerProcess, client: Client, proxy: CuttingProxy, large: Source, tmp_path: Path
) -> None:
    def on_progress(done: int, _total: int) -> None:
        if done > 20_000_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        blobs.send(client, [large], on_progress=on_progress)
    [entry] = blobs.send(Client(proxy), [large])
    assert proxy.passed_up < SIZE - 10_000_000
    assert_stored(client, large, entry.sha256, tmp_path)
    assert_nothing_half(server)


def test_many_clients_send_the_same_large_file_at_once(
    server: ServerProcess, client: Client, large: Source, tmp_path: Path
) -> None:
    hashes: list[str] = []

    def send() -> None:
        [entry] = blobs.send(Client(FoundServer(str(server.home))), [large])
        hashes.append(entry.sha256)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert len(hashes) == 4
    assert len(set(hashes)) == 1
    assert_stored(client, large, hashes[0], tmp_path)
    assert_nothing_half(server)


def test_a_large_file_that_changes_while_it_is_sent_is_read_again(
    server: ServerProcess, client: Client, large: Source, tmp_path: Path
) -> None:
    changed = os.urandom(SIZE)
    turns = iter(range(1_000_000))

    def on_progress(_done: int, _total: int) -> None:
        if next(turns) == 3:
            Path(large.path).write_bytes(changed)

    [entry] = blobs.send(client, [large], on_progress=on_progress)
    assert entry.sha256 == hashlib.sha256(changed).hexdigest()
    assert_stored(client, large, entry.sha256, tmp_path)
    assert_nothing_half(server)


def test_a_large_file_that_shrinks_while_it_is_sent_arrives_small(
    server: ServerProcess, client: Client, large: Source
) -> None:
    turns = iter(range(1_000_000))

    def on_progress(_done: int, _total: int) -> None:
        if next(turns) == 3:
            Path(large.path).write_bytes(b"small")

    [entry] = blobs.send(client, [large], on_progress=on_progress)
    assert (entry.sha256, entry.size_bytes) == (hashlib.sha256(b"small").hexdigest(), 5)
    assert client.fetch("GET", f"/blobs/{entry.sha256}")[0] == b"small"
    assert_nothing_half(server)
