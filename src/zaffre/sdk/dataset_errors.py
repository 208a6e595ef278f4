"""v1's errors of datasets, and refusals of the engine and the contract turned into them."""

from __future__ import annotations

import contextlib

from zaffre.sdk.exceptions import UserErrorException, from_refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class DatasetValidationError(UserErrorException):
    """A dataset's data could not be read when it was made."""

    def __init__(self, message: Any = "", exception: BaseException | None = None) -> None:
        super().__init__(message, inner_exception=exception)


class DatasetExecutionError(UserErrorException):
    """A dataset's data could not be read."""

    def __init__(self, message: Any = "", exception: BaseException | None = None) -> None:
        super().__init__(message, inner_exception=exception)


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Turn what goes wrong with data into DatasetExecutionError, other refusals into v1's."""
    from zaffre.contract.errors import ZaffreError
    from zaffre.data.errors import PackagesMissing

    try:
        yield
    except ImportError as problem:
        raise from_refusal(PackagesMissing(problem.name or str(problem))) from problem
    except ZaffreError as refusal:
        if refusal.code.startswith("data."):
            raise DatasetExecutionError(refusal.message, refusal) from refusal
        raise from_refusal(refusal) from refusal


@contextlib.contextmanager
def validating(*, validate: bool) -> Iterator[None]:
    """Turn what goes wrong with data while a dataset is made into DatasetValidationError."""
    from zaffre.contract.errors import ZaffreError

    try:
        yield
    except ZaffreError as refusal:
        if refusal.code == "data.packages_missing" or not refusal.code.startswith("data."):
            raise from_refusal(refusal) from refusal
        advice = (
            "Failed to validate the data. If data is inaccessible, please set validate to False "
            "(and infer_column_types to False for delimited files)."
            if validate
            else "Failed to infer column type. If data is inaccessible, turn off inference by "
            "infer_column_types=False."
        )
        raise DatasetValidationError(f"{advice} {refusal.message}", refusal) from refusal


@contextlib.contextmanager
def checking(error: type[Exception] = UserErrorException) -> Iterator[None]:
    """Turn the contract's Invalid into `error`, with the same sentence."""
    from zaffre.contract.errors import Invalid

    try:
        yield
    except Invalid as problem:
        raise error(problem.message) from problem
