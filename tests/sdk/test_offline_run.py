from __future__ import annotations

from typing import Any

import pytest

from zaffre.sdk.offline_run import _OfflineRun  # pyright: ignore[reportPrivateUsage]


class _Figure:
    def __str__(self) -> str:
        return "Figure(640x480)"


@pytest.mark.parametrize(
    ("call", "printed"),
    [
        (lambda r: r.log("acc", 0.9), "Attempted to log scalar metric acc:\n0.9\n"),
        (lambda r: r.log("acc", 0.9, step=3), "Attempted to log scalar metric acc:\n0.9\n"),
        (lambda r: r.log("x", float("nan")), "Attempted to log scalar metric x:\nnan\n"),
        (lambda r: r.log_list("fib", [1, 2]), "Attempted to log list metric fib:\n[1, 2]\n"),
        (lambda r: r.log_row("r", x=1), "Attempted to log row metric r:\n{'x': 1}\n"),
        (lambda r: r.log_table("t", {"a": [1]}), "Attempted to log table metric t:\n{'a': [1]}\n"),
        (lambda r: r.log_image("im", path="p"), "Attempted to log image metric im:\np\n"),
        (
            lambda r: r.log_image("im", plot=_Figure()),
            "Attempted to log image metric im:\nFigure(640x480)\n",
        ),
        (lambda r: r.log_image("im"), "Attempted to log image metric im:\nNone\n"),
        (
            lambda r: r.log_confusion_matrix("n", "v"),
            "Attempted to log confusion_matrix metric n:\nv\n",
        ),
        (
            lambda r: r.log_accuracy_table("n", "v"),
            "Attempted to log accuracy_table metric n:\nv\n",
        ),
        (lambda r: r.log_residuals("n", "v"), "Attempted to log residual metric n:\nv\n"),
        (lambda r: r.log_predictions("n", "v"), "Attempted to log predictions metric n:\nv\n"),
        (lambda r: r.tag("k", "v"), "Attempted to add tag k with value v\n"),
        (lambda r: r.set_tags({"k": 1}), "Attempted to set tags {'k': 1}\n"),
        (lambda r: r.add_properties({"k": 1}), "Attempted to add properties {'k': 1}\n"),
        (lambda r: r.upload_file("n", "p"), "Attempted to track file n at p\n"),
        (
            lambda r: r.upload_files(["n"], ["p"]),
            "Attempted to track files ['n'] at ['p'] with timeout Nones\n",
        ),
        (
            lambda r: r.upload_files(names=["n"], paths=["p"], timeout_seconds=3),
            "Attempted to track files ['n'] at ['p'] with timeout 3s\n",
        ),
        (lambda r: r.upload_folder("n", "p"), "Attempted to track folder n at p\n"),
        (lambda r: r.flush(), "Attempted to flush run with id OfflineRun_1\n"),
        (lambda r: r.fail("MSG", "CODE"), "Run failed with error code CODE:\nMSG\n"),
        (lambda r: r.complete(), ""),
        (lambda r: r.cancel(), ""),
    ],
)
def test_each_call_prints_what_v1_printed(
    call: Any, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call(_OfflineRun(run_id="OfflineRun_1"))
    assert capsys.readouterr().out == printed


def test_the_block_prints_its_start_and_its_end_and_lets_exceptions_through(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        with _OfflineRun(run_id="OfflineRun_1") as run:
            assert run.id == "OfflineRun_1"
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail()
    printed = capsys.readouterr().out
    assert printed == "[START] Run OfflineRun_1 context\n[STOP] Run OfflineRun_1 context\n"


def test_ids_differ_and_a_childs_begins_with_its_parents() -> None:
    run = _OfflineRun()
    assert run.id.startswith("OfflineRun_")
    assert run.id != _OfflineRun().id
    assert run.child_run("x").id.startswith(f"{run.id}.")


@pytest.mark.parametrize(
    "name", ["experiment", "parent", "input_datasets", "get_metrics", "register_model"]
)
def test_what_only_a_real_run_has_says_how_to_get_one(name: str) -> None:
    """R052."""
    run = _OfflineRun()
    assert not hasattr(run, name)
    with pytest.raises(AttributeError, match=r"offline run.*experiment\.submit"):
        getattr(run, name)


def test_a_name_that_no_run_has_is_a_plain_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lgo'"):
        _OfflineRun().lgo  # noqa: B018
