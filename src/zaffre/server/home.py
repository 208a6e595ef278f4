"""The home folder: who serves it, its secrets, its port and its socket.

One server at a time has a home: it holds `server.lock` (flock) for its whole life, and the lock's
content names it. On a network file system flock may not reach the other hosts, so there the
content decides: a lock that names another host is refused.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import pwd
import secrets
import socket
import stat
import struct
import sys
from pathlib import Path
from typing import Any

import zaffre
from zaffre.client import process
from zaffre.contract.errors import ZaffreError
from zaffre.contract.version import ZAFFRE_VERSION
from zaffre.server.store.token import new_token

#: statfs magic numbers of file systems that other machines may have mounted too.
NETWORK_FILE_SYSTEMS = frozenset(
    {
        0x6969,  # NFS
        0x517B,  # SMB
        0xFE534D42,  # SMB 2
        0xFF534D42,  # CIFS
        0x5346414F,  # AFS
        0x00C36400,  # Ceph
        0x0BD00BD0,  # Lustre
        0x47504653,  # GPFS
        0x01161970,  # GFS2
        0x7461636F,  # OCFS2
        0x19830326,  # BeeGFS
    }
)

#: ioctls of a folder's flags (64-bit Linux), and the flag "top of hierarchies" (chattr +T).
_GET_FLAGS, _SET_FLAGS, _TOP_FOLDER = 0x8008_6601, 0x4008_6602, 0x0002_0000

#: Longest path that the kernel takes for a socket is 107 bytes.
_SOCKET_PATH_MAX = 100


class HomeTaken(ZaffreError):
    """Another server has this home, or it cannot be used."""

    code = "home.taken"
    status = 409


class Home:
    """A home folder that this process serves. `close` lets it go."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    def close(self) -> None:
        """Let the home go: the next server may have it."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._lock, 0)
        os.close(self._lock)


def take(path: Path) -> Home:
    """Make the home folder if need be and lock it. Raises HomeTaken with the reason."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_uid != os.geteuid():
        raise HomeTaken(f"The home folder {path} belongs to another user; set ZAFFRE_HOME.")
    path.chmod(0o700)
    lock = os.open(path / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _content(lock)
        os.close(lock)
        raise HomeTaken(
            f"A server (process {holder.get('pid', '?')} on {holder.get('host', '?')}) "
            f"serves {path} already."
        ) from None
    holder = _content(lock)
    problem = foreign_host(path, holder, magic=file_system(path), host=socket.gethostname())
    if problem is not None:
        os.close(lock)
        raise HomeTaken(problem)
    me = {"host": socket.gethostname(), "pid": os.getpid(), "boot_id": process.boot_id()}
    os.ftruncate(lock, 0)
    os.pwrite(lock, json.dumps(me).encode(), 0)
    for folder in ("store", "store/blobs", "store/logs", "runs", "interactive"):
        (path / folder).mkdir(mode=0o700, exist_ok=True)
    _spread_out(path / "runs")
    return Home(path, lock)


def _spread_out(folder: Path) -> None:
    """Have ext4 lay out each folder that is made in this one apart from the others.

    ext4 uses a freed inode again only after minutes, and searches past all such for each file that
    it makes nearby. Runs' folders come and go: where others had just gone, the 100 files of a
    snapshot took up to 100 ms to write; apart from those, 3.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flags = struct.unpack("l", fcntl.ioctl(fd, _GET_FLAGS, struct.pack("l", 0)))[0]
        if not flags & _TOP_FOLDER:
            fcntl.ioctl(fd, _SET_FLAGS, struct.pack("l", flags | _TOP_FOLDER))
    except OSError:
        pass  # another file system: it has no such flag, and no such trouble
    finally:
        os.close(fd)


def foreign_host(path: Path, holder: dict[str, Any], *, magic: int, host: str) -> str | None:
    """Say in one sentence why a lock that `holder` wrote keeps us out; None if it does not."""
    if magic not in NETWORK_FILE_SYSTEMS or holder.get("host", host) == host:
        return None
    return (
        f"The home folder {path} is on a network file system and is served by host "
        f"{holder['host']!r} (process {holder.get('pid', '?')}): stop that server by 'zaffre down' "
        f"there, or set ZAFFRE_HOME to a local folder (if that host is gone for good, remove "
        f"{path / 'server.lock'})."
    )


def _content(lock: int) -> dict[str, Any]:
    try:
        content = json.loads(os.pread(lock, 4096, 0))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def file_system(path: Path) -> int:
    """Return the statfs magic number of the file system that `path` is on; 0 if unknown."""
    buffer = ctypes.create_string_buffer(256)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.statfs(os.fsencode(path), buffer) != 0:
        return 0
    return ctypes.c_long.from_buffer(buffer).value & 0xFFFFFFFF


def secret_file(path: Path, fresh: bytes) -> bytes:
    """Return the content of a 0600 file, made from `fresh` if it is not there.

    Made beside its place, so that a kill between two calls leaves no empty secret for good.
    """
    if path.exists():
        return path.read_bytes()
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(fresh)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    return fresh


def owner_token(path: Path) -> str:
    """Return the owner's token, made at the first start."""
    return secret_file(path / "token", new_token().encode()).decode("ascii").strip()


def sealing_key(path: Path) -> bytes:
    """Return the key that seals secrets at rest, made at the first start."""
    key = secret_file(path / "key", secrets.token_bytes(32))
    if len(key) != 32:
        raise HomeTaken(f"{path / 'key'} does not hold the 32 bytes of a key.")
    return key


def write_atomically(path: Path, text: str) -> None:
    """Replace a 0600 file, so that a reader sees the old text or the new one."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def listen_on_port(path: Path, host: str, port: int) -> socket.socket:
    """Listen for browsers: on `port`, else the port of the last start, else any free one."""
    kept = path / "port"
    wanted = [port] if port else [_kept_port(kept), 0]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    problem: OSError | None = None
    for number in wanted:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
            listener.listen(512)
        except OSError as error:
            listener.close()
            problem = error
            continue
        write_atomically(kept, f"{listener.getsockname()[1]}\n")
        return listener
    raise HomeTaken(f"Port {wanted[0]} of {host} cannot be listened on ({problem}).")


def _kept_port(path: Path) -> int:
    try:
        number = int(path.read_text("ascii"))
    except (OSError, ValueError):
        return 0
    return number if 0 < number < 65536 else 0


def socket_path(path: Path) -> Path:
    """Return where the Unix socket stands: in the home, or elsewhere if that path is too long.

    Elsewhere is a folder of ours alone; one that somebody else has made there is refused.
    """
    inside = path / "s.sock"
    if len(os.fsencode(inside)) <= _SOCKET_PATH_MAX:
        return inside
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    folder = Path(f"/tmp/zaffre-{os.geteuid()}-{name}")  # noqa: S108 - checked below
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise HomeTaken(f"{folder} is not a folder of this user alone; remove it.")
    return folder / "s.sock"


def listen_on_socket(path: Path) -> socket.socket:
    """Listen at `path`, which an earlier server may have left there."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.listen(512)
    return listener


def user_name() -> str:
    """Return the name of the user whose server this is; the number if it has no name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def link_sdk(path: Path) -> Path:
    """Return the folder that holds nothing but azureml and zaffre: the scripts' path entry."""
    folder = path / "sdk" / ZAFFRE_VERSION
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    packages = Path(zaffre.__path__[0]).resolve().parent
    for name in ("zaffre", "azureml"):
        link, target = folder / name, packages / name
        if not (link.is_symlink() and link.readlink() == target):
            fresh = folder / f".{name}.{os.getpid()}"
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(target)
            fresh.replace(link)
    return folder


def remember_interpreter(path: Path) -> None:
    """Write down which interpreter holds zaffre[server]; SDKs start servers with it."""
    text = sys.executable + "\n"
    kept = path / "interpreter"
    if not kept.exists() or kept.read_text("utf-8") != text:
        write_atomically(kept, text)
