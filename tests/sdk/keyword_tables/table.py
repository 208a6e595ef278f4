"""What a table of keywords is made of, and the bench that its values are made from.

A table says of each keyword of a class's methods a value that does and one that is refused, and by
which exception. `test_keywords.py` calls each method with each of them; `tools/coverage.py` counts
a method as tested when a table has it.
"""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from zaffre.sdk.exceptions import UserErrorException
from zaffre.sdk.experiment import Experiment
from zaffre.sdk.keyvault import Keyvault
from zaffre.sdk.model import Model
from zaffre.sdk.run import Run
from zaffre.sdk.workspace import Workspace

#: v1's classes, as tests/compat/surface.json has them.
SURFACE: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "compat" / "surface.json").read_text("utf-8")
)["classes"]
#: In place of a wrong value: any value does. v1 looked at it no closer, or it changes nothing here.
ANY = object()


#: In place of an attribute's class: users assign to it, and it keeps what they assign.
SET = object()
#: The class of None.
NONE = type(None)


@dataclass(frozen=True)
class Made:
    """A value that is made from the bench when the call is made."""

    make: Callable[[Bench], Any]


def made(make: Callable[[Bench], Any]) -> Any:
    """Return a value that is made from the bench when the call is made."""
    return Made(make)


#: An id that no run has.
NEW_ID = Made(lambda _: f"run-{uuid.uuid4().hex}")


@dataclass(frozen=True)
class Keyword:
    """A keyword: a value that does, one that is refused, and by which exception.

    needs: other keywords of the call that must be given with it; they get their right values.
    """

    right: Any
    wrong: Any
    raises: type[BaseException] = UserErrorException
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """The keywords of a class's methods; `__init__` is its constructor.

    v1: the class's name in surface.json. owner: the object whose methods are called. attributes:
    what class their values are of, or SET for those that users assign to. later: members and
    `method.keyword`s that a later release brings.
    """

    of: type
    v1: str
    owner: Callable[[Bench], Any]
    methods: dict[str, dict[str, Keyword]]
    attributes: dict[str, Any] = field(default_factory=dict)
    later: frozenset[str] = field(default_factory=frozenset)


class Bench:
    """An empty folder, and what a call may need besides, made when it is first asked for."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path) -> None:
        self._request = request
        self.folder = folder

    @cached_property
    def ws(self) -> Workspace:
        """A workspace of the test's own."""
        return self._request.getfixturevalue("ws")

    @cached_property
    def experiment(self) -> Experiment:
        return Experiment(self.ws, "test-experiment")

    @cached_property
    def run(self) -> Run:
        """An interactive run with the files `out/a.txt` and `model.pkl`."""
        run = self.experiment.start_logging(snapshot_directory=None)
        run.upload_file("out/a.txt", io.BytesIO(b"text"))
        run.upload_file("model.pkl", io.BytesIO(b"model"))
        return run

    @cached_property
    def model(self) -> Model:
        return Model.register(
            self.ws,
            str(self.file("model.pkl")),
            "a-model",
            tags={"k": "v"},
            model_framework="Custom",
        )

    @cached_property
    def vault(self) -> Keyvault:
        return self.ws.get_default_keyvault()

    def file(self, name: str = "file.txt", text: str = "text") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def source(self) -> str:
        """A folder with a script."""
        self.file("source/train.py", "print('trained')\n")
        return str(self.folder / "source")

    def config(self) -> str:
        """A config.json of the workspace."""
        return str(self.file("config.json", json.dumps({"Id": None, "Scope": self.ws.scope})))
