"""A user's process that submits: `python script.py` by itself (the limit), or through Zaffre.

Both sides in one process, in turn, with the same interpreter and the same script.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from azureml.core import Experiment, ScriptRunConfig, Workspace
from benchmarks.clients.asked import answer

# A reading: milliseconds from before the submit to the first line, and until the end is known.
Reading = tuple[float, float]


def plain(source: str, marker: str) -> Reading:
    """Run the script without Zaffre."""
    script = str(Path(source) / "script.py")
    begun = time.time()
    subprocess.run([sys.executable, script, marker], check=True)
    return _reading(begun, marker)


def zaffre(source: str, marker: str) -> Reading:
    """Submit the script and wait for its end."""
    config = ScriptRunConfig(source, script="script.py", arguments=[marker])
    config.run_config.environment.python.user_managed_dependencies = True
    experiment = _experiment()
    begun = time.time()
    experiment.submit(config).wait_for_completion(show_output=False)
    return _reading(begun, marker)


def _reading(begun: float, marker: str) -> Reading:
    ended = time.time()
    first_line = float(Path(marker).read_text())
    return (first_line - begun) * 1e3, (ended - begun) * 1e3


_kept: list[Any] = []


def _experiment() -> Any:
    if not _kept:
        name = {"subscription_id": "s", "resource_group": "g"}
        _kept.append(Experiment(Workspace.create("bench", exist_ok=True, **name), "submit"))
    return _kept[0]


if __name__ == "__main__":
    answer({"plain": plain, "zaffre": zaffre})
