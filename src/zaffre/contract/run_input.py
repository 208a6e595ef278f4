"""What data a run's script is given, and where it leaves data: asked for at submit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class InputKind(Enum):
    """What the data is: a path of a datastore, or a dataset."""

    DATA_REFERENCE = "data_reference"
    DATASET = "dataset"


class InputMode(Enum):
    """How a script gets at data, by v1's words.

    MOUNT: read-only, where it is. DOWNLOAD: a copy. UPLOAD: an empty folder, sent afterwards.
    DIRECT: the dataset's id; the script reads the rows.
    """

    MOUNT = "mount"
    DOWNLOAD = "download"
    UPLOAD = "upload"
    DIRECT = "direct"


@dataclass(frozen=True)
class RunInput:
    """One path that the runner makes before the script starts.

    placeholder: the text that stands for the path in arguments and in the command. variable: the
    environment variable that holds the path. datastore, path: where the data is; '' is the whole
    datastore. path_on_compute: absolute, or below the run's working folder; None: the runner
    chooses. overwrite: a file that is there already may be replaced. dataset_id: of a
    dataset, which then says where the data is.
    """

    name: str
    kind: InputKind
    mode: InputMode
    placeholder: str
    variable: str
    datastore: str = ""
    path: str = ""
    path_on_compute: str | None = None
    overwrite: bool = False
    dataset_id: str = ""
