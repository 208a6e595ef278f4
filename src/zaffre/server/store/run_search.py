"""Searches for runs as SQL: conditions, orders and the place in an order where a page begins.

A statement is built from the shape of a search, the search without its values, and kept: values
are always parameters. Both databases answer alike: texts are ordered by code point, `like` heeds
the case of letters, what a run lacks compares false and sorts last.

An order has physical keys, each an expression that may be NULL; `run_key` decides among equals.
A page is read in two parts, the runs that have the first key and then those that lack it, so that
the index of a metric's numbers serves the first.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from zaffre.contract import search
from zaffre.contract.search import (
    Ago,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Field,
    IsNull,
    Kind,
    Not,
    OneOf,
    Order,
    Value,
)
from zaffre.server.store.tables import (
    experiments,
    metrics,
    run_parameters,
    run_properties,
    run_tags,
    runs,
)

_COLUMNS: dict[str, sa.ColumnElement[Any]] = {
    "id": runs.c.run_id,
    "name": runs.c.display_name,
    "description": runs.c.description,
    "experiment": runs.c.experiment_name,
    "number": runs.c.number,
    "status": runs.c.state,
    "type": runs.c.type,
    "target": runs.c.target,
    "submitter": runs.c.submitted_by,
    "parent": runs.c.parent_run_id,
    "created": runs.c.created_at,
    "started": runs.c.started_at,
    "ended": runs.c.ended_at,
    "duration": runs.c.ended_at - runs.c.started_at,
}
_ALWAYS = frozenset({"id", "experiment", "number", "status", "created"})
_TABLES = {
    search.TAGS: run_tags,
    search.PROPERTIES: run_properties,
    search.PARAMS: run_parameters,
    search.METRICS: metrics,
}
_NUMBERS = {"last": "last_number", "min": "min_number", "max": "max_number"}
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

#: What stands for a value in a shape.
_NUMBER, _TEXT = 0.0, ""


def shape_of(
    condition: Condition, values: list[object], *, now: float, is_sqlite: bool
) -> Condition:
    """Return a condition without its values, which are added to `values` in order.

    now: Unix seconds that `ago` is counted from.
    """
    if isinstance(condition, Not):
        inner = shape_of(condition.condition, values, now=now, is_sqlite=is_sqlite)
        return Not(inner)
    if isinstance(condition, AllOf | AnyOf):
        parts = tuple(
            shape_of(one, values, now=now, is_sqlite=is_sqlite) for one in condition.conditions
        )
        return replace(condition, conditions=parts)
    if isinstance(condition, IsNull):
        return condition
    kind = condition.field.kind
    if isinstance(condition, Comparison):
        value = _stored(kind, condition.value, now)
        if condition.operator == "like" and is_sqlite:
            value = _as_glob(str(value))
        values.append(value)
        return replace(condition, value=_marker(value))
    stored = [_stored(kind, value, now) for value in condition.values]
    texts = [value for value in stored if isinstance(value, str)]
    numbers = [value for value in stored if not isinstance(value, str)]
    alternatives: list[Condition] = []
    for some in (texts, numbers):
        if some:
            values += some
            markers = tuple(_marker(value) for value in some)
            alternatives.append(replace(condition, values=markers))
    return alternatives[0] if len(alternatives) == 1 else AnyOf(tuple(alternatives))


def _stored(kind: Kind, value: Value, now: float) -> str | float:
    """Return a value as the database holds it."""
    if isinstance(value, Ago):
        return now - value.seconds
    if kind is Kind.TIME:
        return search.time_of(str(value))
    return value


def _marker(value: str | float) -> str | float:
    return _TEXT if isinstance(value, str) else _NUMBER


_GLOB = str.maketrans({"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"})


def _as_glob(pattern: str) -> str:
    """Return a pattern of LIKE as one of SQLite's GLOB, which heeds the case of letters."""
    return pattern.translate(_GLOB)


@dataclass(frozen=True)
class Key:
    """A physical key of an order. is_text: what its values are; nullable: a run may lack it."""

    field: Field
    column: str | None
    descending: bool
    is_text: bool
    nullable: bool


