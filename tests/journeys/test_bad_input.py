"""Bad input: refused at once, by v1's exception, in a sentence or two that name what is wrong.

Each program is a user's. It tries things that cannot be, prints what each was answered, and goes
on; afterwards nothing of what was refused is there, and the run completes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ServerProcess
from tests.journeys.conftest import Project

HEAD = '''\
import json, math, os, sys, warnings
warnings.simplefilter("ignore")
from azureml.core import Experiment, Model, Run, ScriptRunConfig, Workspace
from azureml.core.compute import ComputeTarget

answers = {}

def attempt(label, call):
    """Note what a call that cannot be is answered; None if it is taken."""
    try:
        call()
        answers[label] = None
    except Exception as problem:
        answers[label] = [
            [kind.__name__ for kind in type(problem).__mro__],
            str(getattr(problem, "message", problem)),
        ]

BAD = {
    "empty": "", "blank": " ", "slash": "a/b", "dots": "..", "leading dots": "../a",
    "long": "n" * 1100,
    "blank at the end": "name ", "umlaut": "gr\\u00f6\\u00dfe", "emoji": "\\U0001f600",
    "newline": "a\\nb", "nul": "a\\0b", "half a character": "a\\ud800", "number": 5, "none": None,
    "300": "n" * 300,
}
SUBMITTED = {"umlaut": "\\u00fc", "300": "m" * 300}  # an id is taken once
ws = Workspace.from_config()
experiment = Experiment(ws, "bad-input")
'''


def answers_of(project: Project, text: str) -> dict[str, Any]:
    """Run a program that tries things; return what each was answered."""
    printed = project.run(HEAD + text + "\nprint(json.dumps(answers))\n", name="bad.py")
    return json.loads(printed.splitlines()[-1])


def assert_refused(answer: Any, kind: str, *words: str) -> None:
    """The exception is a `kind`, and its message a sentence or two that hold the words."""
    assert answer is not None, "it was taken"
    kinds, message = answer
    assert kind in kinds, answer
    for word in words:
        assert re.search(word, message), message
    assert "Traceback" not in message
    assert len(message) < 400, message
    assert len(re.findall(r"[.!?](?= [A-Z])", message)) <= 2, message


#: What each kind of name may be besides the plain.
ALLOWED = {
    "workspace": set(),
    "experiment": {"umlaut"},
    "run id": {"umlaut", "300", "none"},
    "submitted run id": {"umlaut", "300", "none"},
    "model": set(),
    "metric": {"blank", "slash", "dots", "leading dots", "blank at the end", "umlaut", "emoji"},
    "file": {"blank", "slash", "blank at the end", "umlaut", "emoji"},
    "tag": {
        *("blank", "slash", "dots", "leading dots", "blank at the end", "umlaut", "emoji"),
        *("newline", "number", "none"),
    },
}
CLASSES = {"model": "WebserviceException"}


def test_names_that_cannot_be_are_refused_and_leave_nothing(project: Project) -> None:
    project.write("source/train.py", "print(1)\n")
    answers = answers_of(
        project,
        """
open("f.txt", "w").write("f")
run = experiment.start_logging(snapshot_directory=None)
for label, name in BAD.items():
    attempt(f"workspace|{label}", lambda: Workspace.create(name, show_output=False))
    attempt(f"experiment|{label}", lambda: Experiment(ws, name))
    attempt(f"run id|{label}", lambda: experiment.start_logging(
        snapshot_directory=None, run_id=name).complete())
    attempt(f"submitted run id|{label}", lambda: experiment.submit(
        ScriptRunConfig("source", "train.py"), run_id=SUBMITTED.get(label, name)
    ).wait_for_completion())
    attempt(f"model|{label}", lambda: Model.register(ws, "f.txt", name))
    attempt(f"metric|{label}", lambda: run.log(name, 1))
    attempt(f"metric list|{label}", lambda: run.log_list(name, [1]))
    attempt(f"metric row|{label}", lambda: run.log_row(name, a=1))
    attempt(f"metric table|{label}", lambda: run.log_table(name, {"a": [1]}))
    attempt(f"file|{label}", lambda: run.upload_file(name, "f.txt"))
    attempt(f"tag|{label}", lambda: run.set_tags({name: "v"}))
