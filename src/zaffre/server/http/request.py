"""The request as handlers see it: who asks, the store, and a strictly read JSON body.

A handler's `data: SomeRecord` is decoded here, not by the framework, which would take "5" for 5
and ignore unknown fields. Rules: content type application/json, no unknown or doubled field, no
wrong type, no NaN; the error names the field.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from typing import Any, get_args, get_origin, get_type_hints

import litestar
import msgspec
from litestar.datastructures import State

from zaffre.contract.errors import Invalid, ZaffreError
from zaffre.server.access import Caller
from zaffre.server.store.store import Store

#: Largest JSON body.
JSON_MAX_BYTES = 8 * 1024 * 1024
#: Up to here a body is searched for doubled keys as well; manifests are longer, and ours.
_DOUBLES_MAX_BYTES = 65_536


class WrongContentType(ZaffreError):
    """The body is not what this route takes."""

    code = "content_type"
    status = 415

    def __init__(self, wanted: str) -> None:
        super().__init__(f"Send this request's body with 'Content-Type: {wanted}'.")


class Request(litestar.Request[Caller, None, State]):
    """A request with its caller, the server's store and a strict `json`."""

    __slots__ = ()

    @property
    def caller(self) -> Caller:
        """Who sent it; the door has checked the token."""
        return self.scope["user"]

    @property
    def store(self) -> Store:
        """The server's store."""
        return self.scope["litestar_app"].state.store

    async def json(self) -> Any:
        """Return the body as the record that the handler's `data` names."""
        if self.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise WrongContentType("application/json")
        field = self.route_handler.parsed_data_field
        return parse_json(await self.body(), field.annotation if field is not None else Any)


def parse_json(body: bytes, record: Any) -> Any:
    """Return `body` as `record`. Raises Invalid naming the field."""
    try:
        strict = _decoder(record).decode(body)
        if b"\\u0000" in body.replace(b"\\\\", b""):
            raise Invalid("body", "must not hold NUL characters")
        if len(body) <= _DOUBLES_MAX_BYTES:
            json.loads(body, object_pairs_hook=_no_doubles, parse_constant=_no_constant)
    except msgspec.ValidationError as problem:
        text = str(problem)
        what, _, where = text.partition(" - at `$")
        raise Invalid(where.rstrip("`").lstrip(".") or "body", what) from problem
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ValueError) as problem:
        raise Invalid("body", "is not JSON") from problem
    if dataclasses.is_dataclass(record):
        return msgspec.convert(strict, record, from_attributes=True)
    return strict


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for name in names if names.count(name) > 1)
        raise Invalid(doubled, "is given twice")
    return fields


def _no_constant(name: str) -> None:
    raise Invalid("body", f"{name} is not JSON; send it as text")


@functools.cache
def _decoder(record: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(_strict(record))


_CONTAINERS: dict[Any, Any] = {list: list, tuple: tuple, dict: dict}


@functools.cache
def _strict(annotation: Any) -> Any:
    """Return `annotation` with each dataclass replaced by a Struct that refuses unknown fields."""
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        hints = get_type_hints(annotation)
        given: list[Any] = []
        for f in dataclasses.fields(annotation):
            kind = _strict(hints[f.name])
            if f.default is not dataclasses.MISSING:
                given.append((f.name, kind, f.default))
            elif f.default_factory is not dataclasses.MISSING:
                factory = f.default_factory
                given.append((f.name, kind, msgspec.field(default_factory=factory)))
            else:
                given.append((f.name, kind))
        return msgspec.defstruct(
            annotation.__name__, given, forbid_unknown_fields=True, kw_only=True, frozen=True
        )
    arguments = get_args(annotation)
    if not arguments:
        return annotation
    strict = tuple(_strict(one) for one in arguments)
    origin: Any = get_origin(annotation)
    if origin in _CONTAINERS:
        return _CONTAINERS[origin][strict]
    if dataclasses.is_dataclass(origin):
        return annotation
    whole = strict[0]
    for one in strict[1:]:
        whole = whole | one
    return whole


def given_fields(change: msgspec.Struct) -> dict[str, object]:
    """Return the fields of a change that the request gave."""
    values = {name: getattr(change, name) for name in change.__struct_fields__}
    return {name: value for name, value in values.items() if value is not msgspec.UNSET}
