"""What `zaffre run show` says of a metric, for each of the nine kinds."""

from __future__ import annotations

from typing import Any

import pytest

from zaffre.cli import metric
from zaffre.contract.metric import MetricKind, MetricSeries


def series(kind: MetricKind, *values: Any) -> MetricSeries:
    return MetricSeries("m", kind, list(values), [None] * len(values), [0.0] * len(values))


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        (MetricKind.SCALAR, [0.25], "0.25"),
        (MetricKind.SCALAR, ["NaN"], "nan"),
        (MetricKind.SCALAR, ["'NaN"], "NaN"),
        (MetricKind.SCALAR, ["text"], "text"),
        (MetricKind.LIST, [1, 2, 3], "[1, 2, 3]"),
        (MetricKind.LIST, list(range(9)), "[0, 1, 2, 3, 4, 5, 6, 7, ...]"),
        (MetricKind.ROW, [{"x": 1, "y": "Infinity"}], "x=1, y=inf"),
        (MetricKind.TABLE, [{"x": 1}, {"x": 2}], "2 rows; last: x=2"),
        (MetricKind.IMAGE, ["aml://artifactId/ExperimentRun/dcid.r1/a/b.png"], "a/b.png"),
    ],
)
def test_a_metric_is_said_in_a_line(kind: MetricKind, values: list[Any], words: str) -> None:
    assert metric.describe(series(kind, *values), []) == words


def test_several_scalars_show_the_last_one_a_curve_and_the_range() -> None:
    words = metric.describe(series(MetricKind.SCALAR, 3.0, 1.0, 2.0), [])
    assert words == "2  █▁▅  1 to 3"


def test_a_curve_without_a_finite_value_is_empty() -> None:
    assert metric.curve([float("nan"), float("inf")]) == ""
    assert metric.curve([1.0, 1.0]) == "▁▁"
    assert len(metric.curve([float(i) for i in range(1000)])) == 24


def test_a_confusion_matrix_is_counted_and_drawn() -> None:
    document = {"data": {"class_labels": ["a", "b"], "matrix": [[3, 0], [1, 12]]}}
    one = series(MetricKind.CONFUSION_MATRIX, "aml://artifactId/ExperimentRun/dcid.r1/m")
    assert metric.describe(one, [document]) == "2 classes, 15 of 16 right (93.8%)"
    assert metric.picture(one, [document]).splitlines() == [
        "true \\ predicted   a   b",
        "a                  3   0",
        "b                  1  12",
    ]


def test_an_accuracy_table_shows_the_area_under_each_class_s_roc() -> None:
    perfect = [[2, 2, 0, 0], [2, 0, 2, 0], [0, 0, 2, 2]]
    guessing = [[2, 2, 0, 0], [1, 1, 1, 1], [0, 0, 2, 2]]
    document = {
        "data": {
            "class_labels": ["a", "b"],
            "probability_tables": [perfect, guessing],
            "probability_thresholds": [0.0, 0.5, 1.0],
        }
    }
    one = series(MetricKind.ACCURACY_TABLE, "aml://artifactId/ExperimentRun/dcid.r1/m")
    words = metric.describe(one, [document])
    assert words == "3 thresholds, area under ROC: a 1.000, b 0.500"


def test_residuals_and_predictions_are_said_and_drawn() -> None:
    residuals = {"data": {"bin_edges": [-1.0, 0.0, 1.0], "bin_counts": [2, 4]}}
    one = series(MetricKind.RESIDUALS, "uri")
    assert metric.describe(one, [residuals]) == "6 residuals  ▁█  -1 to 1"
    assert len(metric.picture(one, [residuals]).splitlines()) == 2
    predictions = {
        "data": {
            "bin_averages": [1.0, 2.0],
            "bin_errors": [0.1, 0.2],
            "bin_counts": [5, 6],
            "bin_edges": [0.0, 1.0, 2.0],
        }
    }
    two = series(MetricKind.PREDICTIONS, "uri")
    assert metric.describe(two, [predictions]) == "11 predictions  ▁█  mean by bin 1 to 2"
    assert len(metric.picture(two, [predictions]).splitlines()) == 2


def test_a_document_of_another_form_is_named_and_not_drawn() -> None:
    one = series(MetricKind.CONFUSION_MATRIX, "aml://artifactId/ExperimentRun/dcid.r1/m.json")
    for document in ({}, {"data": None}, {"data": {"matrix": []}}, {"data": {"matrix": "x"}}):
        assert metric.describe(one, [document]) == "m.json"
        assert metric.picture(one, [document]) == ""