answers["left"] = {
    "metrics": sorted(run.get_metrics()),
    "files": run.get_file_names(),
    "tags": sorted(run.get_tags()),
    "models": [model.name for model in Model.list(ws)],
    "experiments": sorted(ws.experiments),
    "runs": sorted(r.id for r in experiment.get_runs()),
    "workspaces": sorted(Workspace.list("zaffre")),
}
run.complete()
answers["left"]["state"] = run.get_status()
""",
    )
    left = answers.pop("left")
    wrong: list[str] = []
    for key, answer in answers.items():
        noun, label = key.split("|")
        kind = "metric" if noun.startswith("metric") else noun
        if label in ALLOWED[kind]:
            if answer is not None:
                wrong.append(f"{key}: {answer}")
            continue
        try:
            field = "run id" if "run id" in kind else "tags" if kind == "tag" else kind
            assert_refused(answer, CLASSES.get(kind, "UserErrorException"), field)
        except AssertionError as problem:
            wrong.append(f"{key}: {problem}")
    assert not wrong, "\n".join(wrong)
    assert left["state"] == "Completed"
    assert left["models"] == []
    assert left["experiments"] == ["bad-input", "größe"]
    assert not any(name for name in left["workspaces"] if len(name) > 32 or "/" in name)
    assert len(left["files"]) == len(ALLOWED["file"])
    assert len(left["metrics"]) == len(ALLOWED["metric"])
    assert len(left["tags"]) == len(ALLOWED["tag"])


def test_values_are_kept_as_such_or_refused_and_the_run_goes_on(project: Project) -> None:
    pytest.importorskip("numpy")
    answers = answers_of(
        project,
        """
import numpy as np
run = experiment.start_logging(snapshot_directory=None)
run.log("nan", float("nan"))
for value in (math.inf, -math.inf, np.float32("nan"), np.float64("inf")):
    run.log("not finite", value)
run.log_list("nan list", [1.5, math.nan, math.inf, None])
run.log_row("nan row", a=math.nan, b=np.float16(0.5))
kinds = [
    np.float16(0.5), np.float32(0.5), np.float64(0.5), np.longdouble(0.5),
    np.int8(-3), np.int16(-3), np.int32(-3), np.int64(-3),
    np.uint8(3), np.uint16(3), np.uint32(3), np.uint64(3),
    np.bool_(True), np.str_("s"), np.array(0.5), np.array([7]), np.array([[True]]),
    np.uint64(2**64 - 1),
]
for value in kinds:
    run.log("numpy", value)
run.log_table("arrays", {"x": np.arange(3), "y": (0.5, 1, True), "z": np.array(["a", "b", "c"])})
run.log_table("huge", {c: list(range(100_000)) for c in "abcde"})
run.log_list("long", list(range(300_000)))
run.log("text", "t" * 100_000)
run.log("nothing", None)
run.log("dict", {"a": 1})

