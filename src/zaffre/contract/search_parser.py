"""Reads the text of a search: a recursive-descent parser that points at what it cannot read.

The grammar is in docs/search.md. Whatever the text is, the outcome is a query or SearchInvalid:
length, depth and the number of comparisons are limited, so the parser's own recursion is too.
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass

from zaffre.contract import search
from zaffre.contract.run import RunState
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
    Query,
    SearchInvalid,
    Value,
)

_UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_OPERATORS = ("<=", ">=", "!=", "<>", "==", "=", "<", ">")
_MARKS = "(),"
_SHOWN_CHARS = 60
_KEYWORDS = ("and", "or", "not", "in", "is", "null", "order", "by", "asc", "desc", "ago")
_WORDS = frozenset({*_KEYWORDS, *search.PATTERNS, "min", "max"})
_STATES = {state.value.lower(): state.value for state in RunState}


@dataclass(frozen=True)
class _Token:
    """A piece of the text. kind: word, number, text, operator, mark, end.

    value: a word as it stands, a text without its quotes. group: of a word with a key behind a
    dot (the key is `value`).
    """

    kind: str
    value: str
    position: int
    length: int
    group: str | None = None

    @property
    def word(self) -> str:
        """The keyword, in lower case; '' if it is none."""
        word = self.value.lower()
        return word if self.kind == "word" and self.group is None and word in _WORDS else ""


def parse(text: str, *, field: str = "where") -> Query:
    """Return the query of `[condition] [order by ...]`. Raises SearchInvalid, naming `field`."""
    parser = _Parser(text, field)
    where = None if parser.at_end or parser.sees("order") else parser.condition(0)
    orders: tuple[Order, ...] = ()
    if parser.take("order"):
        parser.expect("by")
        orders = parser.orders()
    parser.expect_end()
    return Query(where, orders)


def parse_orders(text: str, *, field: str = "order_by") -> tuple[Order, ...]:
    """Return the keys of `field [asc|desc], ...`. Raises SearchInvalid."""
    parser = _Parser(text, field)
    if parser.at_end:
        return ()
    if parser.take("order"):
        parser.expect("by")
    orders = parser.orders()
    parser.expect_end()
    return orders


def parse_field(text: str, *, field: str = "column") -> Field:
    """Return one field, such as a column of a table. Raises SearchInvalid."""
    parser = _Parser(text, field)
    found = parser.field()
    parser.expect_end()
    return found


class _Parser:
    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self._source = source
        if len(text) > search.TEXT_MAX_CHARS:
            problem = f"the search has {len(text):,} characters, at most {search.TEXT_MAX_CHARS:,}"
            raise SearchInvalid(source, text, search.TEXT_MAX_CHARS, 1, problem)
        self._tokens = _Tokens(text, source).all()
        self._next = 0
        self._comparisons = 0

    # -- the tokens

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self._token.kind == "end"

    def sees(self, word: str) -> bool:
        """Say whether the next token is this keyword, operator or mark."""
        token = self._token
        return token.word == word or (token.kind == "mark" and token.value == word)

    def take(self, word: str) -> bool:
        """Skip the next token if it is `word`; say whether it was."""
        if self.sees(word):
            self._next += 1
            return True
        return False

    def expect(self, word: str) -> None:
        """Skip `word`, or refuse what is there."""
        if not self.take(word):
            raise self._error(self._token, f"here should be {word!r}")

    def expect_end(self) -> None:
        """Refuse what is left."""
        if not self.at_end:
            token = self._token
            said = (
                "')' closes nothing"
                if token.value == ")" and token.kind == "mark"
                else (
                    "the search should end here, or go on with 'and' or 'or'"
                    if self._source == "where"
                    else "nothing should follow here"
                )
            )
            raise self._error(token, said)

    def _error(self, token: _Token, problem: str) -> SearchInvalid:
        """Return the refusal of a token."""
        return SearchInvalid(self._source, self._text, token.position, token.length, problem)

    def _error_of(self, token: _Token, problem: str) -> SearchInvalid:
        """Return the refusal of a token, in a sentence that begins with it."""
        shown = self._text[token.position : token.position + token.length]
        shown = shown if len(shown) <= _SHOWN_CHARS else shown[: _SHOWN_CHARS - 3] + "..."
        return self._error(token, f"{shown} {problem}" if shown else problem)

    def _step(self) -> _Token:
        token = self._token
        if token.kind != "end":
            self._next += 1
        return token

    # -- the grammar

    def condition(self, depth: int) -> Condition:
        """Read `term or term ...`."""
        parts = [self._term(depth)]
        while self.take("or"):
            parts.append(self._term(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _term(self, depth: int) -> Condition:
        parts = [self._factor(depth)]
        while self.take("and"):
            parts.append(self._factor(depth))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _factor(self, depth: int) -> Condition:
        token = self._token
        if depth > search.DEPTH_MAX:
            raise self._error(token, f"the search is nested deeper than {search.DEPTH_MAX}")
        if self.take("not"):
            return Not(self._factor(depth + 1))
        if self.take("("):
            inner = self.condition(depth + 1)
            if not self.take(")"):
                here = self._token
                raise self._error(here, f"here should be ')' for the '(' at {token.position + 1}")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        first = self._token
        self._comparisons += 1
        if self._comparisons > search.COMPARISONS_MAX:
            raise self._error(
                first, f"the search has more than {search.COMPARISONS_MAX} comparisons"
            )
        field = self.field()
        if self.take("is"):
            negated = self.take("not")
            self.expect("null")
            return Not(IsNull(field)) if negated else IsNull(field)
        negated = self.take("not")
        token = self._step()
        if token.word == "in":
            condition: Condition = OneOf(field, self._values(field))
        elif token.word in search.PATTERNS:
            self._check_operator(field, token)
            condition = Comparison(field, token.word, self._pattern())
        elif token.kind == "operator" and not negated:
            operator = {"<>": "!=", "==": "="}.get(token.value, token.value)
            self._check_operator(field, token)
            condition = Comparison(field, operator, self._value(field, operator))
        else:
            wanted = "'in', 'like', 'ilike' or 'contains'"
            if not negated:
                wanted = f"a comparison such as = != < <= > >= 'is null', {wanted}"
            raise self._error(token, f"here should be {wanted}")
        return AllOf((Not(IsNull(field)), Not(condition))) if negated else condition

    def field(self) -> Field:
        """Read a field."""
        token = self._step()
        if token.word in ("min", "max") and self.take("("):
            inner = self._step()
            if (inner.group or "").lower() != search.METRICS:
                raise self._error(
                    inner, f"{token.word}() is of a metric: {token.word}(metrics.loss)"
                )
            self.expect(")")
            return Field(inner.value, search.METRICS, token.word)
        if token.kind != "word" or token.word:
            raise self._error(token, "here should be a field such as status or metrics.loss")
        if token.group is None:
            name = token.value.lower()
            if name in search.FIELDS:
                return Field(name)
            if name in search.GROUPS:
                raise self._error_of(token, f"needs a key: {name}.NAME")
            raise self._error_of(token, _unknown(token.value, [*search.FIELDS, *search.GROUPS]))
        group = token.group.lower()
        if group in search.GROUPS:
            return Field(token.value, group)
        if group in search.FIELDS:
            raise self._error_of(token, "has no keys")
        raise self._error_of(token, _unknown(token.group, search.GROUPS))

    def orders(self) -> tuple[Order, ...]:
        """Read `field [asc|desc], ...`."""
        orders: list[Order] = []
        while True:
            token = self._token
            if len(orders) == search.ORDERS_MAX:
                raise self._error(token, f"the order has more than {search.ORDERS_MAX} keys")
            field = self.field()
            if any(order.field == field for order in orders):
                raise self._error_of(token, "is ordered by already")
            descending = self.take("desc")
            if not descending:
                self.take("asc")
            orders.append(Order(field, descending))
            if not self.take(","):
                return tuple(orders)

    def _check_operator(self, field: Field, token: _Token) -> None:
        kind = field.kind
        text = search.write_field(field)
        if token.word and kind not in (Kind.TEXT, Kind.EITHER, Kind.STATUS):
            raise self._error(token, f"{text} is no text, so it has no {token.word!r}")
        if token.value in search.ORDERING and kind is Kind.STATUS:
            raise self._error(token, "a status is equal or not, or one of several: in (...)")

    def _values(self, field: Field) -> tuple[Value, ...]:
        self.expect("(")
        values = [self._value(field, "in")]
        while self.take(","):
            if len(values) == search.VALUES_MAX:
                raise self._error(self._token, f"has more than {search.VALUES_MAX:,} values")
            values.append(self._value(field, "in"))
        self.expect(")")
        return tuple(values)

    def _pattern(self) -> str:
        token = self._step()
        if token.kind != "text":
            raise self._error(token, "here should be a text in quotes")
        return token.value

    def _value(self, field: Field, operator: str) -> Value:
        token = self._step()
        kind = field.kind
        if token.word == "null":
            name = search.write_field(field)
            raise self._error(token, f"null is asked for by: {name} is null")
        if token.kind not in ("text", "number"):
            raise self._error(token, f"here should be {_WANTED[kind]}")
        if kind in (Kind.NUMBER, Kind.DURATION):
            if token.kind != "number":
                raise self._error(token, f"here should be {_WANTED[kind]}")
            return self._number(token, with_unit=kind is Kind.DURATION)
        if kind is Kind.TIME:
            return self._time(token)
        if kind is Kind.EITHER and token.kind == "number":
            return self._number(token, with_unit=False)
        if token.kind != "text":
            raise self._error(token, f"here should be a text in quotes: '{token.value}'")
        if kind is Kind.STATUS:
            return self._status(token)
        return token.value

    def _number(self, token: _Token, *, with_unit: bool) -> float:
        match = _NUMBER.match(token.value)
        assert match is not None  # noqa: S101 - the token is a number
        number, unit = float(match.group()), token.value[match.end() :]
        if unit and not with_unit:
            raise self._error(token, "here should be a number without a unit")
        if unit and unit not in _UNITS:
            raise self._error(token, f"units are {', '.join(_UNITS)}: 90s, 1.5h")
        number *= _UNITS.get(unit, 1.0)
        if not math.isfinite(number):
            raise self._error_of(token, "is too large a number")
        return number

    def _time(self, token: _Token) -> Value:
        if token.kind == "number":
            if not self.take("ago"):
                raise self._error(token, f"here should be {_WANTED[Kind.TIME]}")
            return Ago(self._number(token, with_unit=True))
        try:
            search.time_of(token.value)
        except (ValueError, OverflowError):
            raise self._error_of(token, f"is no time; write {_WANTED[Kind.TIME]}") from None
        return token.value

    def _status(self, token: _Token) -> str:
        state = _STATES.get(token.value.lower())
        if state is None:
            raise self._error_of(token, _unknown(token.value, list(_STATES.values()), "status"))
        return state


_WANTED = {
    Kind.TEXT: "a text in quotes",
    Kind.EITHER: "a text in quotes or a number",
    Kind.STATUS: "a status in quotes, such as 'Completed'",
    Kind.NUMBER: "a number",
    Kind.TIME: "'2030-01-31', '2030-01-31T12:00:00+00:00' or 7d ago",
    Kind.DURATION: "seconds, or a number with a unit: 90s, 15m, 1.5h",
}


def _unknown(name: str, known: list[str] | tuple[str, ...], noun: str = "field") -> str:
    lower = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower()[:50], list(lower), n=1)
    if near:
        return f"is no {noun}; did you mean {lower[near[0]]}?"
    return f"is no {noun}; there are {', '.join(known)}"


class _Tokens:
    """Cuts a text into tokens."""

    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self._source = source

    def all(self) -> list[_Token]:
        """Return all tokens; the last one is the end."""
        text, at = self._text, 0
        tokens: list[_Token] = []
        while True:
            while at < len(text) and text[at].isspace():
                at += 1
            if at == len(text):
                return [*tokens, _Token("end", "", at, 1)]
            token = self._one(at)
            tokens.append(token)
            at += token.length

    def _one(self, at: int) -> _Token:
        text, first = self._text, self._text[at]
        if first in "'\"":
            value, end = self._quoted(at)
            return _Token("text", value, at, end - at)
        if first in _MARKS:
            return _Token("mark", first, at, 1)
        for operator in _OPERATORS:
            if text.startswith(operator, at):
                return _Token("operator", operator, at, len(operator))
        number = _NUMBER.match(text, at)
        if number is not None:
            end = number.end()
            while end < len(text) and (text[end].isalnum() or text[end] in "_."):
                end += 1
            value = text[at:end]
            rest = value[number.end() - at :]
            if rest and rest not in _UNITS:
                problem = f"{value[:_SHOWN_CHARS]} is no number; texts stand in quotes"
                raise SearchInvalid(self._source, text, at, end - at, problem)
            return _Token("number", value, at, end - at)
        if first.isalpha() or first == "_":
            return self._word(at)
        raise SearchInvalid(self._source, text, at, 1, f"{first!r} means nothing here")

    def _word(self, at: int) -> _Token:
        text, end = self._text, at
        while end < len(text) and (text[end].isalnum() or text[end] == "_"):
            end += 1
        word = text[at:end]
        if not text.startswith(".", end):
            return _Token("word", word, at, end - at)
        end += 1
        if text[end : end + 1] in ("'", '"', "`"):
            key, after = self._quoted(end)
        else:
            after = end
            while after < len(text) and search.is_key_character(text[after]):
                after += 1
            key = text[end:after]
        if not key:
            problem = f"here should be a key: {word}.NAME"
            raise SearchInvalid(self._source, text, end, 1, problem)
        return _Token("word", key, at, after - at, group=word)

    def _quoted(self, at: int) -> tuple[str, int]:
        """Return the text in quotes that begins at `at`, and where it ends; '' is a quote."""
        text, quote, start = self._text, self._text[at], at + 1
        parts: list[str] = []
        while True:
            end = text.find(quote, start)
            if end < 0:
                problem = f"the closing {quote} is missing"
                raise SearchInvalid(self._source, text, at, 1, problem)
            parts.append(text[start:end])
            if not text.startswith(quote, end + 1):
                value = "".join(parts)
                self._check_storable(value, at, end + 1)
                return value, end + 1
            parts.append(quote)
            start = end + 2

    def _check_storable(self, value: str, at: int, end: int) -> None:
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            problem = "the text has a character that no text of a run can have"
            raise SearchInvalid(self._source, self._text, at, end - at, problem)
