from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.server.data import sha256_of

from zaffre.contract.errors import Invalid, NotFound, StoreFull
from zaffre.server.store import blob
from zaffre.server.store.blob import BlobFolder, BlobMismatch
from zaffre.server.store.bundle import Unpacking, pack


@pytest.fixture
def folder(tmp_path: Path) -> BlobFolder:
    return BlobFolder(tmp_path / "blobs")


def place(folder: BlobFolder, content: bytes) -> str:
    with folder.receive() as incoming:
        incoming.write(content)
        incoming.finish()
        folder.place(incoming)
        return incoming.sha256


def left_over(folder: BlobFolder) -> list[Path]:
    return list((folder.path / "tmp").iterdir())


def test_a_blob_is_found_by_its_hash_and_read_back(folder: BlobFolder) -> None:
    name = place(folder, b"abc")
    assert name == sha256_of(b"abc")
    assert folder.has(name, 3)
    assert not folder.has(name, 4)
    with folder.open(name) as file:
        assert file.read() == b"abc"
    assert left_over(folder) == []


def test_bytes_under_a_wrong_name_leave_nothing(folder: BlobFolder) -> None:
    with folder.receive() as incoming:
        incoming.write(b"abc")
        with pytest.raises(BlobMismatch):
            incoming.finish(sha256_of(b"other"))
    assert left_over(folder) == []
    assert list(folder.names()) == []


def test_a_full_disk_is_said_and_leaves_nothing(
    folder: BlobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_fd: int, _chunk: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with folder.receive() as incoming:
        monkeypatch.setattr(blob.os, "write", full)
        with pytest.raises(StoreFull):
            incoming.write(b"abc")
    assert left_over(folder) == []


def test_a_small_blob_replaces_what_a_crash_has_left_and_leaves_nothing_beside_it(
    folder: BlobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = sha256_of(b"abc")
    place(folder, b"abc")
    folder.file_path(name).write_bytes(b"a")

    def die(_self: Path, _target: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as crash:
        crash.setattr(Path, "rename", die)
        with pytest.raises(KeyboardInterrupt):
            folder.place(blob.Held(b"abc"))
    assert [path.name for path in folder.file_path(name).parent.iterdir()] == [name]
    assert len(list(folder.stray(older_than_s=-1))) == 1
    folder.place(blob.Held(b"abc"))
    assert folder.has(name, 3)


def test_more_unsynced_blobs_than_are_remembered_are_synced_all_at_once(
    folder: BlobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(blob, "_sync_file_system", lambda _: synced.append("all"))
    monkeypatch.setattr(blob, "_sync_path", lambda path: synced.append(path.name))
    monkeypatch.setattr(blob, "UNSYNCED_MAX", 2)
    folder.sync([])
    first = place(folder, b"1")
    folder.sync([first])
    assert synced == ["all", first, first[:2]]
    names = [place(folder, b"%d" % number) for number in range(2, 5)]
    folder.sync(names[:1])
    folder.sync(names)
    assert synced[3:] == ["all"]


def test_a_removed_blob_stays_readable_for_whoever_has_it_open(folder: BlobFolder) -> None:
    name = place(folder, b"abc")
    with folder.open(name) as file:
        aside = folder.set_aside(name)
        assert aside is not None
        aside.unlink()
        assert file.read() == b"abc"
    assert folder.set_aside(name) is None
    with pytest.raises(NotFound):
        folder.open(name)


def test_what_was_placed_is_synced_once(folder: BlobFolder) -> None:
    names = [place(folder, b"%d" % number) for number in range(10)]
    folder.sync(names[:2])
    more = [place(folder, b"x%d" % number) for number in range(3)]
    folder.sync(more)
    folder.sync(names + more)
    assert folder._unsynced == set()


def test_only_old_files_in_tmp_are_strays(folder: BlobFolder) -> None:
    old, new = folder.path / "tmp" / "old", folder.path / "tmp" / "new"
    old.touch()
    new.touch()
    os.utime(old, (1, 1))
    assert list(folder.stray()) == [old]


@pytest.mark.parametrize("name", ["", "A" * 64, "a" * 63, "../" + "a" * 61, "a" * 64 + "\n", 5])
def test_what_is_no_hash_is_no_name(name: object) -> None:
    with pytest.raises(Invalid):
        blob.sha256_name(name)


def bundle_of(*contents: bytes) -> bytes:
    return b"".join(
        b"%b %d\n%b" % (sha256_of(content).encode(), len(content), content) for content in contents
    )


@given(contents=st.lists(st.binary(max_size=40), max_size=6), cuts=st.lists(st.integers(1, 90)))
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
def test_a_bundle_is_read_alike_however_it_is_cut(
    folder: BlobFolder, contents: list[bytes], cuts: list[int]
) -> None:
    body = bundle_of(*contents)
    with Unpacking(folder) as unpacking:
        rest = body
        for cut in cuts:
            unpacking.feed(rest[:cut])
            rest = rest[cut:]
        unpacking.feed(rest)
        arrived = unpacking.finish()
        assert [one.sha256 for one in arrived] == [sha256_of(content) for content in contents]
        for one in arrived:
            folder.place(one)
    packed = b"".join(pack(folder, [sha256_of(content) for content in contents]))
    assert packed == body
    assert left_over(folder) == []


@pytest.mark.parametrize(
    "body",
    [
        b"x",
        b"\n",
        bundle_of(b"abc")[:-1],
        bundle_of(b"abc") + b"00",
        b"%b 3\nabd" % sha256_of(b"abc").encode(),
        b"%b -3\n" % sha256_of(b"abc").encode(),
        b"%b 03\nabc" % sha256_of(b"abc").encode(),
        b"%b +3\nabc" % sha256_of(b"abc").encode(),
        b"%b 3 \nabc" % sha256_of(b"abc").encode(),
        b"%b 99999999999\n" % sha256_of(b"abc").encode(),
        b"%b 999999999\n" % sha256_of(b"abc").encode(),
        b"../../../etc/passwd 3\nabc",
        b"a" * 1000,
    ],
)
def test_a_hostile_bundle_is_refused_and_leaves_nothing(folder: BlobFolder, body: bytes) -> None:
    def unpack() -> None:
        with Unpacking(folder) as unpacking:
            unpacking.feed(body)
            unpacking.finish()

    with pytest.raises(Invalid):
        unpack()
    assert left_over(folder) == []
