from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from zaffre.sdk import run_metrics
from zaffre.sdk.exceptions import AzureMLException, ServiceException, UserErrorException
from zaffre.sdk.experiment import Experiment
from zaffre.sdk.run import Run
from zaffre.sdk.workspace import Workspace


@pytest.fixture
def logged(experiment: Experiment) -> list[Run]:
    """Three runs whose metric `loss` ends at 3, 1 and 2; the first has a child with none."""
    runs: list[Run] = []
    for loss in (3.0, 1.0, 2.0):
        run = experiment.start_logging(snapshot_directory=None)
        run.log("loss", loss + 1)
        run.log("loss", loss)
        run.tag("loss is", str(loss))
        run.complete()
        runs.append(run)
    runs.append(runs[0].child_run("child"))
    return runs


def test_runs_are_searched_in_an_experiment_and_in_a_workspace(
    ws: Workspace, experiment: Experiment, logged: list[Run]
) -> None:
    a, b, c, child = (run.id for run in logged)
    best = experiment.search_runs("metrics.loss < 3", order_by="metrics.loss")
    assert [run.id for run in best] == [b, c]
    assert [run.id for run in experiment.search_runs()] == [child, c, b, a]
    first = experiment.search_runs(order_by=["metrics.loss desc", "id"], limit=2)
    assert [run.id for run in first] == [a, c]
    elsewhere = Experiment(ws, "other").start_logging(snapshot_directory=None)
    elsewhere.log("loss", 2.5)
    elsewhere.flush()
    found = list(ws.search_runs("metrics.loss >= 2.5", order_by="metrics.loss"))
    assert [(run.id, run.experiment.name) for run in found] == [
        (elsewhere.id, "other"),
        (a, "test-experiment"),
    ]


def test_runs_come_page_by_page(
    experiment: Experiment, logged: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zaffre.sdk.run_search._PAGE", 2)
    found = experiment.search_runs("parent is null", order_by="metrics.loss")
    assert [run.id for run in found] == [logged[1].id, logged[2].id, logged[0].id]


def test_what_cannot_be_read_is_refused_before_a_run_is_asked_for(experiment: Experiment) -> None:
    with pytest.raises(
        UserErrorException, match=r"did you mean metrics\?\n  metric.loss < 1\n  \^"
    ):
        experiment.search_runs("metric.loss < 1")
    with pytest.raises(UserErrorException, match="order_by: loss is no field"):
        experiment.search_runs(order_by="loss")
    with pytest.raises(UserErrorException, match="where: must be text"):
        experiment.search_runs(5)  # type: ignore[arg-type]
    with pytest.raises(UserErrorException, match="limit"):
        experiment.search_runs(limit=0)
    with pytest.raises(UserErrorException, match="order_by"):
        list(experiment.search_runs("order by id", order_by="name"))


def test_a_table_is_a_list_of_dicts(experiment: Experiment, logged: list[Run]) -> None:
    before = datetime.now(UTC)
    columns = ["id", "metrics.loss", "max(metrics.loss)", 'tags."loss is"', "created", "ended"]
    rows = experiment.runs_table(
        columns, where="parent is null or ended is null", order_by="number"
    )
    assert [list(row) for row in rows] == [columns] * 4
    assert [row["metrics.loss"] for row in rows] == [3.0, 1.0, 2.0, None]
    assert [row["max(metrics.loss)"] for row in rows] == [4.0, 2.0, 3.0, None]
    assert rows[1]['tags."loss is"'] == "1.0"
    assert rows[0]["id"] == logged[0].id
    assert rows[0]["created"] < rows[0]["ended"] < before
    assert rows[3]["ended"] is None
    assert experiment.runs_table(["id"], where="id = 'nobody'") == []


def test_a_table_is_a_pandas_frame(
    ws: Workspace, logged: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    pandas = pytest.importorskip("pandas")
    frame = ws.runs_table(
        ["id", "metrics.loss", "created"],
        where="metrics.loss is not null",
        order_by="metrics.loss",
        limit=2,
        output_format="pandas",
    )
    assert isinstance(frame, pandas.DataFrame)
    assert frame["metrics.loss"].tolist() == [1.0, 2.0]
    assert str(frame["created"].dt.tz) == "UTC"
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(AzureMLException, match="needs pandas"):
        ws.runs_table(["id"], output_format="pandas")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"columns": "id"}, r"a list such as \['id'\]"),
        ({"columns": ["loss"]}, "columns: loss is no field"),
        ({"columns": [3]}, "columns: must be text"),
        ({"columns": []}, "column"),
        ({"columns": ["id"], "output_format": "csv"}, "'list' or 'pandas', not 'csv'"),
    ],
)
def test_a_bad_table_is_refused(
    experiment: Experiment, arguments: dict[str, Any], problem: str
) -> None:
    with pytest.raises(UserErrorException, match=problem):
        experiment.runs_table(**arguments)


def test_a_script_s_arguments_are_parameters(
    experiment: Experiment, submit: Callable[..., Run]
) -> None:
    run = submit("", "--lr", "0.10", "--amp")
    found = experiment.search_runs("params.lr = 0.1 and params.amp = 'true'")
    assert [one.id for one in found] == [run.id]
    assert experiment.runs_table(["params.lr"]) == [{"params.lr": "0.10"}]


def test_a_chart_has_buckets(experiment: Experiment, run: Run) -> None:
    run.log_list("curve", list(itertools.chain(range(50), [999], range(49))))
    run.flush()
    answer = run_metrics.buckets(run, "curve", 10)
    assert answer["point_count"] == 100
    assert answer["buckets"]["maximum"][5] == 999
    assert answer["buckets"]["last"][-1] == 48
    with pytest.raises(ServiceException, match="no metric 'none'"):
        run_metrics.buckets(run, "none")