attempt("uneven", lambda: run.log_table("bad", {"x": [1, 2], "y": [3]}))
attempt("nested", lambda: run.log_list("bad", [[1]]))
attempt("nested table", lambda: run.log_table("bad", {"x": [[1]]}))
attempt("no list", lambda: run.log_list("bad", 5))
attempt("list", lambda: run.log("bad", [1]))
attempt("row of lists", lambda: run.log_row("bad", a=[1, 2]))
attempt("no table", lambda: run.log_table("bad", 5))
attempt("step", lambda: run.log("bad", 1, step="x"))
attempt("too large", lambda: run.log("bad", "x" * (20 << 20)))
attempt("image", lambda: run.log_image("bad", path="bad.py"))
attempt("no image", lambda: run.log_image("bad"))
attempt("missing image", lambda: run.log_image("bad", path="absent.png"))
attempt("no json", lambda: run.log_confusion_matrix("bad", "{"))
attempt("missing file", lambda: run.upload_file("bad", "absent"))
attempt("folder as file", lambda: run.upload_file("bad", "."))
attempt("absent file", lambda: run.download_file("absent.txt"))
attempt("tags", lambda: run.set_tags(["a"]))
attempt("tag value", lambda: run.set_tags({"a": "v" * 1001}))
attempt("tag value nul", lambda: run.set_tags({"a": "v\\0"}))
attempt("property", lambda: (run.add_properties({"p": "1"}), run.add_properties({"p": "2"})))
attempt("children", lambda: run.create_children(count=-1))
metrics = run.get_metrics()
answers["left"] = {
    "names": sorted(metrics),
    "numpy": [str(v) + " " + type(v).__name__ for v in metrics["numpy"]],
    "not finite": [str(v) for v in [metrics["nan"], *metrics["not finite"]]],
    "nan list": [str(v) for v in metrics["nan list"]],
    "nan row": [str(v) for v in metrics["nan row"].values()],
    "arrays": metrics["arrays"],
    "huge": all(metrics["huge"][c] == list(range(100_000)) for c in "abcde"),
    "long": metrics["long"] == list(range(300_000)),
    "others": [len(metrics["text"]), metrics.get("nothing", "absent"), metrics["dict"]],
    "files": run.get_file_names(),
    "tags": run.get_tags(),
    "properties": run.get_properties(),
}
run.complete()
answers["left"]["state"] = run.get_status()
""",
    )
    left = answers.pop("left")
    assert left["state"] == "Completed"
    assert "bad" not in left["names"]
    assert left["files"] == []
    assert left["tags"] == {}
    assert left["properties"] == {"p": "1"}
    assert left["not finite"] == ["nan", "inf", "-inf", "nan", "inf"]
    assert left["nan list"] == ["1.5", "nan", "inf", "None"]
    assert left["nan row"] == ["nan", "0.5"]
    assert left["numpy"] == [
        *["0.5 float"] * 4,
        *["-3 int"] * 4,
        *["3 int"] * 4,
        *("True bool", "s str", "0.5 float", "7 int", "True bool"),
        f"{float(2**64)} float",
    ]
    assert left["arrays"] == {"x": [0, 1, 2], "y": [0.5, 1, True], "z": ["a", "b", "c"]}
    assert left["huge"]
    assert left["long"]
    assert left["others"] == [100_000, "absent", "{'a': 1}"]
    assert_refused(answers["uneven"], "AzureMLException", "x: 2, y: 1")
    assert_refused(answers["nested"], "AzureMLException", "list")
    assert_refused(answers["nested table"], "AzureMLException", "list")
    assert_refused(answers["no list"], "TypeError", r"log_list\(\)")
    assert_refused(answers["list"], "UserErrorException", r"log_list\(\)")
    assert_refused(answers["row of lists"], "AzureMLException", "column a")
    assert_refused(answers["no table"], "UserErrorException", "dict")
    assert_refused(answers["step"], "UserErrorException", "step")
    assert_refused(answers["too large"], "AzureMLException", "too large")
    assert_refused(answers["image"], "AzureMLException", "image")
    assert_refused(answers["no image"], "AzureMLException", "path", "plot")
    assert_refused(answers["missing image"], "FileNotFoundError", "absent.png")
    assert_refused(answers["no json"], "UserErrorException", "invalid JSON")
    assert_refused(answers["missing file"], "FileNotFoundError", "absent")
    assert_refused(answers["folder as file"], "IsADirectoryError")
    assert_refused(answers["absent file"], "UserErrorException", "absent.txt")
    assert_refused(answers["tags"], "UserErrorException", "tags", "'key': 'value'")
    assert_refused(answers["tag value"], "UserErrorException", "tags", "1001 characters")
    assert_refused(answers["tag value nul"], "UserErrorException", "tags")
    assert_refused(answers["property"], "UserErrorException", "'p'", "'1'", "'2'")
    assert_refused(answers["children"], "UserErrorException", "count")


def test_what_cannot_be_submitted_is_refused_before_anything_is_sent(project: Project) -> None:
    project.write("source/train.py", "print(1)\n")
    project.write("outside.py", "print(1)\n")
    project.write("source/.amlignore", "left_out.py\n")
    project.write("source/left_out.py", "print(1)\n")
    answers = answers_of(
        project,
        """
def submit(label, *args, **kwargs):
    attempt(label, lambda: experiment.submit(ScriptRunConfig(*args, **kwargs)))

submit("missing script", "source", "absent.py")
submit("outside", "source", "../outside.py")
submit("absolute", "source", os.path.abspath("outside.py"))
submit("folder as script", "source", ".")
submit("left out", "source", "left_out.py")
submit("no folder", "absent", "train.py")
submit("file as folder", "outside.py", "train.py")
submit("nothing", "source")
submit("both", "source", "train.py", command=["python", "train.py"])
submit("target", "source", "train.py", compute_target="gpu-cluster")
submit("duration", "source", "train.py", max_run_duration_seconds=-5)
submit("arguments", "source", "train.py", arguments=["a\\0b"])
attempt("bad tags", lambda: experiment.submit(
    ScriptRunConfig("source", "train.py"), tags=["a"]))
