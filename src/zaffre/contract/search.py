"""What a search for runs says: fields, conditions, orders. docs/search.md has the grammar.

    status = 'Completed' and metrics.loss < 0.1 and params.lr in (0.1, 0.01) order by metrics.loss

`search_parser` reads such a text, `write` writes it, and the store turns it into SQL: no part of
a text ever becomes a part of a statement.

A comparison with something that a run does not have is false, whatever the operator; `not` turns
exactly that around. So `tags.a != 'x'` is for runs that have the tag, `not tags.a = 'x'` for all
others too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timezone
from enum import Enum
from typing import Union

from zaffre.contract import wire
from zaffre.contract.errors import Invalid, ZaffreError

#: Longest text, deepest nesting, most comparisons, values of one `in` and keys of an order.
TEXT_MAX_CHARS = 10_000
DEPTH_MAX = 50
COMPARISONS_MAX = 100
VALUES_MAX = 1_000
ORDERS_MAX = 5

#: What stands before the dot of a field with a key.
TAGS, PROPERTIES, PARAMS, METRICS = "tags", "properties", "params", "metrics"
GROUPS = (TAGS, PROPERTIES, PARAMS, METRICS)

EQUAL, UNEQUAL = "=", "!="
ORDERING = ("<", "<=", ">", ">=")
PATTERNS = ("contains", "like", "ilike")


class Kind(Enum):
    """What values a field has, and so what it can be compared with.

    EITHER: of parameters, which are texts, and numbers too if they read as such.
    """

    TEXT = "text"
    EITHER = "text or number"
    STATUS = "status"
    NUMBER = "number"
    TIME = "time"
    DURATION = "duration"


#: The fields without a key.
FIELDS = {
    "id": Kind.TEXT,
    "name": Kind.TEXT,
    "description": Kind.TEXT,
    "experiment": Kind.TEXT,
    "number": Kind.NUMBER,
    "status": Kind.STATUS,
    "type": Kind.TEXT,
    "target": Kind.TEXT,
    "submitter": Kind.TEXT,
    "parent": Kind.TEXT,
    "created": Kind.TIME,
    "started": Kind.TIME,
    "ended": Kind.TIME,
    "duration": Kind.DURATION,
}

_GROUP_KINDS = {
    TAGS: Kind.TEXT,
    PROPERTIES: Kind.TEXT,
    PARAMS: Kind.EITHER,
    METRICS: Kind.NUMBER,
}


@dataclass(frozen=True)
class Field:
    """What of a run is looked at.

    group: one of GROUPS, None for a field of FIELDS. key: the tag's, metric's ... name.
    of: which of a metric's values: `last`, `min` or `max`.
    """

    key: str
    group: str | None = None
    of: str = "last"

    @property
    def kind(self) -> Kind:
        """What values it has."""
        return FIELDS[self.key] if self.group is None else _GROUP_KINDS[self.group]


@dataclass(frozen=True)
class Ago:
    """A time: so many seconds before the search."""

    seconds: float


#: A time is an ISO text, or an Ago; a duration is seconds; a status is v1's name of the state.
Value = Union[str, float, Ago]


@dataclass(frozen=True)
class Comparison:
    """`field operator value`. operator: =, !=, one of ORDERING or of PATTERNS."""

    field: Field
    operator: str
    value: Value


@dataclass(frozen=True)
class OneOf:
    """`field in (value, ...)`."""

    field: Field
    values: tuple[Value, ...]


@dataclass(frozen=True)
class IsNull:
    """`field is null`: the run has no such thing, or a metric's value is no finite number."""

    field: Field


@dataclass(frozen=True)
class Not:
    """`not condition`."""

    condition: Condition


