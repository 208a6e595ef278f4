"""Where the benchmarks run: a temporary folder, three clean interpreters, Zaffre's servers.

Clean, because one `.pth` file that imports something can triple the start of Python; here there
are only path lines, as fast as a copy in site-packages.

    plain    nothing but the standard library: the limits
    user     and Zaffre without extras: where users' code runs
    own      and what zaffre[server] needs: the server, its command line, the servers of limits
"""

from __future__ import annotations

import os
import shutil
import sysconfig
import tempfile
import venv
from pathlib import Path

from benchmarks.process import ROOT, Asked, Served

_SOURCE = ROOT / "src"
_DROPPED = ("PYTHON", "AZUREML_", "ZAFFRE_", "VIRTUAL_ENV", "CONDA_", "UV_")


class Place:
    """A temporary folder with all that a benchmark needs; it is removed at the end."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="zaffre-bench-"))
        self.plain = self._interpreter("plain")
        self.user = self._interpreter("user", _SOURCE)
        # The libraries come as a second path, not from the environment that runs this program.
        self.own = self._interpreter("own", _SOURCE, Path(sysconfig.get_path("purelib")))
        self._count = 0

    def _interpreter(self, name: str, *paths: Path) -> str:
        folder = self.folder / name
        venv.create(folder, symlinks=True, with_pip=False)
        site_packages = next(folder.glob("lib/python*/site-packages"))
        if paths:
            lines = "".join(f"{path}\n" for path in paths)
            (site_packages / "zaffre.pth").write_text(lines)
        return str(folder / "bin" / "python")

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a process: this one's, less what leads Python elsewhere."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_DROPPED)}
        return {**kept, "HOME": str(self.folder), **more}

    def new_folder(self, name: str) -> Path:
        """Return a new, empty folder."""
        self._count += 1
        folder = self.folder / f"{self._count}-{name}"
        folder.mkdir()
        return folder

    def zaffre(self, home: Path) -> Served:
        """Start a Zaffre server with its home in `home`."""
        command = [self.own, "-m", "zaffre.server", "--home", str(home)]
        return Served(
            command,
            path=home / "s.sock",
            environment=self.environment(),
            log=home.parent / f"{home.name}.log",
        )

    def limit_server(self, name: str, *arguments: str) -> Served:
        """Start the server benchmarks/limits/NAME.py."""
        folder = self.new_folder(name)
        path = folder / "s.sock"
        return Served(
            [self.own, "-m", f"benchmarks.limits.{name}", str(path), *arguments],
            path=path,
            environment=self.environment(),
            log=folder / "log",
        )

    def user_client(self, name: str, home: Path) -> Asked:
        """Start benchmarks/clients/NAME.py as a user's process of the server in `home`."""
        return Asked(
            [self.user, "-m", f"benchmarks.clients.{name}"],
            environment=self.environment(ZAFFRE_HOME=str(home)),
            log=self.new_folder(name) / "log",
        )

    def limit_client(self, name: str) -> Asked:
        """Start benchmarks/limits/NAME.py as a client of a limit's server."""
        return Asked(
            [self.own, "-m", f"benchmarks.limits.{name}"],
            environment=self.environment(),
            log=self.new_folder(name) / "log",
        )

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