attempt("compute target", lambda: ComputeTarget(ws, "gpu-cluster"))
attempt("absent run", lambda: Run(experiment, "absent"))
attempt("absent run of ws", lambda: ws.get_run("absent"))
attempt("no config", lambda: Workspace.from_config("/proc/self/task"))
attempt("absent model", lambda: Model(ws, "absent"))
attempt("model path", lambda: Model.register(ws, "absent.pkl", "m"))
attempt("model tags", lambda: Model.register(ws, "bad.py", "m", tags=["pdm"]))
attempt("model properties", lambda: Model.register(ws, "bad.py", "m", properties="x"))
attempt("model version", lambda: Model(ws, "m", version="1"))
answers["left"] = [len(list(experiment.get_runs())), len(Model.list(ws))]
""",
    )
    assert answers.pop("left") == [0, 0]
    execution = "ExperimentExecutionException"
    assert_refused(answers["missing script"], execution, "absent.py", "should be inside")
    assert_refused(answers["outside"], execution, "outside.py is outside of")
    assert_refused(answers["absolute"], execution, "outside.py is outside of")
    assert_refused(answers["folder as script"], execution, "script")
    assert_refused(answers["left out"], execution, r"left_out\.py", r"\.amlignore")
    assert_refused(answers["no folder"], "FileNotFoundError", "source_directory", "absent")
    assert_refused(answers["file as folder"], "FileNotFoundError", "is a file")
    assert_refused(answers["nothing"], execution, "script or a command")
    assert_refused(answers["both"], execution, "script", "command")
    assert_refused(answers["target"], execution, "'gpu-cluster'", "'local'")
    assert_refused(answers["duration"], "UserErrorException", "max_run_duration_seconds")
    assert_refused(answers["arguments"], "UserErrorException", r"arguments\[0\]")
    assert_refused(answers["bad tags"], "UserErrorException", "tags", "'key': 'value'")
    assert_refused(answers["compute target"], "ComputeTargetException", "gpu-cluster")
    for label in ("absent run", "absent run of ws"):
        assert_refused(answers[label], "ServiceException", "'absent'")
    assert_refused(answers["no config"], "UserErrorException", "config.json")
    assert_refused(answers["absent model"], "ModelNotFoundException", "^ModelNotFound:", "absent")
    assert_refused(answers["model path"], "FileNotFoundError", "absent.pkl")
    # R047
    assert_refused(answers["model tags"], "WebserviceException", "tags", "'key': 'value'")
    assert_refused(answers["model properties"], "WebserviceException", "properties")
    assert_refused(answers["model version"], "WebserviceException", "version", "'1'")


def test_a_teams_server_without_the_workspace_and_one_that_is_down(
    new_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    team = new_server(environment={"ZAFFRE_TEAM": "1"})
    project = Project(tmp_path, team)
    environment = {
        **project.environment(),
        "ZAFFRE_HOME": str(tmp_path / "home"),
        "ZAFFRE_URL": team.url,
        "ZAFFRE_TOKEN": team.token,
    }
    project.environment = lambda: environment  # type: ignore[method-assign]
    text = (
        HEAD.split("ws = ")[0]
        + "from zaffre.client.connection import connect\n"
        + "from zaffre.sdk import session\n"
        + "session.current()._client = connect(retry_s=1.0)\n"  # 30 s are the default
        + "attempt('open', Workspace.from_config)\n"
        + "print(json.dumps(answers))\n"
    )
    absent = json.loads(project.run(text).splitlines()[-1])["open"]
    assert_refused(absent, "WorkspaceException", project.workspace_name)
    url = team.url
    team.stop()
    down = json.loads(project.run(text).splitlines()[-1])["open"]
    assert_refused(down, "ServiceException", "zaffre up", "ZAFFRE_URL", re.escape(url))
    assert "ServerUnreachableException" in down[0]


def test_a_home_that_cannot_be_is_named(tmp_path: Path, server: ServerProcess) -> None:
    project = Project(tmp_path, server)
    (tmp_path / "file").write_text("")
    environment = {**project.environment(), "ZAFFRE_HOME": str(tmp_path / "file" / "home")}
    project.environment = lambda: environment  # type: ignore[method-assign]
    text = HEAD.split("ws = ")[0]
    text += "attempt('open', Workspace.from_config)\nprint(json.dumps(answers))\n"
    answer = json.loads(project.run(text).splitlines()[-1])["open"]
    assert_refused(answer, "ServiceException", "could not be started", re.escape(str(tmp_path)))
