"""`zaffre ...` against a real server: what it prints, where, and its exit codes."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.conftest import Zaffre, interactive_run
from tests.conftest import workspace_request

from zaffre.cli import server as zaffre_server
from zaffre.cli.main import COMMANDS
from zaffre.contract.version import ZAFFRE_VERSION

if TYPE_CHECKING:
    from conftest import ServerProcess

DONE, FAILED, WRONG_USAGE, NOT_FOUND, STATE_CONFLICT = 0, 1, 2, 3, 4


def test_the_version_and_every_command_s_line_cost_no_import_but_click() -> None:
    program = (
        "import sys; from zaffre.cli.main import call; code = call(sys.argv[1:]); "
        "heavy = [n for n in ('rich', 'http', 'zaffre.client', 'zaffre.server', 'litestar') "
        "if n in sys.modules]; print(heavy); sys.exit(code)"
    )
    for option in ("--version", "--help"):
        done = subprocess.run(
            [sys.executable, "-c", program, option], capture_output=True, text=True, check=False
        )
        assert done.returncode == DONE, done.stderr
        assert done.stdout.splitlines()[-1] == "[]"
    for name, (_, words) in COMMANDS.items():
        assert f"{name} " in done.stdout
        assert words in " ".join(done.stdout.split())


def test_without_its_packages_the_command_line_says_what_to_do() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "zaffre.cli", "doctor"],
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == FAILED
    assert "has no zaffre[server]" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_version_is_one_line(zaffre: Zaffre) -> None:
    said = zaffre("--version")
    assert (said.code, said.out) == (DONE, f"zaffre {ZAFFRE_VERSION}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help(zaffre: Zaffre, name: str) -> None:
    said = zaffre(name, "--help")
    assert said.code == DONE
    assert said.out.startswith("Usage: zaffre ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nope",),
        ("run", "list", "--limit", "x"),
        ("run", "show"),
        ("run", "nope"),
        ("doctor", "--fix", "--undo"),
        ("doctor", "--as", "1.48.0"),
    ],
)
def test_wrong_usage_is_code_2_and_said_on_stderr(
    zaffre: Zaffre, arguments: tuple[str, ...]
) -> None:
    said = zaffre(*arguments)
    assert (said.code, said.out) == (WRONG_USAGE, "")
    assert "Usage:" in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "show", "nope"),
        ("run", "logs", "nope"),
        ("run", "cancel", "nope"),
        ("why", "nope"),
        ("model", "show", "nope"),
        ("model", "download", "nope:3"),
        ("run", "list", "--experiment", "nope"),
        ("model", "list", "--workspace", "nope"),
        ("experiment", "list", "--workspace", "nope"),
    ],
)
def test_what_is_not_there_is_code_3_and_named(zaffre: Zaffre, arguments: tuple[str, ...]) -> None:
    said = zaffre(*arguments)
    assert (said.code, said.out) == (NOT_FOUND, "")
    assert "nope" in said.err
    assert "Traceback" not in said.err


def test_a_run_is_listed_and_shown(
    zaffre: Zaffre, server: ServerProcess, experiment: dict[str, Any]
) -> None:
    run_id = interactive_run(server, experiment)
    listed = zaffre("run", "list", "--experiment", experiment["name"])
    assert listed.out.splitlines()[1].startswith(f"{run_id}  ")
    assert " interactive" in listed.out
    (item,) = zaffre("run", "list", "-e", experiment["name"], "--tag", "k=v", "--json").json
    assert (item["run_id"], item["state"]) == (run_id, "Running")
    assert zaffre("run", "list", "-e", experiment["name"], "--tag", "k=w", "--json").json == []
    assert zaffre("run", "list", "-e", experiment["name"], "--state", "Failed", "--json").json == []
    shown = zaffre("run", "show", run_id)
    assert f"{experiment['name']}, run 1" in shown.out
    assert "k = v" in shown.out
    assert zaffre("run", "show", run_id, "--json").json["run"]["run_id"] == run_id


def test_a_run_s_workspace_is_named_where_there_are_several(
    zaffre: Zaffre, server: ServerProcess, workspace: dict[str, Any], experiment: dict[str, Any]
) -> None:
    run_id = interactive_run(server, experiment)
    another = server.client.post("/api/v1/workspaces/open", workspace_request())
    assert another.status == 200
    line = next(one for one in zaffre("run", "list").out.splitlines() if one.startswith(run_id))
    assert line.split()[1] == workspace["name"]
    assert f"Workspace   {workspace['name']}\n" in zaffre("run", "show", run_id).out
    assert workspace["name"] in zaffre("workspace", "list").out


def test_a_list_of_nothing_is_a_sentence_on_stderr(own_home: Zaffre) -> None:
    for noun, words in (
        ("run", "There are no runs yet."),
        ("experiment", "There are no experiments yet"),
        ("workspace", "There are no workspaces yet"),
        ("model", "No model is registered yet."),
    ):
        said = own_home(noun, "list")
        assert (said.code, said.out) == (DONE, "")
        assert said.err.startswith(words)
        assert own_home(noun, "list", "--json").json == []
    assert "no such runs" in own_home("run", "list", "--state", "Failed").err


def test_all_experiments_are_listed_however_many(
    zaffre: Zaffre,
    server: ServerProcess,
    workspace: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = f"/api/v1/workspaces/{workspace['workspace_id']}/experiments"
    names = sorted(f"exp-{uuid.uuid4().hex[:8]}" for _ in range(5))
    for name in names:
        server.client.post(path, {"name": name})
    monkeypatch.setattr(zaffre_server, "_PAGE", 2)
    listed = zaffre("experiment", "list", "--workspace", workspace["name"], "--json").json
    assert [one["name"] for one in listed] == names


def test_why_a_run_failed_is_said_once(
    zaffre: Zaffre, server: ServerProcess, experiment: dict[str, Any]
) -> None:
    run_id = interactive_run(server, experiment)
    error = {"code": "UserError", "message": "the disk is wet"}
    answer = server.client.post(f"/api/v1/runs/{run_id}/fail", {"error": error})
    assert answer.status == 200, answer.body
    assert zaffre("run", "show", run_id).out.count("the disk is wet") == 1


def test_canceling_twice_changes_nothing_and_canceling_an_ended_run_is_a_state_conflict(
    zaffre: Zaffre, server: ServerProcess, experiment: dict[str, Any]
) -> None:
    run_id = interactive_run(server, experiment)
    first = zaffre("run", "cancel", run_id)
    assert (first.code, first.out) == (DONE, f"{run_id}  Canceled\n")
    (item,) = zaffre("run", "cancel", run_id, "--json").json
    assert (item["run_id"], item["state"]) == (run_id, "Canceled")
    again = zaffre("run", "cancel", run_id)
    assert (again.code, again.out) == (first.code, first.out)
    ended = interactive_run(server, experiment)
    server.client.post(f"/api/v1/runs/{ended}/complete")
    refused = zaffre("run", "cancel", ended)
    assert refused.code == STATE_CONFLICT
    assert "Completed" in refused.err
    why = zaffre("why", run_id)
    assert f"Run {run_id} is Canceled. Canceled by " in why.out
    assert zaffre("why", run_id, "--json").json["state"] == "Canceled"


def test_the_log_of_a_run_without_one_is_empty(
    zaffre: Zaffre, server: ServerProcess, experiment: dict[str, Any]
) -> None:
    run_id = interactive_run(server, experiment)
    said = zaffre("run", "logs", run_id)
    assert (said.code, said.out) == (DONE, "")


def test_status_and_down_start_nothing(own_home: Zaffre, tmp_path: Path) -> None:
    said = own_home("status")
    assert said.code == NOT_FOUND
    assert "not running" in said.out
    assert own_home("status", "--json").json["running"] is False
    assert own_home("down").code == DONE
    assert own_home("down", "--json").json["was_running"] is False
    assert not (tmp_path / "home").exists()


def test_up_starts_one_server_that_goes_on_until_down(own_home: Zaffre, tmp_path: Path) -> None:
    first = own_home("up", "--json")
    assert first.code == DONE
    facts = first.json
    assert facts["home"] == str(tmp_path / "home")
    assert facts["idle_exit_s"] is None
    assert own_home("up", "--json").json["pid"] == facts["pid"]
    status = own_home("status")
    assert status.code == DONE
    assert facts["url"] in status.out
    other = own_home("up", "--port", "1")
    assert other.code == STATE_CONFLICT
    assert "zaffre down" in other.err
    assert own_home("down").out == "Zaffre is down.\n"
    assert own_home("status").code == NOT_FOUND
    assert own_home("up", "--json").json["url"] == facts["url"]


def test_a_server_that_cannot_start_is_one_sentence(own_home: Zaffre) -> None:
    said = own_home("up", "--database", "mysql://nowhere/x")
    assert said.code == FAILED
    assert said.err.startswith("zaffre: ")
    assert "Traceback" not in said.err


def test_doctor_names_what_it_finds(zaffre: Zaffre) -> None:
    said = zaffre("doctor", "--json")
    found = {one["what"]: one for one in said.json}
    assert found["azureml"]["state"] == "ok"
    assert found["zaffre[server]"]["state"] == "ok"
    assert found["server"]["state"] == "ok"
    assert "Python" in " ".join(found)
    assert zaffre("doctor").out.startswith("WHAT")


def test_doctor_finds_nothing_wrong_with_a_server_that_is_not_started(own_home: Zaffre) -> None:
    found = {one["what"]: one for one in own_home("doctor", "--json").json}
    assert found["server"]["state"] == "ok"
    assert "not running" in found["server"]["words"]
    assert "mend" not in found


def test_doctor_looks_at_another_interpreter(zaffre: Zaffre, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    python = str(tmp_path / "v" / "bin" / "python")
    said = zaffre("doctor", "--python", python)
    assert said.code == FAILED
    assert f"{python} has no Zaffre" in said.out
    refused = zaffre("doctor", "--fix", "--python", python)
    assert (refused.code, refused.out) == (NOT_FOUND, "")
    assert zaffre("doctor", "--undo", "--python", python, "--json").json["names"] == []
    assert zaffre("doctor", "--python", str(tmp_path / "none")).code == WRONG_USAGE


def test_sync_with_nothing_left_says_so(own_home: Zaffre) -> None:
    assert own_home("sync").out == "Nothing is left to ship.\n"


def test_a_pipe_that_closes_is_no_traceback(server: ServerProcess) -> None:
    command = f"{sys.executable} -m zaffre.cli --help | true"
    done = subprocess.run(
        ["bash", "-c", command],
        env={"ZAFFRE_HOME": str(server.home), "PATH": "/usr/bin:/bin"},
        cwd=Path(__file__).resolve().parents[2] / "src",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr


def test_deleted_workspaces_are_listed_and_come_back(zaffre: Zaffre, server: ServerProcess) -> None:
    name = f"ws-{uuid.uuid4().hex[:12]}"
    body = {"name": name, "subscription_id": "s", "resource_group": "r"}
    workspace_id = server.client.post("/api/v1/workspaces", body).json["workspace_id"]
    assert name in zaffre("workspace", "list").out
    assert server.client.request("DELETE", f"/api/v1/workspaces/{workspace_id}").status == 200
    assert name not in zaffre("workspace", "list").out
    assert name in zaffre("workspace", "list", "--deleted").out
    deleted = zaffre("workspace", "list", "--deleted", "--json").json
    assert workspace_id in [one["workspace"]["workspace_id"] for one in deleted]
    assert zaffre("workspace", "restore", workspace_id).out == f"Workspace {name!r} is back.\n"
    assert name in [one["name"] for one in zaffre("workspace", "list", "--json").json]
    assert zaffre("workspace", "restore", "absent").code == NOT_FOUND
