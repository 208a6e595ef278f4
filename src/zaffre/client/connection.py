"""Finding the server, or starting one.

Where a request goes is decided anew whenever a connection is lost:

1. inside a run (ZAFFRE_RUN_TOKEN): to the server that started it, whose present address stands in
   ZAFFRE_ADDRESS_FILE. Nothing is ever started there.
2. with ZAFFRE_URL: to a team's server, with ZAFFRE_TOKEN.
3. else: to the server of this user's home folder. `server.json` says where it listens; if nobody
   answers there, one is started.

Starting: whoever holds `start.lock` starts, the others wait for `server.json` to name a server
that answers. A server that has just let go of its socket may still hold `server.lock`, so that
is waited for too. The new server belongs to no one: it is in a session of its own, its parent is
init, its folder is the home, it inherits no descriptor but one end of a pipe, and its environment
is rid of what belongs to a notebook, a virtual environment or a run. On the pipe it says `ok`
once it listens, or why it does not. No one polls for that.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from zaffre.client.http import INTERACTIVE_PATIENCE_S, Client
from zaffre.client.transport import Address
from zaffre.contract.errors import Invalid, ServerNotStarted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Mapping, Sequence

#: How long a server may take until it listens (a migration of a large store is slow), seconds.
START_TIMEOUT_S = 120.0
#: Says that nobody asked for the server by name, so it may end by itself when it is idle.
BY_SDK = ("--started-by-sdk",)
_POLL_S = 0.02
#: What a server must not inherit: names and beginnings of names.
_UNCLEAN_NAMES = ("MPLBACKEND", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "OLDPWD", "PWD")
_UNCLEAN_PREFIXES = ("JPY_", "CONDA_", "_CONDA_", "PYTHON", "AZUREML_", "ZAFFRE_RUN_")
_UNCLEAN_ZAFFRE = (
    "ZAFFRE_URL",
    "ZAFFRE_TOKEN",
    "ZAFFRE_SOCKET",
    "ZAFFRE_ADDRESS_FILE",
    "ZAFFRE_SPOOL_FOLDER",
    "ZAFFRE_WORKSPACE_LOCATION",
)
_NEEDED = ("litestar", "uvicorn", "sqlalchemy", "msgspec")

# Runs between the user's process and the server, so that the server is nobody's child, and its
# signals are those of a fresh process.
_DETACH = """
import os, signal, sys
if os.fork():
    os._exit(0)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD):
    signal.signal(number, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, [])
os.execv(sys.argv[1], sys.argv[1:])
"""


def home_folder(environment: Mapping[str, str] = os.environ) -> str:
    """Return the folder of this user's server: ZAFFRE_HOME, or ~/.zaffre."""
    return os.path.abspath(
        environment.get("ZAFFRE_HOME") or os.path.join(os.path.expanduser("~"), ".zaffre")
    )


def connect(*, retry_s: float = INTERACTIVE_PATIENCE_S) -> Client:
    """Return a client of the server that the environment leads to, without asking it anything.

    Raises Invalid when the environment names a server by halves.
    """
    environment = os.environ
    if environment.get("ZAFFRE_RUN_TOKEN"):
        return Client(RunServer(environment), retry_s=retry_s)
    if environment.get("ZAFFRE_URL"):
        return Client(
            NamedServer(environment["ZAFFRE_URL"], environment.get("ZAFFRE_TOKEN", "")),
            retry_s=retry_s,
        )
    return Client(HomeServer(home_folder()), retry_s=retry_s)


def without_starting(client: Client) -> Client:
    """Return a client of the same server that never starts one: for what runs unasked."""
    locator = client.locator
    if isinstance(locator, HomeServer):
        locator = FoundServer(locator.home)
    return Client(locator, retry_s=0.0)


class LeavingStopped:
    """A block whose requests, in this thread, start no server in the stead of one that was stopped.

    For what asks again and again: its next request must not undo a 'zaffre down'. A server that
    has crashed is started anew all the same.
    """

    def __enter__(self) -> None:
        """Begin."""
        self._before = _leaves_stopped()
        _of_thread.leaves_stopped = True

    def __exit__(self, *_: object) -> None:
        """Go on as before the block."""
        _of_thread.leaves_stopped = self._before


_of_thread = threading.local()


def _leaves_stopped() -> bool:
    return getattr(_of_thread, "leaves_stopped", False)


def named_url(client: Client) -> str | None:
    """Return the URL of a team's server, None for the server of a home folder."""
    locator = client.locator
    return locator.address.url if isinstance(locator, NamedServer) else None


class NamedServer:
    """A server at a fixed URL, such as a team's."""

    def __init__(self, url: str, token: str) -> None:
        if not token:
            raise Invalid("ZAFFRE_TOKEN", f"is not set; the server at {url} asks for a token")
        if not url.startswith(("http://", "https://")):
            raise Invalid("ZAFFRE_URL", f"{url!r} must begin with http:// or https://")
        self.address = Address(url.rstrip("/"), token)

    def locate(self, lost: Address | None, *, patience_s: float) -> Address:
        """Return the one address there is."""
        del lost, patience_s
        return self.address

    def name(self) -> str:
        """Return the URL."""
        return self.address.url


