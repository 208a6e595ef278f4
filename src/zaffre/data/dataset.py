"""The engine's door: what can be had of a dataset's definition.

`stores` gives the store of files of a datastore's name. Everything here reads only when it is
called, and no more than it must. pyarrow and pandas are imported by the calls that need them.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from zaffre.contract.dataset import DatasetKind, Definition, Step
from zaffre.data.errors import DataInvalid, PackagesMissing
from zaffre.data.partition import PartitionFormat
from zaffre.data.sources import SourceFile, Stores, locate

if TYPE_CHECKING:
    import pandas as pd


def files(definition: Definition, stores: Stores) -> list[SourceFile]:
    """Return the files of a dataset: of a file dataset after its steps, of rows all its sources.

    Raises SourceMissing if a source names none.
    """
    found = locate(definition, stores)
    if definition.kind is DatasetKind.FILE:
        for step in definition.steps:
            found = _file_step(found, step)
    return found


def prepare(definition: Definition, stores: Stores, *, validate: bool) -> Definition:
    """Return the definition as it is when the dataset is made: checked, with guessed types.

    validate: look for the files now, check that paths match the partition format and that there
    is a row. The types of delimited files are guessed from their first 200 rows and recorded,
    unless infer_column_types is False. Raises SourceMissing or DataInvalid.
    """
    if validate:
        _check_partitions(definition, locate(definition, stores))
    if definition.kind is DatasetKind.FILE:
        return definition
    first = definition.steps[0]
    if first.name == "read_delimited" and first.options["infer_column_types"]:
        _require_packages()
        from zaffre.data import read_delimited
        from zaffre.data.delimited_layout import delimited

        form = delimited(first.options)
        types = read_delimited.infer_types(locate(definition, stores), form, {})
        options = {**first.options, "inferred_types": types}
        definition = replace(definition, steps=(Step(first.name, options), *definition.steps[1:]))
    if validate:
        first_row = _run(definition, stores, most=1).table
        if first_row.num_rows == 0 or first_row.num_columns == 0:
            raise DataInvalid("The files hold no rows.")
    return definition


def _check_partitions(definition: Definition, found: list[SourceFile]) -> None:
    for step in definition.steps:
        if step.name == "extract_partitions":
            text = step.options["partition_format"]
            form = PartitionFormat(text)
            for file in found:
                if form.values(file.shown_path) is None:
                    reason = f"the path does not match the partition format {text!r}"
                    raise DataInvalid(reason, file=file.shown_path)


def to_arrow(definition: Definition, stores: Stores, *, on_error: str = "null") -> Any:
    """Return all rows as a pyarrow Table. on_error: as for `to_pandas`."""
    result = _run(definition, stores)
    if on_error != "null" and result.problems:
        raise result.problems[0]
    return result.table


def to_pandas(
    definition: Definition,
    stores: Stores,
    *,
    on_error: str = "null",
    out_of_range_datetime: str = "null",
) -> pd.DataFrame:
    """Return all rows as a frame with a RangeIndex and v1's dtypes.

    on_error: 'null' makes values null that are not of a type that the user set; any other word
    raises DataInvalid with file, row and column. Types that were guessed never lose a value:
    their column is widened instead. out_of_range_datetime: 'null' (NaT) or any other word
    (DataInvalid) for times that datetime64[ns] cannot hold.
    """
    result = _run(definition, stores)
    if on_error != "null" and result.problems:
        raise result.problems[0]
    from zaffre.data.frame import to_pandas as framed

    table, result.table = result.table, None
    is_null = out_of_range_datetime == "null"
    return framed(table, result.pandas, out_of_range_is_null=is_null)


def head(definition: Definition, stores: Stores, count: int = 5) -> pd.DataFrame:
    """Return the first rows as a frame; reads no more of the files than they need."""
    result = _run(definition, stores, most=count)
    from zaffre.data.frame import to_pandas as framed

    return framed(result.table, result.pandas, out_of_range_is_null=True)


def types(definition: Definition, stores: Stores) -> dict[str, Any]:
    """Return each column's type as its first 200 rows tell it, in the words of the contract.

    Beyond 'int', 'float', 'string', 'boolean' and {'datetime': {}}, a Parquet file's own types
    are told in Arrow's words.
    """
    result = _run(definition, stores, most=200)
    from zaffre.data.profile import type_word

    return {field.name: type_word(field.type) for field in result.table.schema}


def profile(definition: Definition, stores: Stores) -> dict[str, dict[str, Any]]:
    """Return figures of each column of all rows; `zaffre.data.profile` says which."""
    table = to_arrow(definition, stores)
    from zaffre.data.profile import column_profile

    return {name: column_profile(table.column(name)) for name in table.column_names}


def _run(definition: Definition, stores: Stores, *, most: int | None = None) -> Any:
    _require_packages()
    from zaffre.data import engine

    return engine.run(definition, stores, most=most)


def _require_packages() -> None:
    for package in ("pyarrow", "pandas"):
        try:
            import_module(package)
        except ImportError as problem:
            raise PackagesMissing(problem.name or package) from problem


def _file_step(found: list[SourceFile], step: Step) -> list[SourceFile]:
    options = step.options
    if step.name == "take":
        return found[: options["count"]]
    if step.name == "skip":
        return found[options["count"] :]
    if step.name == "take_sample":
        chance = _chance(options["seed"], "sample", len(found))
        return [f for f, c in zip(found, chance) if c < options["probability"]]
    if step.name == "random_split":
        chance = _chance(options["seed"], "split", len(found))
        share, is_first = options["percentage"], options["part"] == 0
        return [f for f, c in zip(found, chance) if (c < share) == is_first]
    if step.name == "filter":
        from zaffre.data.file_filter import kept

        return kept(found, options["expression"])
    if step.name == "extract_partitions":
        return found
    raise DataInvalid(f"the step {step.name!r} is none of a file dataset")


def _chance(seed: int, purpose: str, count: int) -> list[float]:
    from zaffre.data.chance import fractions

    return fractions(seed, purpose, count).tolist()
