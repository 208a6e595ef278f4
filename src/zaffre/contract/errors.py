"""What can be refused, by which code, with which HTTP status.

Every refusal is one class built from values, and its sentence says what is wrong and what to do.
The server answers `{"error": {"code", "message", "field", "facts"}}`; the client raises
`Refused` with the same parts; the SDK turns the code into the exception that v1 raised.
"""

from __future__ import annotations

from zaffre.contract.version import ZAFFRE_VERSION


class ZaffreError(Exception):
    """Something was refused, for a reason that has a stable code and a sentence for people."""

    code = "internal"
    status = 500

    def __init__(
        self, message: str, *, field: str | None = None, facts: dict[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.facts: dict[str, object] = facts or {}


class Refused(ZaffreError):
    """An answer of the server that says no, as the client saw it."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int,
        field: str | None = None,
        facts: dict[str, object] | None = None,
    ) -> None:
        super().__init__(message, field=field, facts=facts)
        self.code = code
        self.status = status


class Invalid(ZaffreError):
    """A value that cannot be taken; names the field."""

    code = "invalid"
    status = 400

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}", field=field)


_LISTED_BY = {
    noun: f"'zaffre {noun} list' lists them."
    for noun in ("run", "experiment", "model", "workspace", "datastore")
}


class NotFound(ZaffreError):
    """Nothing has this id or name. advice: what to do (default: how to list what there is)."""

    status = 404

    def __init__(self, noun: str, name: str, advice: str | None = None) -> None:
        self.code = f"{noun}.not_found"
        sentence = f"There is no {noun.replace('_', ' ')} {name!r}."
        advice = _LISTED_BY.get(noun, "") if advice is None else advice
        super().__init__(f"{sentence} {advice}".strip(), facts={"noun": noun, "name": name})


class AlreadyExists(ZaffreError):
    """The name is taken."""

    status = 409

    def __init__(self, noun: str, name: str, advice: str = "") -> None:
        self.code = f"{noun}.exists"
        sentence = f"{noun.replace('_', ' ').capitalize()} {name!r} exists already."
        super().__init__(f"{sentence} {advice}".strip(), facts={"noun": noun, "name": name})


class RunStateConflict(ZaffreError):
    """The run's state does not allow this move."""

    code = "run.state_conflict"
    status = 409

    def __init__(self, run_id: str, *, current: str, wanted: str) -> None:
        super().__init__(
            f"Run {run_id!r} is {current}, so it cannot become {wanted}. "
            f"{_instead(current, wanted)}",
            facts={"run_id": run_id, "current": current, "wanted": wanted},
        )


def _instead(current: str, wanted: str) -> str:
    ends = ("Completed", "Failed", "Canceled")
    if current not in ends:
        return "Its runner ends it when its script ends; 'zaffre run cancel' ends it before."
    if wanted == "Canceled":
        return "There is nothing left to cancel."
    if wanted in ends:
        return "A run ends once; its tags can still be changed."
    return "Submit a new run instead."


class InUse(ZaffreError):
    """It cannot be deleted while runs in it go on."""

    status = 409

    def __init__(self, noun: str, name: str, run_ids: list[str]) -> None:
        self.code = f"{noun}.in_use"
        count = len(run_ids)
        shown = ", ".join(run_ids[:3]) + (", ..." if count > 3 else "")
        super().__init__(
            f"{noun.capitalize()} {name!r} has {count} {'run' if count == 1 else 'runs'} "
            f"that {'has' if count == 1 else 'have'} not ended ({shown}). Cancel them or wait "
            "for their end, then delete it.",
            facts={"noun": noun, "name": name, "run_ids": run_ids[:100]},
        )


class AttemptSuperseded(ZaffreError):
    """A runner speaks for an attempt that is not the run's any more; it must end its script."""

    code = "attempt.superseded"
    status = 409

    def __init__(self, run_id: str, number: int) -> None:
        super().__init__(
            f"Attempt {number} of run {run_id!r} is not the run's present attempt.",
            facts={"run_id": run_id, "attempt": number},
        )


class PropertyImmutable(ZaffreError):
    """A run's property was to be changed to another value."""

    code = "property.immutable"
    status = 400

    def __init__(self, key: str, *, old: str | None, new: str | None) -> None:
        super().__init__(
            f"Property {key!r} is {old!r} and cannot become {new!r}: properties never change. "
            "Use a tag for what changes.",
            field="properties",
            facts={"key": key},
        )


class BlobsMissing(ZaffreError):
    """A record names blobs that the store does not hold; send them and ask again."""

    code = "blob.missing"
    status = 409

    def __init__(self, sha256: list[str]) -> None:
        super().__init__(
            f"{len(sha256)} of the named blobs are not in the store. Upload them first.",
            facts={"sha256": sha256},
        )


class OffsetConflict(ZaffreError):
    """A shipped range does not start where the store's copy ends; `offset` says where that is."""

    code = "offset.conflict"
    status = 409

    def __init__(self, what: str, *, offset: int) -> None:
        super().__init__(
            f"{what} is stored up to byte {offset}; go on from there.", facts={"offset": offset}
        )


class UploadTakenOver(ZaffreError):
    """Another request writes to the upload now."""

    code = "upload.taken_over"
    status = 409

    def __init__(self) -> None:
        super().__init__("Another request has taken this upload over. Begin one under another id.")


class Unauthenticated(ZaffreError):
    """No token, or one that is not known."""

    code = "unauthenticated"
    status = 401

    def __init__(self, home: str = "~/.zaffre") -> None:
        super().__init__(
            "This request carries no token that the server knows. "
            f"Send 'Authorization: Bearer TOKEN'; the token is in {home}/token."
        )


class Forbidden(ZaffreError):
    """The caller is known, and may not do this."""

    code = "forbidden"
    status = 403

    def __init__(self, action: str) -> None:
        super().__init__(f"This token does not allow {action!r}.", facts={"action": action})


class StoreFull(ZaffreError):
    """The server's disk has no room."""

    code = "store.full"
    status = 507

    def __init__(self) -> None:
        super().__init__("The server's disk is full. Free space there; nothing stored was lost.")


class ServerUnreachable(ZaffreError):
    """No server answered within the time that the caller gave it."""

    code = "server.unreachable"
    status = 503

    def __init__(self, address: str, problem: str) -> None:
        super().__init__(
            f"No Zaffre server answers at {address} ({problem}). Start one with 'zaffre up', "
            "or set ZAFFRE_URL and ZAFFRE_TOKEN to a server that runs.",
            facts={"address": address},
        )


class ServerNotStarted(ServerUnreachable):
    """A server was to be started on this machine and could not be."""

    code = "server.not_started"

    def __init__(self, home: str, problem: str) -> None:
        ZaffreError.__init__(
            self,
            f"The Zaffre server of {home} could not be started: {problem}",
            facts={"address": home},
        )


class RecordTooLarge(ZaffreError):
    """One record of a metric is longer than a record may be."""

    code = "metric.too_large"
    status = 413

    def __init__(self, size_bytes: int, *, limit_bytes: int) -> None:
        super().__init__(
            f"The record has {size_bytes:,} bytes and may have {limit_bytes:,}. "
            "Log large values as a file: run.upload_file().",
            facts={"size_bytes": size_bytes, "limit_bytes": limit_bytes},
        )


class FileChanging(ZaffreError):
    """A file never stood still while it was read, so no content of it could be stored."""

    code = "file.changing"
    status = 409

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} changed each time it was read. Upload it once nothing writes to it any more.",
            facts={"path": path},
        )


