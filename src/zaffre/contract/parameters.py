"""What the parameters of a run are: the arguments of its script, by name.

`--lr 0.1` and `--lr=0.1` are both `lr: 0.1`. An option without a value is `true`, one with several
has them all, blanks between; the last of the same name counts. Arguments without a name are none.
"""

from __future__ import annotations

import math
import re
import shlex
from typing import Iterable

from zaffre.contract.run import RunSpec

_OPTION = re.compile(r"--?(?P<name>[^\W\d][^=\s]*)(?:=(?P<value>.*))?\Z", re.DOTALL)

#: Longest name, and how many of a run count.
NAME_MAX_CHARS = 255
COUNT_MAX = 1_000


def of_spec(spec: RunSpec | None) -> dict[str, str]:
    """Return the parameters of what was asked for; none for a run without a spec."""
    return {} if spec is None else of_command_line(spec.command, spec.arguments)


def of_command_line(command: str | None, arguments: Iterable[str]) -> dict[str, str]:
    """Return the parameters in a shell command, or in a script's arguments if there is none."""
    if command is None:
        return of_arguments(arguments)
    try:
        return of_arguments(shlex.split(command))
    except ValueError:  # a quote that nothing closes: the shell will say so
        return {}


def of_arguments(arguments: Iterable[str]) -> dict[str, str]:
    """Return the named arguments of a command line."""
    values: dict[str, list[str]] = {}
    open_name: str | None = None
    for argument in arguments:
        if argument == "--":
            break
        option = _OPTION.match(argument)
        if option is None:
            if open_name is not None:
                values[open_name].append(argument)
            continue
        name, value = option.group("name"), option.group("value")
        if len(name) > NAME_MAX_CHARS or (name not in values and len(values) == COUNT_MAX):
            open_name = None
            continue
        values[name] = [] if value is None else [value]
        open_name = name if value is None else None
    return {name: " ".join(parts) if parts else "true" for name, parts in values.items()}


def as_number(text: str) -> float | None:
    """Return the finite number that a parameter's text is, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
