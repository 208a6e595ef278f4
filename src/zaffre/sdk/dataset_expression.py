"""`dataset['age'] > 3`: what `filter` takes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class DatasetExpression:
    """A value that is worked out for each row; combine conditions by `&`, `|` and `~`."""

    __hash__ = None  # pyright: ignore[reportAssignmentType] - == makes an expression

    def __init__(self, tree: dict[str, Any]) -> None:
        self.tree = tree

    def __eq__(self, other: object) -> DatasetExpression:  # pyright: ignore
        return self._call("==", other)

    def __ne__(self, other: object) -> DatasetExpression:  # pyright: ignore
        return self._call("!=", other)

    def __lt__(self, other: object) -> DatasetExpression:
        return self._call("<", other)

    def __le__(self, other: object) -> DatasetExpression:
        return self._call("<=", other)

    def __gt__(self, other: object) -> DatasetExpression:
        return self._call(">", other)

    def __ge__(self, other: object) -> DatasetExpression:
        return self._call(">=", other)

    def __and__(self, other: object) -> DatasetExpression:
        return self._call("and", other)

    def __or__(self, other: object) -> DatasetExpression:
        return self._call("or", other)

    def __invert__(self) -> DatasetExpression:
        return self._call("not")

    def __bool__(self) -> bool:
        raise TypeError("An expression has no truth of its own: use & | ~ instead of and or not.")

    def contains(self, value: str) -> DatasetExpression:
        """Whether the text holds another one."""
        return self._call("contains", value)

    def starts_with(self, value: str) -> DatasetExpression:
        """Whether the text begins with another one."""
        return self._call("starts_with", value)

    def ends_with(self, value: str) -> DatasetExpression:
        """Whether the text ends with another one."""
        return self._call("ends_with", value)

    def length(self) -> DatasetExpression:
        """How many characters the text has."""
        return self._call("length")

    def substring(self, start: int, length: int | None = None) -> DatasetExpression:
        """The text from `start` on, at most `length` characters."""
        return self._call("substring", start, length)

    def index_of(self, value: str) -> DatasetExpression:
        """Where another text begins in it, -1 if nowhere."""
        return self._call("index_of", value)

    def to_lower(self) -> DatasetExpression:
        """The text in lower case."""
        return self._call("to_lower")

    def to_upper(self) -> DatasetExpression:
        """The text in upper case."""
        return self._call("to_upper")

    def is_null(self) -> DatasetExpression:
        """Whether there is no value."""
        return self._call("is_null")

    def is_error(self) -> DatasetExpression:
        """Whether there was a value that its column's type could not hold."""
        return self._call("is_error")

    def _call(self, name: str, *others: object) -> DatasetExpression:
        from zaffre.contract import dataset as contract
        from zaffre.sdk.dataset_errors import checking

        with checking():
            trees = [
                other.tree if isinstance(other, DatasetExpression) else contract.literal(other)
                for other in others
            ]
            return DatasetExpression(contract.call(name, self.tree, *trees))

    def __repr__(self) -> str:
        import json

        return f"DatasetExpression({json.dumps(self.tree)})"


def column(name: object) -> DatasetExpression:
    """Return the expression of a column's value."""
    from zaffre.contract import dataset as contract

    if not isinstance(name, str):
        raise TypeError(f"A column is named by text, as in dataset['age'], not by {name!r}.")
    return DatasetExpression(contract.column(name))


def tree_of(expression: object) -> dict[str, Any]:
    """Return the tree of what was given to `filter`."""
    if not isinstance(expression, DatasetExpression):
        raise TypeError(
            f"filter takes an expression such as dataset['age'] > 3, not {expression!r}."
        )
    return expression.tree
