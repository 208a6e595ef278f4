"""`get_details()`: what is known of a run, as v1's dict; each key only when it has a value."""

from __future__ import annotations

from zaffre.sdk import portal, run_datasets, session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.run import Run

#: Files that are logs: v1's places for them, of both generations.
LOG_PREFIXES = ("azureml-logs/", "user_logs/", "system_logs/", "logs/azureml/")


def details(run: Run) -> dict[str, Any]:
    """Return the details of a run in any state, fetched now."""
    return details_of(run, run.refresh_record())


def details_of(run: Run, record: dict[str, Any]) -> dict[str, Any]:
    """Return the details of a run whose record was fetched just now."""
    found: dict[str, Any] = {"runId": record["run_id"]}
    target = record.get("target") or (None if record.get("type") else "local")
    if target:
        found["target"] = target
    found["status"] = record["state"]
    for key, field in (("startTimeUtc", "started_at"), ("endTimeUtc", "ended_at")):
        if record.get(field):
            found[key] = record[field]
    if record.get("error"):
        from zaffre.sdk import run_error

        found["error"] = run_error.as_v1(record)
    if record.get("warnings"):
        found["warnings"] = [
            {"source": "Zaffre", "message": message} for message in record["warnings"]
        ]
    found["properties"] = dict(record.get("properties") or {})
    found["inputDatasets"] = run_datasets.shown_inputs(run.experiment.workspace, record)
    found["outputDatasets"] = []
    definition = (record.get("spec") or {}).get("definition")
    if definition:
        found["runDefinition"] = definition
    logs = log_names(run)
    urls = portal.file_urls([f"/runs/{run.id}/files/{name}" for name in logs])
    found["logFiles"] = dict(zip(logs, urls))
    if record.get("submitted_by"):
        found["submittedBy"] = record["submitted_by"]
    return found


def details_with_logs(run: Run) -> dict[str, Any]:
    """Return the same with the logs' text instead of their addresses."""
    found = details(run)
    found["logFiles"] = {name: read_log(run.id, name) for name in found["logFiles"]}
    return found


def log_names(run: Run) -> list[str]:
    """Return the names of a run's logs, sorted."""
    files = session.current().request("GET", f"/runs/{run.id}/files")["items"]
    return sorted(file["name"] for file in files if file["name"].startswith(LOG_PREFIXES))


def read_log(run_id: str, name: str) -> str:
    """Return a log's text as far as it has got."""
    from zaffre.contract.errors import ZaffreError
    from zaffre.sdk.exceptions import from_refusal

    try:
        content, _ = session.current().client.fetch("GET", f"/runs/{run_id}/files/{name}")
    except ZaffreError as refusal:
        raise from_refusal(refusal) from refusal
    return content.decode("utf-8", "replace")
