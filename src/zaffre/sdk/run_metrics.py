"""`get_metrics()`: what was logged to a run, in v1's shapes and as plain Python values."""

from __future__ import annotations

from zaffre.sdk import session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.run import Run

_FILE_KINDS = ("image", "confusion_matrix", "accuracy_table", "residuals", "predictions")
_ARTIFACT = "aml://artifactId/"


class FileMetric:
    """A metric that is a file of the run; `get_metrics(populate=True)` gives these."""

    def __init__(self, run: Run, data_location: str, metric_type: str) -> None:
        self._run = run
        self.data_location = data_location
        self.metric_type = metric_type
        prefix = artifact_uri(run.id, "")
        self.filename = data_location[len(prefix) :]

    def get_content(self) -> bytes:
        """Return the file's bytes."""
        from zaffre.contract.errors import ZaffreError
        from zaffre.sdk.exceptions import from_refusal

        try:
            content, _ = session.current().client.fetch(
                "GET", f"/runs/{self._run.id}/files/{self.filename}"
            )
        except ZaffreError as refusal:
            raise from_refusal(refusal) from refusal
        return content

    def download(self, output_file_path: str | None = None) -> None:
        """Write the file as `run.download_file` does."""
        self._run.download_file(self.filename, output_file_path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.metric_type}, {self.filename!r})"


def artifact_uri(run_id: str, name: str) -> str:
    """Return v1's address of a run's file."""
    return f"{_ARTIFACT}ExperimentRun/dcid.{run_id}/{name}"


def metrics(
    run: Run,
    name: str | None = None,
    *,
    recursive: bool = False,
    run_type: str | None = None,
    populate: bool = False,
) -> dict[str, Any]:
    """Return name to value; recursive: run id to that, for the run and all below it."""
    answer = session.current().request(
        "GET",
        f"/runs/{run.id}/metrics",
        query={"name": name, "recursive": True if recursive else None},
    )["runs"]
    if not recursive:
        return _shown(run, answer.get(run.id, ()), populate=populate)
    kept = _runs_of_type(run, run_type) if run_type is not None else None
    return {
        run_id: _shown(run if run_id == run.id else None, series, populate=populate)
        for run_id, series in answer.items()
        if kept is None or run_id in kept
    }


def buckets(run: Run, name: str, count: int = 1_000) -> dict[str, Any]:
    """Return one metric in at most `count` buckets of neighbouring points, for a chart.

    `buckets` of the answer has columns of one length: position, count, number_count, minimum,
    maximum, mean, last, step, time. Raises ServiceException (status_code 404) for no such metric.
    """
    path = f"/runs/{run.id}/metrics/points"
    answer: dict[str, Any] = session.current().request(
        "GET", path, query={"name": name, "buckets": count}
    )
    return answer


def _runs_of_type(run: Run, run_type: str) -> set[str]:
    kept = {child.id for child in run.get_children(recursive=True, type=run_type)}
    if run.type == run_type:
        kept.add(run.id)
    return kept


def _shown(run: Run | None, found: Any, *, populate: bool) -> dict[str, Any]:
    from zaffre.contract.metric import as_v1, decode_value

    shown: dict[str, Any] = {}
    for series in found:
        kind = series["kind"]
        points = [decode_value(value) for value in series["values"]]
        value = as_v1(series["name"], points)
        if value is None and not (kind in ("list", "table") and not points):
            continue
        if value is None:
            value = [] if kind == "list" else {}
        if populate and run is not None and kind in _FILE_KINDS and isinstance(value, str):
            value = FileMetric(run, value, kind)
        shown[series["name"]] = value
    return shown
