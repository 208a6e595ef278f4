"""What the sentences of refusals say to do."""

from __future__ import annotations

import pytest

from zaffre.contract.errors import NotBuiltYet, NotFound, RunStateConflict
from zaffre.contract.version import ZAFFRE_VERSION


@pytest.mark.parametrize(
    ("what", "meanwhile"),
    [
        ("Model.deploy", "zaffre model download"),
        ("InferenceConfig", "zaffre model download"),
        ("Submitting a HyperDriveConfig", "ScriptRunConfig"),
        ("AutoMLConfig", "ScriptRunConfig"),
        ("A run on several nodes (node_count=2)", "'local'"),
        ("AmlCompute.provisioning_configuration", "'local'"),
        ("Environment.build", "interpreter that submits"),
        ("Dataset.Tabular.from_delimited_files", "source_directory"),
        ("Workspace.get_mlflow_tracking_uri", "run.log()"),
        ("Workspace.something_else", "docs/coverage.md"),
    ],
)
def test_what_is_not_built_yet_is_named_with_what_serves_meanwhile(
    what: str, meanwhile: str
) -> None:
    message = NotBuiltYet(what).message
    assert message.startswith(f"{what} is not built yet in Zaffre {ZAFFRE_VERSION}. ")
    assert meanwhile in message


@pytest.mark.parametrize(
    ("current", "wanted", "advice"),
    [
        ("Failed", "Canceled", "There is nothing left to cancel."),
        ("Canceled", "Completed", "its tags can still be changed"),
        ("Completed", "Running", "Submit a new run instead."),
        ("Running", "Completed", "Its runner ends it"),
    ],
)
def test_a_move_that_is_refused_says_what_can_be_done(
    current: str, wanted: str, advice: str
) -> None:
    message = RunStateConflict("r1", current=current, wanted=wanted).message
    assert message.startswith(f"Run 'r1' is {current}, so it cannot become {wanted}. ")
    assert advice in message


def test_what_is_not_found_says_where_to_look() -> None:
    assert NotFound("run", "r").message == "There is no run 'r'. 'zaffre run list' lists them."
    assert NotFound("run", "r", "Look there.").message == "There is no run 'r'. Look there."
    assert NotFound("blob", "b").message == "There is no blob 'b'."