@dataclass(frozen=True)
class AllOf:
    """`condition and condition ...`."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    """`condition or condition ...`."""

    conditions: tuple[Condition, ...]


Condition = Union[Comparison, OneOf, IsNull, Not, AllOf, AnyOf]


@dataclass(frozen=True)
class Order:
    """One key of an order. Runs that lack it come last, in both directions."""

    field: Field
    descending: bool = False


@dataclass(frozen=True)
class Query:
    """Which runs, in which order. where: None for all. orders: empty for newest first."""

    where: Condition | None = None
    orders: tuple[Order, ...] = ()


class SearchInvalid(Invalid):
    """A search that cannot be read; shows the place.

    field: which text it is, such as `where`. facts: position and length, in characters.
    """

    code = "search.invalid"

    def __init__(self, field: str, text: str, position: int, length: int, problem: str) -> None:
        super().__init__(field, f"{problem}\n{_pointed_at(text, position, length)}")
        self.facts = {"position": position, "length": length}


class SearchTooSlow(ZaffreError):
    """A search that took longer than the server lets one take."""

    code = "search.too_slow"
    status = 400

    def __init__(self, limit_s: float) -> None:
        super().__init__(
            f"The search took longer than {limit_s:g} s and was ended. Narrow it: name an "
            "experiment, a time (created > 7d ago), or fewer conditions.",
            field="where",
            facts={"limit_s": limit_s},
        )


_SHOWN_BEFORE, _SHOWN_AFTER = 50, 40


def _pointed_at(text: str, position: int, length: int) -> str:
    """Return the part of `text` around a place, and below it carets under the place."""
    start = max(0, position - _SHOWN_BEFORE)
    end = min(len(text), position + max(length, 1) + _SHOWN_AFTER)
    head = "..." if start else ""
    tail = "..." if end < len(text) else ""
    shown = "".join(c if c.isprintable() else " " for c in text[start:end])
    carets = "^" * max(1, min(length, end - position))
    return f"  {head}{shown}{tail}\n  {' ' * (len(head) + position - start)}{carets}"


def time_of(text: str) -> float:
    """Return an ISO 8601 time as Unix seconds; without a zone it is UTC. Raises ValueError."""
    moment = wire.decode_time(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.timestamp()


def write(query: Query) -> str:
    """Return the text of a query; `search_parser.parse` reads it back as the same query."""
    parts = [] if query.where is None else [write_condition(query.where)]
    if query.orders:
        parts.append("order by " + write_orders(query.orders))
    return " ".join(parts)


def write_condition(condition: Condition) -> str:
    """Return the text of a condition."""
    if isinstance(condition, Comparison):
        field, value = write_field(condition.field), _value(condition.value)
        return f"{field} {condition.operator} {value}"
    if isinstance(condition, OneOf):
        values = ", ".join(_value(value) for value in condition.values)
        return f"{write_field(condition.field)} in ({values})"
    if isinstance(condition, IsNull):
        return f"{write_field(condition.field)} is null"
    if isinstance(condition, Not):
        return f"not {_part(condition.condition)}"
    word = " and " if isinstance(condition, AllOf) else " or "
    return word.join(_part(one) for one in condition.conditions)


def write_orders(orders: tuple[Order, ...]) -> str:
    """Return the text of an order, without `order by`."""
    return ", ".join(f"{write_field(o.field)} {'desc' if o.descending else 'asc'}" for o in orders)


def write_field(field: Field) -> str:
    """Return the text of a field, its key in double quotes where it has to be."""
    if field.group is None:
        return field.key
    plain = field.key and all(is_key_character(c) for c in field.key)
    key = field.key if plain else '"' + field.key.replace('"', '""') + '"'
    text = f"{field.group}.{key}"
    return text if field.of == "last" else f"{field.of}({text})"


def is_key_character(character: str) -> bool:
    """Say whether a key may hold `character` without quotes."""
    return character.isalnum() or character in "_.-/:@"


def _part(condition: Condition) -> str:
    text = write_condition(condition)
    return f"({text})" if isinstance(condition, (AllOf, AnyOf)) else text


def _value(value: Value) -> str:
    if isinstance(value, Ago):
        return f"{_number(value.seconds)}s ago"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return _number(value)


def _number(value: float) -> str:
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
