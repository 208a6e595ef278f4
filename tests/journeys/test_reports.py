"""Situations from public bug reports that need whole programs; others are with their part's tests.

Each docstring names the report.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.faults import life as lives
from tests.journeys.conftest import SOURCE, Project

pytestmark = pytest.mark.timeout(120)

HEAD = """\
import json, os, sys, time
from azureml.core import Experiment, Model, Run, ScriptRunConfig, Workspace
ws = Workspace.from_config()
experiment = Experiment(ws, "reports")
"""


def last_json(printed: str) -> Any:
    """Return what the last printed line says."""
    return json.loads(printed.splitlines()[-1])


STUBBORN = """\
import os, signal, subprocess, sys
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
if len(sys.argv) == 2:
    for _ in range(2):
        subprocess.Popen([sys.executable, __file__, sys.argv[1], "child"])
os.write(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND), b"here\\n")
while True:
    pass
"""


def test_cancel_from_another_process_ends_a_busy_script_and_both_its_children(
    project: Project,
) -> None:
    """R029, R036."""
    project.write("source/train.py", STUBBORN)
    here = project.folder / "here"
    submitted = last_json(
        project.run(
            HEAD
            + f"config = ScriptRunConfig('source', 'train.py', arguments=[{str(here)!r}])\n"
            + "print(json.dumps(experiment.submit(config).id))\n"
        )
    )
    lives.eventually(lambda: here.exists() and here.read_text().count("here") == 3, "3 processes")
    canceled = last_json(
        project.run(
            HEAD
            + "run = next(ws.experiments['reports'].get_runs())\n"
            + "began = time.monotonic()\n"
            + "run.cancel()\n"
            + "run.wait_for_completion()\n"
            + "print(json.dumps([run.id, run.get_status(), time.monotonic() - began]))\n"
        )
    )
    assert canceled[:2] == [submitted, "Canceled"]
    assert canceled[2] < 30
    lives.eventually(lambda: not processes_with(str(here)), "the end of all three")


def processes_with(word: str) -> list[int]:
    """Return the processes that have a word among their arguments."""
    found: list[int] = []
    for pid in lives.pids():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if word.encode() in words:
            found.append(pid)
    return found


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_a_worker_pool_of_a_script_logs_to_its_run(project: Project, method: str) -> None:
    """R018, in a pool."""
    pool = (
        "import multiprocessing, sys\n"
        "from azureml.core import Run\n"
        "def work(n):\n"
        "    Run.get_context(allow_offline=False).log('v', n)\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context('{method}').Pool(4) as pool:\n"
        "        pool.map(work, range(400))\n"
        "        pool.close(); pool.join()\n"
    )
    project.write("source/train.py", pool)
    values, count = last_json(
        project.run(
            HEAD
            + "run = experiment.submit(ScriptRunConfig('source', 'train.py'))\n"
            + "run.wait_for_completion()\n"
            + "runs = list(experiment.get_runs(include_children=True))\n"
            + "print(json.dumps([run.get_metrics()['v'], len(runs)]))\n"
        )
    )
    assert sorted(values) == list(range(400))
    assert count == 1


def test_a_script_that_waits_for_itself_goes_on(project: Project) -> None:
    """R034."""
    project.write(
        "source/train.py",
        "from azureml.core import Run\n"
        "run = Run.get_context()\n"
        "run.log('before', 1)\n"
        "run.flush(timeout_seconds=600)\n"
        "run.wait_for_completion(show_output=True)\n"
        "run.log('after', 2)\n",
    )
    status, metrics, took_s = last_json(
        project.run(
            HEAD
            + "began = time.monotonic()\n"
            + "run = experiment.submit(ScriptRunConfig('source', 'train.py'))\n"
            + "run.wait_for_completion()\n"
            + "took_s = time.monotonic() - began\n"
            + "print(json.dumps([run.get_status(), run.get_metrics(), took_s]))\n"
        )
    )
    assert (status, metrics) == ("Completed", {"before": 1, "after": 2})
    assert took_s < 30


def test_a_script_run_by_hand_prints_what_it_logs_and_names_the_offline_run(
    project: Project,
) -> None:
    """R052."""
    printed = project.run(
        "from azureml.core import Run\n"
        "run = Run.get_context()\n"
        "run.log('loss', 0.5)\n"
        "run.log_list('l', [1, 2])\n"
        "for what in ('run.experiment', 'run.parent', 'run.input_datasets', 'run.get_metrics()',\n"
        "             'run.register_model(\"m\")', 'run.experiment.workspace',\n"
        "             'run.get_status()'):\n"
        "    try:\n"
        "        eval(what)\n"
        "        print('works', what)\n"
        "    except AttributeError as problem:\n"
        "        assert 'offline' in str(problem), repr(problem)\n"
        "        print('told', what)\n"
        "    except Exception as problem:\n"
        "        assert 'offline' in str(problem), repr(problem)\n"
        "        print('told', what)\n"
    )
    assert "Attempted to log scalar metric loss:\n0.5\n" in printed
    assert len([line for line in printed.splitlines() if line.startswith(("works", "told"))]) == 7


def test_folders_of_3000_files_and_odd_names_come_back_byte_for_byte(project: Project) -> None:
    """R042, R049."""
    names = ["my model v1.pkl", "50%25.txt", "a#b", "a+b", "größe", "\U0001f600.bin", "q?x=1&y"]
    project.write(
        "source/train.py",
        "import os\n"
        "for n in range(3000):\n"
        "    os.makedirs(f'outputs/{n % 30}', exist_ok=True)\n"
        "    open(f'outputs/{n % 30}/{n}.txt', 'w').write(str(n) * 20)\n"
        f"for name in {names!r}:\n"
        "    open('outputs/' + name, 'w').write(name)\n"
        "with open('outputs/large.bin', 'wb') as file:\n"
        "    file.truncate(64 << 20)\n",
    )
    project.run(
        HEAD
        + "run = experiment.submit(ScriptRunConfig('source', 'train.py'))\n"
        + "run.wait_for_completion()\n"
        + "run.download_files(prefix='outputs/', output_directory='got')\n"
        + "model = run.register_model('my-model', 'outputs/my model v1.pkl')\n"
        + "assert os.path.basename(model.download('model')) == 'my model v1.pkl'\n"
        + "print(Model.get_model_path('my-model', _workspace=ws))\n"
    )
    got = project.folder / "got" / "outputs"
    for number in range(3000):
        assert (got / str(number % 30) / f"{number}.txt").read_text() == str(number) * 20
    for name in names:
        assert (got / name).read_text() == name
    assert (got / "large.bin").stat().st_size == 64 << 20
    assert sum(len(files) for _, _, files in os.walk(got)) == 3001 + len(names)
    assert (project.folder / "model" / "my model v1.pkl").read_text() == "my model v1.pkl"


def test_outputs_go_up_only_if_they_are_named(project: Project) -> None:
    """R045."""
    printed = project.run(
        HEAD
        + "def run_with(outputs):\n"
        + "    run = experiment.start_logging(outputs=outputs, snapshot_directory=None)\n"
        + "    os.makedirs('outputs', exist_ok=True)\n"
        + "    open('outputs/m.pkl', 'w').write(str(outputs))\n"
        + "    run.complete()\n"
        + "    print(json.dumps(run.get_file_names()))\n"
        + "run_with('outputs')\n"
        + "run_with(None)\n"
    )
    lines = printed.splitlines()
    assert lines[-1] == "[]"
    assert '["outputs/m.pkl"]' in lines
    assert "outputs/m.pkl" not in lines[-2]
    assert "not uploaded" in lines[-2]


def test_tags_that_are_no_dict_are_refused_by_name_and_nothing_is_registered(
    project: Project,
) -> None:
    """R047."""
    refused = last_json(
        project.run(
            HEAD
            + "open('m.pkl', 'w').write('m')\n"
            + "refused = []\n"
            + "for what in ({'tags': ['pdm']}, {'tags': 'pdm'}, {'properties': 'x'},\n"
            + "             {'properties': [1]}):\n"
            + "    try:\n"
            + "        Model.register(ws, 'm.pkl', 'm', **what)\n"
            + "    except Exception as problem:\n"
            + "        refused.append(problem.message)\n"
            + "refused.append(len(Model.list(ws)))\n"
            + "model = Model.register(ws, 'm.pkl', 'm', tags={1: 2})\n"
            + "refused.append(Model(ws, 'm').tags)\n"
            + "print(json.dumps(refused))\n"
        )
    )
    fields = ("tags", "tags", "properties", "properties")
    for message, field in zip(refused[:4], fields, strict=True):
        assert message.startswith(f"{field}: must be a dict such as {{'key': 'value'}}"), message
    assert refused[4:] == [0, {"1": "2"}]


def test_the_sdk_asks_for_no_package_of_its_own() -> None:
    """R108: what is there is neither changed nor in the way."""
    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == []
    # What reads data is asked for by name, and bars no release that a user may have to keep.
    assert not any("<" in one or "==" in one for one in project["optional-dependencies"]["data"])


#: What a kernel has of IPython, as much as a front end gets: the parts of each output.
KERNEL = {
    "IPython/__init__.py": (
        "class Shell:\n"
        "    kernel = events = None\n"
        "    def __getattr__(self, name):\n"
        "        return lambda *given: {}\n"
        "shell = Shell()\n"
        "shell.kernel = shell.events = Shell()\n"
        "def get_ipython():\n"
        "    return shell\n"
    ),
    "IPython/display.py": (
        "shown = []\ndef display(bundle, raw, display_id):\n    shown.append(bundle)\n"
    ),
}


def test_run_details_are_html_and_text_without_a_widget(project: Project) -> None:
    """R126."""
    for name, text in KERNEL.items():
        project.write(name, text)
    shown = last_json(
        project.run(
            HEAD.replace("import json", "import IPython, json")
            + "from azureml.widgets import RunDetails\n"
            + "import IPython.display\n"
            + "project_file = open('source.py', 'w').write('print(\"from the script\")')\n"
            + "os.makedirs('source', exist_ok=True); os.rename('source.py', 'source/train.py')\n"
            + "run = experiment.submit(ScriptRunConfig('source', 'train.py'))\n"
            + "run.wait_for_completion()\n"
            + "run.log('accuracy <b>', 0.91); run.flush()\n"
            + "RunDetails(run).show()\n"
            + "print(json.dumps(IPython.display.shown))\n"
        )
    )
    assert all(set(bundle) == {"text/plain", "text/html"} for bundle in shown)
    bundle = {kind: "".join(one[kind] for one in shown) for kind in ("text/plain", "text/html")}
    for part in bundle.values():
        assert "Completed" in part
        assert "0.91" in part
        assert "from the script" in part
    assert "accuracy <b>" in bundle["text/plain"]
    assert "accuracy &lt;b&gt;" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]


def test_a_large_model_goes_up_with_flat_memory_while_others_log(project: Project) -> None:
    """R131, smaller."""
    server = project.server.process
    assert server is not None
    with (project.folder / "large.bin").open("wb") as file:
        for number in range(400):
            file.write(number.to_bytes(2, "big") * (1 << 19))
    project.run(HEAD)
    before = peak_bytes(server.pid)
    project.write("upload.py", HEAD + "print(Model.register(ws, 'large.bin', 'large').version)\n")
    project.write(
        "log.py",
        HEAD
        + "run = experiment.start_logging(snapshot_directory=None)\n"
        + "slowest_s = 0\n"
        + "for number in range(30):\n"
        + "    began = time.monotonic()\n"
        + "    run.log('v', number); run.flush(timeout_seconds=20)\n"
        + "    slowest_s = max(slowest_s, time.monotonic() - began)\n"
        + "assert run.get_metrics()['v'] == list(range(30))\n"
        + "run.complete()\n"
        + "print(slowest_s)\n",
    )
    started: list[subprocess.Popen[str]] = [
        subprocess.Popen(
            [sys.executable, name],
            cwd=project.folder,
            env=project.environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("upload.py", "log.py", "log.py", "log.py")
    ]
    printed = [program.communicate(timeout=50)[0].splitlines()[-1] for program in started]
    assert printed[0] == "1"
    assert max(float(line) for line in printed[1:]) < 5
    assert peak_bytes(server.pid) - before < 200 << 20


def peak_bytes(pid: int) -> int:
    """Return the most memory that a process has held."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