class RunServer:
    """The server that started the run which this process belongs to."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._token = environment["ZAFFRE_RUN_TOKEN"]
        self._file = environment.get("ZAFFRE_ADDRESS_FILE")
        self._socket_path = environment.get("ZAFFRE_SOCKET") or None
        self._url = environment.get("ZAFFRE_URL") or "http://localhost"

    def locate(self, lost: Address | None, *, patience_s: float) -> Address:
        """Return what the address file says now, else what the environment said at the start."""
        del lost, patience_s
        present = read_address(self._file, self._token) if self._file else None
        return present or Address(self._url, self._token, self._socket_path)

    def name(self) -> str:
        """Return the path of the address file, or the socket or URL."""
        return self._file or self._socket_path or self._url


class FoundServer:
    """The server of a home folder, if one runs."""

    def __init__(self, home: str) -> None:
        self.home = home

    def locate(self, lost: Address | None, *, patience_s: float) -> Address:
        """Return what server.json says, or raise OSError when no server runs."""
        del lost, patience_s
        present = find_address(self.home)
        if present is None:
            raise ConnectionRefusedError("no server runs there")
        return present

    def name(self) -> str:
        """Return the home folder."""
        return self.home


class HomeServer:
    """The server of a home folder, started when none runs."""

    def __init__(self, home: str) -> None:
        self.home = home

    def locate(self, lost: Address | None, *, patience_s: float) -> Address:
        """Return the address of a server that listens, starting one if need be.

        Raises ServerNotStarted with the server's own sentence, or what else stood in the way;
        ConnectionRefusedError if one was stopped and is to stay so.
        """
        # The lock is let go of last, so it is looked at first.
        stays = _leaves_stopped()
        going = stays and _is_locked(os.path.join(self.home, "server.lock"))
        present = find_address(self.home)
        if present is not None and present != lost:
            return present
        if going or (stays and present is None):
            raise ConnectionRefusedError("the server was stopped")
        return ensure_server(self.home, patience_s=patience_s)

    def name(self) -> str:
        """Return the home folder."""
        return self.home


def find_address(home: str) -> Address | None:
    """Return where the server of `home` says that it listens; None if it says nothing."""
    try:
        with open(os.path.join(home, "token"), encoding="ascii") as file:
            token = file.read().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return read_address(os.path.join(home, "server.json"), token)


def read_address(path: str, token: str) -> Address | None:
    """Return the address in an address file; None if there is no (whole) file."""
    import json

    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        return Address(
            content["url"],
            token,
            content.get("socket_path") or None,
            f"{content.get('pid')} {content.get('start_time')} {content.get('boot_id')}",
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def answers(address: Address) -> bool:
    """Say whether something listens at an address (it may be too busy to answer)."""
    from zaffre.client.transport import Connection

    try:
        Connection(address, timeout_s=5.0).close()
    except (ConnectionRefusedError, FileNotFoundError, PermissionError):
        return False
    except OSError:
        return True
    return True


def ensure_server(
    home: str, *, patience_s: float = START_TIMEOUT_S, options: Sequence[str] = BY_SDK
) -> Address:
    """Return the address of the server of `home`, after starting one if none listens.

    However many processes call this at once, one server is started. patience_s: how long to wait
    for another process's start; a start of our own may take START_TIMEOUT_S. options: the server's
    command line besides `--home`.

    Raises ServerNotStarted.
    """
    deadline = time.monotonic() + max(patience_s, START_TIMEOUT_S)
    try:
        os.makedirs(home, mode=0o700, exist_ok=True)
        lock = open(os.path.join(home, "start.lock"), "a", encoding="ascii")  # noqa: SIM115
    except OSError as problem:
        raise ServerNotStarted(home, f"{problem.strerror} ({problem.filename}).") from problem
    with lock:
        locked = False
        try:
            while True:
                # A server that is on its way up, or down, holds the other lock meanwhile.
                locked = locked or _try_lock(lock)
                busy = not locked or _is_locked(os.path.join(home, "server.lock"))
                present = find_address(home)
                if present is not None and answers(present):
                    return present
                if not busy:
                    started = _start_unless_beaten(home, options)
                    if started is not None:
                        return started
                if time.monotonic() > deadline:
                    raise ServerNotStarted(home, _who_blocks(home))
                time.sleep(_POLL_S)
        finally:
            if locked:
                # Said aloud, because a child that another thread forked holds this file too.
                _unlock(lock)


def _start_unless_beaten(home: str, options: Sequence[str]) -> Address | None:
    """Start a server; None if one that was started by hand meanwhile has the home."""
    try:
        return _start(home, options)
    except ServerNotStarted:
        if _is_locked(os.path.join(home, "server.lock")):
            return None
        raise


def _try_lock(file: IO[str]) -> bool:
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unlock(file: IO[str]) -> None:
    import fcntl

    fcntl.flock(file, fcntl.LOCK_UN)


def _is_locked(path: str) -> bool:
    import fcntl

    try:
        with open(path, encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_UN)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _who_blocks(home: str) -> str:
    try:
        with open(os.path.join(home, "server.lock"), encoding="utf-8") as file:
            holder = file.read(300).strip()
    except OSError:
        holder = ""
    return (
        f"a server holds {home}/server.lock and does not answer ({holder or 'it does not say who'})"
        ". Stop it with 'zaffre down', or end that process."
    )


def _start(home: str, options: Sequence[str]) -> Address:
    problem = ""
    for interpreter in _interpreters(home):
        problem = _start_with(interpreter, home, options)
        if not problem:
            present = find_address(home)
            if present is not None:
                return present
            problem = "it said that it listens but wrote no address."
        if not problem.startswith(_DIED):
            break
    raise ServerNotStarted(
        home,
        problem
        or f"no interpreter is known that holds zaffre[server]; {sys.executable} does not. Install "
        "it for Python 3.11 or later (pip install 'zaffre[server]'), and run 'zaffre up' once.",
    )


_DIED = "it ended before it listened"


def _interpreters(home: str) -> list[str]:
    """Return the interpreters that may hold the server, the remembered one first."""
    found: list[str] = []
    try:
        with open(os.path.join(home, "interpreter"), encoding="utf-8") as file:
            remembered = file.read().strip()
        if os.access(remembered, os.X_OK):
            found.append(remembered)
    except OSError:
        pass  # none is remembered: this is the first start in this home
    if sys.executable and sys.executable not in found and _holds_server():
        found.append(sys.executable)
    return found


def _holds_server() -> bool:
    """Say whether this interpreter has what the server imports."""
    from importlib.util import find_spec

    if sys.version_info < (3, 11):
        return False
    return all(find_spec(name) is not None for name in _NEEDED)


def _start_with(interpreter: str, home: str, options: Sequence[str]) -> str:
    """Start a server and wait until it listens; return '' or what went wrong, as a sentence."""
    import subprocess

    environment = clean_environment(os.environ)
    source = _source_folder(interpreter, environment)
    if source is not None:
        environment["PYTHONPATH"] = source
    reader, writer = os.pipe()
    try:
        command = [interpreter, "-P", "-m", "zaffre.server", "--home", home]
        command += [*options, "--ready-fd", str(writer)]
        with open(os.path.join(home, "server.log"), "ab") as log:
            before = log.tell()
            try:
                subprocess.run(
                    [interpreter, "-I", "-S", "-c", _DETACH, *command],
                    check=True,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(writer,),
                    start_new_session=True,
                    cwd=home,
                    env=environment,
                )
            except (OSError, subprocess.SubprocessError) as problem:
                return f"{_DIED}: {problem}."
            finally:
                os.close(writer)
        said = _read_line(reader, START_TIMEOUT_S)
    finally:
        os.close(reader)
    if said == "ok":
        return ""
    if said.startswith("error: "):
        return said[len("error: ") :]
    if said == "timeout":
        return f"it did not listen within {START_TIMEOUT_S:.0f} s; see {home}/server.log."
    return f"{_DIED}; {_last_words(home, before)}"


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a server may inherit."""
    return {
        name: value
        for name, value in environment.items()
        if name not in _UNCLEAN_NAMES
        and name not in _UNCLEAN_ZAFFRE
        and not name.startswith(_UNCLEAN_PREFIXES)
    }


def _source_folder(interpreter: str, environment: dict[str, str]) -> str | None:
    """Return the folder that holds this zaffre if `interpreter` has none installed."""
    import subprocess

    folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if os.path.basename(folder) in ("site-packages", "dist-packages"):
        return None
    ask = "import sys, importlib.util as u; sys.exit(0 if u.find_spec('zaffre') else 3)"
    try:
        found = subprocess.run(
            [interpreter, "-c", ask],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=environment,
        )
    except OSError:
        return folder
    return None if found.returncode == 0 else folder


def _read_line(descriptor: int, timeout_s: float) -> str:
    """Return the line that comes through a pipe, 'timeout', or '' at its end."""
    import select

    deadline = time.monotonic() + timeout_s
    data = b""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP)
    while not data.endswith(b"\n"):
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not poll.poll(left_s * 1000):
            return "timeout"
        chunk = os.read(descriptor, 4096)
        if not chunk:
            break
        data += chunk
    return data.decode("utf-8", "replace").strip()


def _last_words(home: str, start: int) -> str:
    path = os.path.join(home, "server.log")
    try:
        with open(path, "rb") as file:
            file.seek(start)
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    return f"its last line in {path}: {lines[-1]}" if lines else f"see {path}."