def keys_of(orders: Sequence[Order]) -> tuple[Key, ...]:
    """Return the physical keys of an order. A parameter has two: its number, then its text."""
    keys: list[Key] = []
    for order in orders:
        wanted, down = order.field, order.descending
        is_text = wanted.kind in (Kind.TEXT, Kind.STATUS)
        if wanted.group is None:
            keys.append(Key(wanted, None, down, is_text, wanted.key not in _ALWAYS))
        elif wanted.group == search.METRICS:
            keys.append(Key(wanted, _NUMBERS[wanted.of], down, is_text=False, nullable=True))
        else:
            if wanted.group == search.PARAMS:
                keys.append(Key(wanted, "number", down, is_text=False, nullable=True))
            keys.append(Key(wanted, "value", down, is_text=True, nullable=True))
    return tuple(keys)


@dataclass
class Builder:
    """Builds one statement. scope: 'experiment' or 'workspace' if the list is of one alone.

    Parameters of the statement: `v0`, `v1` ... the values of the condition, `experiment_id` or
    `workspace_id` of the scope, `a0` ... and `a_key` of the place that a page begins behind.
    """

    is_sqlite: bool
    scope: str | None
    keys: tuple[Key, ...] = ()
    driver: sa.FromClause | None = None
    driving: list[sa.ColumnElement[bool]] = field(default_factory=list[sa.ColumnElement[bool]])
    _joined: dict[Field, sa.FromClause] = field(default_factory=dict[Field, sa.FromClause])
    _count: Iterator[int] = field(default_factory=lambda: iter(range(100_000)))

    def condition(self, shape: Condition) -> sa.ColumnElement[bool]:
        """Return the SQL of a shape, true or false and never NULL."""
        if isinstance(shape, Not):
            return sa.not_(self.condition(shape.condition))
        if isinstance(shape, AllOf):
            return sa.and_(*(self.condition(one) for one in shape.conditions))
        if isinstance(shape, AnyOf):
            return sa.or_(*(self.condition(one) for one in shape.conditions))
        wanted = shape.field
        if wanted.group is None:
            column = _COLUMNS[wanted.key]
            if isinstance(shape, IsNull):
                return column.is_(None)
            compared = self._compare(column, shape)
            if wanted.key in _ALWAYS:
                return compared
            return sa.and_(column.is_not(None), compared)
        table = _TABLES[wanted.group]
        of_run = [table.c.run_key == runs.c.run_key, _name(table) == wanted.key]
        if isinstance(shape, IsNull):
            if wanted.group == search.METRICS:
                of_run.append(table.c[_NUMBERS[wanted.of]].is_not(None))
            return sa.not_(sa.exists().where(*of_run))
        value = shape.value if isinstance(shape, Comparison) else shape.values[0]
        if wanted.group == search.METRICS:
            column = table.c[_NUMBERS[wanted.of]]
        else:
            column = table.c["value" if isinstance(value, str) else "number"]
        if wanted.group == search.METRICS and wanted in self._joined:
            joined = self._joined[wanted].c[column.name]
            return sa.and_(joined.is_not(None), self._compare(joined, shape))
        if wanted.group == search.TAGS:
            column = sa.func.coalesce(column, "")
        return sa.exists().where(*of_run, self._compare(column, shape))

    def _compare(
        self, column: sa.ColumnElement[Any], shape: Comparison | OneOf
    ) -> sa.ColumnElement[bool]:
        if isinstance(shape, OneOf):
            return column.in_([self._value(marker) for marker in shape.values])
        value = self._value(shape.value)
        word = shape.operator
        if word == "contains":
            place = sa.func.instr if self.is_sqlite else sa.func.strpos
            return place(column, value) > 0
        if word == "like":
            return (
                column.op("GLOB", is_comparison=True)(value)
                if self.is_sqlite
                else column.like(value, escape="")
            )
        if word == "ilike":
            return (
                column.op("LIKE", is_comparison=True)(value)
                if self.is_sqlite
                else column.ilike(value, escape="")
            )
        if word in search.ORDERING and isinstance(shape.value, str):
            column = self._by_code_point(column)
        return _COMPARE[word](column, value)

    def _value(self, marker: object) -> sa.BindParameter[Any]:
        return sa.bindparam(f"v{next(self._count)}", type_=_type(marker))

    def _by_code_point(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return column if self.is_sqlite else sa.collate(column, "C")

    def join(self, *, has_first: bool) -> sa.FromClause:
        """Return `runs` joined with what the keys need.

        has_first: the runs that lack the first key are left out. If it is a metric, that metric's
        table drives the statement (`driver`, `driving`).
        """
        source: sa.FromClause = runs
        for number, key in enumerate(self.keys):
            if key.column is None or key.field in self._joined:
                continue
            table = _TABLES[str(key.field.group)].alias(f"o{number}")
            self._joined[key.field] = table
            of_run, named = table.c.run_key == runs.c.run_key, _name(table) == key.field.key
            if number > 0 or not has_first:
                source = source.outerjoin(table, sa.and_(of_run, named))
            elif key.field.group == search.METRICS:
                self.driver = table
                self.driving = [named, self._in_scope(table)]
                source = source.join(table, of_run)
            else:
                source = source.join(table, sa.and_(of_run, named))
        return source

    def _in_scope(self, table: sa.FromClause) -> sa.ColumnElement[bool]:
        """Return what lets the index of numbers, which begins with the experiment, serve."""
        if self.scope == "experiment":
            return table.c.experiment_id == sa.bindparam("experiment_id")
        own = sa.select(experiments.c.experiment_id)
        if self.scope == "workspace":
            own = own.where(experiments.c.workspace_id == sa.bindparam("workspace_id"))
        return table.c.experiment_id.in_(own)

    def expressions(self) -> list[sa.ColumnElement[Any]]:
        """Return the SQL of the keys, after `join`."""
        found: list[sa.ColumnElement[Any]] = []
        for key in self.keys:
            if key.column is None:
                found.append(_COLUMNS[key.field.key])
            else:
                found.append(self._joined[key.field].c[key.column])
        return found

    def sorting(
        self,
        expressions: Sequence[sa.ColumnElement[Any]],
        run_key: sa.ColumnElement[Any],
        *,
        has_first: bool | None = None,
    ) -> list[sa.ColumnElement[Any]]:
        """Return the ORDER BY. has_first: all runs have the first key, or all lack it."""
        order: list[sa.ColumnElement[Any]] = []
        for number, (key, expression) in enumerate(zip(self.keys, expressions, strict=True)):
            first_is_known = number == 0 and has_first is not None
            if first_is_known and not has_first:
                continue
            if key.nullable and not first_is_known:
                order.append(expression.is_(None))
            by = self._by_code_point(expression) if key.is_text else expression
            order.append(by.desc() if key.descending else by)
        order.append(run_key.desc() if self._newest_first else run_key)
        return order

    @property
    def _newest_first(self) -> bool:
        return not self.keys or self.keys[-1].descending

    def behind(
        self,
        expressions: Sequence[sa.ColumnElement[Any]],
        run_key: sa.ColumnElement[Any],
        nulls: Sequence[bool],
    ) -> sa.ColumnElement[bool]:
        """Return the condition for what stands behind a run in the order.

        nulls: which of that run's keys are NULL; the others are the parameters `a0`, `a1` ...
        """
        alike: list[sa.ColumnElement[bool]] = []
        ways: list[sa.ColumnElement[bool]] = []
        narrowed: list[sa.ColumnElement[bool]] = []
        for number, (key, expression) in enumerate(zip(self.keys, expressions, strict=True)):
            if nulls[number]:
                alike.append(expression.is_(None))
                continue
            kind: Any = sa.Text() if key.is_text else sa.Double()
            value: Any = sa.bindparam(f"a{number}", type_=kind)
            by = self._by_code_point(expression) if key.is_text else expression
            beyond = by < value if key.descending else by > value
            if key.nullable and number > 0:
                ways.append(sa.and_(*alike, sa.or_(beyond, expression.is_(None))))
            else:
                ways.append(sa.and_(*alike, beyond))
            if number == 0:
                # Says nothing new, but lets an index begin there.
                narrowed.append(by <= value if key.descending else by >= value)
            alike.append(expression == value)
        place = sa.bindparam("a_key", type_=sa.BigInteger())
        ways.append(sa.and_(*alike, run_key < place if self._newest_first else run_key > place))
        return sa.and_(*narrowed, sa.or_(*ways))


def _type(marker: object) -> Any:
    return sa.Text() if isinstance(marker, str) else sa.Double()


def column_of(wanted: Field) -> sa.ColumnElement[Any]:
    """Return the SQL of one field of a run, for a column of a table."""
    if wanted.group is None:
        return _COLUMNS[wanted.key]
    table = _TABLES[wanted.group]
    value = _NUMBERS[wanted.of] if wanted.group == search.METRICS else "value"
    return (
        sa.select(table.c[value])
        .where(table.c.run_key == runs.c.run_key, _name(table) == wanted.key)
        .scalar_subquery()
    )


def _name(table: sa.FromClause) -> sa.ColumnElement[Any]:
    return table.c.name if "kind" in table.c else table.c.key
