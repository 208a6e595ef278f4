"""Every keyword of SDK v1's core classes, called with a value that does and with one that does not.

The tables are in keyword_tables/. That they are complete is read off v1's own surface.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.sdk.keyword_tables import (
    authentication,
    configuration,
    datastore,
    estimator,
    exception,
    experiment,
    keyvault,
    model,
    record,
    run,
    workspace,
)
from tests.sdk.keyword_tables.table import ANY, SET, SURFACE, Bench, Keyword, Made, Table

TABLES: list[Table] = [
    *workspace.TABLES,
    *experiment.TABLES,
    *run.TABLES,
    *model.TABLES,
    *keyvault.TABLES,
    *authentication.TABLES,
    *configuration.TABLES,
    *estimator.TABLES,
    *exception.TABLES,
    *record.TABLES,
    *datastore.TABLES,
]


@pytest.fixture
def bench(
    home: Path, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    """A bench on the shared server; its workspace is made when it is first asked for."""
    folder = tmp_path / "bench"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Bench(request, folder)


def rows(*, wrong: bool) -> Iterator[Any]:
    for table in TABLES:
        for method, keywords in table.methods.items():
            for name, keyword in keywords.items():
                if not wrong or keyword.wrong is not ANY:
                    label = f"{table.of.__name__}.{method}-{name}"
                    yield pytest.param(table, method, name, keyword, id=label)


def call(table: Table, method: str, name: str, value: Any, bench: Bench) -> Any:
    """Call a method with one keyword, and with those that it must have beside it."""
    keywords = table.methods[method]
    function = target(table, method, bench)
    given = {name: value}
    for other, parameter in inspect.signature(function).parameters.items():
        is_needed = parameter.default is parameter.empty and other in keywords
        if other not in given and (is_needed or other in keywords[name].needs):
            given[other] = keywords[other].right
    made = {key: v.make(bench) if isinstance(v, Made) else v for key, v in given.items()}
    return function(**made)


def target(table: Table, method: str, bench: Bench) -> Any:
    if method == "__init__":
        return table.of
    is_static = not inspect.isfunction(inspect.getattr_static(table.of, method))
    return getattr(table.of if is_static else table.owner(bench), method)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("table", "method", "name", "keyword"), list(rows(wrong=False)))
def test_a_right_value_is_taken(
    table: Table, method: str, name: str, keyword: Keyword, bench: Bench
) -> None:
    call(table, method, name, keyword.right, bench)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("table", "method", "name", "keyword"), list(rows(wrong=True)))
def test_a_wrong_value_is_refused_by_the_exception_that_v1_has_for_it(
    table: Table, method: str, name: str, keyword: Keyword, bench: Bench
) -> None:
    with pytest.raises(keyword.raises) as refused:
        call(table, method, name, keyword.wrong, bench)
    assert refused.type is keyword.raises or issubclass(refused.type, keyword.raises)


def v1_methods(table: Table) -> dict[str, list[list[str]]]:
    """Return v1's parameters of each method, without *args and **kwargs."""
    data = SURFACE[table.v1]
    found = {name: row["p"] for name, row in data.get("members", {}).items() if "p" in row}
    if data.get("init") is not None:
        found["__init__"] = data["init"]
    return {
        name: [parameter for parameter in parameters if parameter[1] not in ("*", "**")]
        for name, parameters in found.items()
        if name not in table.later
    }


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.of.__name__)
def test_the_table_has_every_keyword_of_v1(table: Table) -> None:
    missing = [
        f"{method}.{parameter[0]}"
        for method, parameters in v1_methods(table).items()
        for parameter in parameters
        if parameter[0] not in table.methods.get(method, {})
        and f"{method}.{parameter[0]}" not in table.later
    ]
    assert missing == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.of.__name__)
def test_the_table_has_every_attribute_of_v1(table: Table) -> None:
    data = SURFACE[table.v1]
    members = data.get("members", {}).items()
    wanted = {name for name, row in members if row["k"].startswith("property")}
    wanted |= set(data.get("attrs") or ())
    assert wanted - set(table.attributes) - table.later == set()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.of.__name__)
def test_attributes_are_of_their_class_or_keep_what_is_assigned(table: Table, bench: Bench) -> None:
    for name, kind in table.attributes.items():
        owner = table.owner(bench)
        if kind is SET:
            value = [name]
            setattr(owner, name, value)
            assert getattr(owner, name) is value
        else:
            assert isinstance(getattr(owner, name), kind), name


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.of.__name__)
def test_positions_are_v1s(table: Table) -> None:
    for method, parameters in v1_methods(table).items():
        function = table.of if method == "__init__" else getattr(table.of, method)
        ours = [
            name
            for name, parameter in inspect.signature(function).parameters.items()
            if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and name != "self"
        ]
        theirs = [parameter[0] for parameter in parameters]
        assert ours[: len(theirs)] == theirs, method


@pytest.mark.parametrize("table", record.TABLES, ids=lambda table: table.of.__name__)
def test_a_record_keeps_what_it_is_given(table: Table) -> None:
    given = {name: keyword.right for name, keyword in table.methods["__init__"].items()}
    kept = table.of(**given)
    for name, value in given.items():
        if hasattr(kept, name):
            assert getattr(kept, name) == value
    with pytest.raises(TypeError):
        table.of(no_such_keyword=1)


def test_every_row_names_a_method_that_is_there() -> None:
    for table in TABLES:
        for method in table.methods:
            assert hasattr(table.of, method)
