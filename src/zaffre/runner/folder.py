"""The folder of one attempt: where its parts are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

#: The script's stdout and stderr, as a file of the run.
LOG_NAME = "user_logs/std_log.txt"


class RunFolder:
    """Paths below `runs/<run_id>/<attempt>`."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.work = self.path / "work"
        self.spool = self.path / "spool"
        self.tmp = self.path / "tmp"
        self.data = self.path / "data"
        self.log = self.path / LOG_NAME
        self.own_log = self.path / "runner.log"

    def make(self) -> None:
        """Make the folders; what is there already stays. Raises OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.work, self.spool, self.tmp, self.log.parent):
            folder.mkdir(exist_ok=True)

    def redirect_stderr(self) -> None:
        """From now on this process's stderr is `runner.log` in the folder."""
        fd = os.open(self.own_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(fd, 2)
        os.close(fd)

    def remove(self) -> None:
        """Remove the folder, and the run's folder around it if that was its last attempt."""
        shutil.rmtree(self.path, onerror=_make_writable_and_retry)
        if not self.path.exists():
            try:
                self.path.parent.rmdir()
            except OSError:
                return  # another attempt's folder is still in it


def _make_writable_and_retry(function: object, path: str, _: object) -> None:
    """Scripts leave read-only folders behind; open those and try once more."""
    del function
    try:
        os.chmod(Path(path).parent, 0o700)  # noqa: PTH101
        if Path(path).is_dir() and not Path(path).is_symlink():
            os.chmod(path, 0o700)  # noqa: PTH101
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)  # noqa: PTH108
    except OSError:
        return  # what cannot be removed stays; `remove` is done by hand then
