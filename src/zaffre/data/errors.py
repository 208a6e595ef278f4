"""What can go wrong with data, each with its file, row and column where there is one."""

from __future__ import annotations

from zaffre.contract.errors import ZaffreError


class DataInvalid(ZaffreError):
    """Data that cannot be read as asked.

    row: of the file's rows, the first is 1 (a header is no row).
    """

    code = "data.invalid"
    status = 400

    def __init__(
        self,
        reason: str,
        *,
        file: str | None = None,
        row: int | None = None,
        column: str | None = None,
    ) -> None:
        places = (
            ("", file),
            ("row ", None if row is None else f"{row:,}"),
            ("column ", None if column is None else repr(column)),
        )
        where = ", ".join(f"{word}{value}" for word, value in places if value is not None)
        super().__init__(
            f"{where}: {reason}" if where else reason,
            facts={"file": file, "row": row, "column": column},
        )
        self.reason = reason
        self.file = file
        self.row = row
        self.column = column


class SourceMissing(ZaffreError):
    """A path names no file."""

    code = "data.missing"
    status = 404

    def __init__(self, path: str, advice: str = "") -> None:
        sentence = f"The requested stream was not found: there is no file at {path!r}."
        super().__init__(f"{sentence} {advice}".strip(), facts={"path": path})


class PathOutside(ZaffreError):
    """A path that leads out of its datastore."""

    code = "data.path_outside"
    status = 400

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(
            f"The path {path!r} leads out of its datastore: {problem}.", facts={"path": path}
        )


class TargetExists(ZaffreError):
    """A file is there already and may not be overwritten."""

    code = "data.exists"
    status = 409

    def __init__(self, path: str) -> None:
        super().__init__(
            f"The file {path!r} already exists. Set overwrite=True to replace it.",
            facts={"path": path},
        )


class PackagesMissing(ZaffreError):
    """The engine's packages are not installed in this interpreter."""

    code = "data.packages_missing"
    status = 501

    def __init__(self, missing: str) -> None:
        super().__init__(
            f"Reading tabular data needs the package {missing!r}: pip install 'zaffre[data]' "
            "(or: pip install pandas pyarrow).",
            facts={"missing": missing},
        )
