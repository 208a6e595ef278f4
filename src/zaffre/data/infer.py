"""Types of delimited columns, guessed from their first cells as SDK v1's engine did.

Two rules differ. A column of 0 and 1 holds integers (v1 of 2023 said boolean, all versions before
and all notebooks expect numbers), so letters alone make a boolean. And a number that the type
could not hold exactly (integers above 2**63 or, beside fractions, above 2**53) makes a text.
"""

from __future__ import annotations

import re
from typing import Any, Sequence

from zaffre.data.datetimes import known_formats

#: How many rows are looked at.
ROWS = 200

TRUE_WORDS = ("T", "Y")
FALSE_WORDS = ("F", "N")
_BOOLEAN = re.compile(r"(?:(?i:true|false)|[TFYN])\Z")
INTEGER = r"[+-]?[0-9]+"
NUMBER = r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:inf|infinity|nan))"
_INTEGER = re.compile(INTEGER + r"\Z")
_NUMBER = re.compile(NUMBER + r"\Z")
#: From here on a float no longer holds every integer.
EXACT_BELOW = 2**53


def infer_type(cells: Sequence[str | None]) -> Any:
    """Return the type of a column whose first cells are these; null and '' say nothing."""
    texts = [cell for cell in cells if cell]
    if not texts:
        return "string"
    if all(_BOOLEAN.match(text) for text in texts):
        return "boolean"
    bare = [text.strip(" \t") for text in texts]
    if all(_NUMBER.match(text) for text in bare):
        return _number_type(bare)
    formats = known_formats(texts)
    return "string" if formats is None else {"datetime": {"formats": formats}}


def _number_type(texts: Sequence[str]) -> str:
    integers = [int(text) for text in texts if _INTEGER.match(text)]
    if len(integers) == len(texts) and all(-(2**63) <= value < 2**63 for value in integers):
        return "int"
    return "float" if all(is_exact(value) for value in integers) else "string"


def is_exact(value: int) -> bool:
    """Say whether a float holds this integer."""
    try:
        return int(float(value)) == value
    except OverflowError:
        return False
