"""`run.register_model`: files that a run has become a model, without being sent again."""

from __future__ import annotations

from zaffre.sdk.exceptions import ModelPathNotFoundException, UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.model import Model
    from zaffre.sdk.run import Run


def register(run: Run, model_name: str, model_path: str | None, **about: Any) -> Model:
    """Register the file or folder `model_path` (default: `model_name`) of the run's files.

    Raises ModelPathNotFoundException that lists the run's files, WebserviceException for names,
    tags and properties that cannot be.
    """
    from zaffre.contract.snapshot import FileEntry
    from zaffre.sdk import model_request, run_files
    from zaffre.sdk.model import create

    workspace = run.experiment.workspace
    dataset_ids = model_request.saved_datasets(workspace, about.pop("datasets", None))
    request = model_request.request_of(
        name=model_name, run_id=run.id, dataset_ids=dataset_ids, **about
    )
    path = run_files.checked_name(model_path or model_name)
    found = run_files.records(run.id)
    exact = [file for file in found if file["name"] == path]
    chosen = exact or [file for file in found if file["name"].startswith(f"{path}/")]
    if not chosen:
        raise ModelPathNotFoundException(
            f"Could not locate the provided model_path {path} in the set of files uploaded to the "
            f"run: {[file['name'] for file in found]}. A running script uploads what it registers "
            "first, by run.upload_file or run.upload_folder."
        )
    top = len(path) - len(path.rpartition("/")[2])
    entries: list[FileEntry] = []
    for file in chosen:
        if not file.get("sha256"):
            raise UserErrorException(f"{file['name']} is a log; a log cannot be a model.")
        entries.append(FileEntry(file["name"][top:], file["sha256"], file["size_bytes"]))
    return create(run.experiment.workspace, request, tuple(entries), folder=not exact)
