"""A process that does what it is asked to: one JSON line in, one JSON line out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping


def answer(works: Mapping[str, Callable[..., object]]) -> None:
    """Do the works that standard input asks for until it ends.

    What a work prints goes to standard error, so that the answers stand alone.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        json.dump(works[request.pop("work")](**request), answers)
        answers.write("\n")
        answers.flush()
