"""What all parts of a run configuration share: known attributes, and a form of plain values.

v1's configuration objects are mutable and read out at `submit`. An attribute that a part does not
have is an AttributeError that names both (each class has `__slots__`), so that a typo shows.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def camel_case(name: str) -> str:
    """Return `process_count_per_node` as `processCountPerNode`, as v1's files spell it."""
    first, *rest = name.strip("_").split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


class Section:
    """One part of a run configuration or an environment.

    The public slots are its fields, base classes first; `_order` names them where the order in
    files is another, `attribute:key` where the key is not the attribute in camel case.
    """

    __slots__ = ()

    #: Fields in the order of files; empty: the public slots.
    _order: tuple[str, ...] = ()
    #: What the values of a field are made of when a file is read: a section class.
    _kinds: tuple[tuple[str, type[Section]], ...] = ()

    @classmethod
    def _fields(cls) -> list[tuple[str, str]]:
        """Return (attribute, key in files) pairs."""
        names: list[str] = list(cls._order)
        if not names:
            for base in reversed(cls.__mro__):
                names += [slot for slot in vars(base).get("__slots__", ()) if slot[0] != "_"]
        pairs: list[tuple[str, str]] = []
        for name in names:
            attribute, _, key = name.partition(":")
            pairs.append((attribute, key or camel_case(attribute)))
        return pairs

    def to_plain(self) -> dict[str, Any]:
        """Return the section as dicts, lists and scalars under the keys of v1's files."""
        return {key: encode(getattr(self, attribute)) for attribute, key in self._fields()}

    def fill_from(self, data: dict[str, Any]) -> None:
        """Take the fields that `data` (what a file said) has; other keys are passed over."""
        for attribute, key in self._fields():
            if key in data:
                setattr(self, attribute, self._read(attribute, data[key]))

    def _read(self, attribute: str, value: Any) -> Any:
        present = getattr(self, attribute, None)
        kind = dict(self._kinds).get(attribute)
        if value is None and isinstance(present, Section):
            return present
        if isinstance(value, dict):
            if isinstance(present, Section):
                present.fill_from(as_dict(value))
                return present
            if isinstance(present, dict) and kind is not None:
                return {name: decode(kind, item) for name, item in as_dict(value).items()}
            if kind is not None:
                return decode(kind, value)
        if isinstance(value, list) and kind is not None:
            return [decode(kind, item) for item in as_list(value)]
        return value

    def __repr__(self) -> str:
        """Return the section as indented JSON."""
        import json

        return json.dumps(self.to_plain(), indent=4, default=str)


def encode(value: Any) -> Any:
    """Return sections inside `value` as dicts; what is neither collection nor scalar as text."""
    if isinstance(value, Section):
        return value.to_plain()
    if isinstance(value, dict):
        return {str(key): encode(item) for key, item in as_dict(value).items()}
    if isinstance(value, (list, tuple, set)):
        return [encode(item) for item in as_list(value)]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return str(value)


def decode(kind: type[Section], value: Any) -> Any:
    """Return a section of class `kind` with what `value` says, or `value` if that is no dict."""
    if not isinstance(value, dict):
        return value
    section = kind()
    section.fill_from(as_dict(value))
    return section


def as_dict(value: Any) -> dict[Any, Any]:
    """Return `value`, which is a dict, typed as one."""
    return value


def as_list(value: Any) -> list[Any]:
    """Return `value`, which is some collection, as a list."""
    return list(value)


def no_more(kwargs: dict[str, object], class_name: str) -> None:
    """Refuse keywords that v1's `**kwargs` had no meaning for either."""
    for name in kwargs:
        if not name.startswith("_"):
            raise TypeError(f"{class_name}() got an unexpected keyword argument {name!r}")
