"""What a runner notes for whoever looks into its folder: an event and fields, a line each."""

from __future__ import annotations

import json
import sys
import time


def note(event: str, **fields: object) -> None:
    """Write one line to the runner's log (its stderr). Never a secret, never a traceback's end."""
    line = json.dumps({"at": round(time.time(), 3), "event": event, **fields}, default=str)
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except OSError:
        return  # the disk is full; the run matters more than its runner's notes