#: What serves meanwhile, by what the name of a thing that is not there contains. First counts.
_MEANWHILE = (
    (("mlflow",), "Log by run.log() and its like."),
    (
        ("deploy", "inference", "service", "package", "profile", "image", "aks", "aci"),
        "Model.download() and 'zaffre model download' give the model's files to a server of yours.",
    ),
    (
        ("automl", "hyperdrive", "pipeline", "step", "schedule"),
        "Submit each training as a ScriptRunConfig, in a loop if there are several.",
    ),
    (
        ("compute", "a run on", "a run of", "hdinsight", "databricks", "pyspark", "synapse"),
        "Compute target 'local' runs one process on this machine.",
    ),
    (
        ("environment", "docker"),
        "A run on 'local' uses the interpreter that submits it: install its packages there.",
    ),
    (
        ("reaching a datastore",),
        "Fetch its files by its own tools and upload them to the default datastore.",
    ),
    (
        ("data", "link", "input", "output"),
        "Read files by their path, or put them into the source_directory.",
    ),
)


class NotBuiltYet(ZaffreError):
    """A part of SDK v1 that this release of Zaffre does not have."""

    code = "not_built_yet"
    status = 501

    def __init__(self, what: str) -> None:
        name = what.lower()
        meanwhile = next(
            (advice for words, advice in _MEANWHILE if any(word in name for word in words)),
            "docs/coverage.md beside Zaffre's sources lists what is there.",
        )
        super().__init__(f"{what} is not built yet in Zaffre {ZAFFRE_VERSION}. {meanwhile}")
