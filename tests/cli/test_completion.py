"""What the shell is offered, asked as bash, zsh and fish ask."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zaffre.cli.main import zaffre as command

if TYPE_CHECKING:
    from tests.cli.conftest import Zaffre
    from tests.conftest import ServerProcess

from tests.cli.conftest import interactive_run


@pytest.fixture
def offered(
    zaffre: Zaffre, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Return what bash is offered for the last word: `offered("run", "show", "ab")`."""

    def ask(*words: str) -> list[str]:
        monkeypatch.setenv("_ZAFFRE_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(["zaffre", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        capsys.readouterr()
        with pytest.raises(SystemExit):
            command.main([], prog_name="zaffre", standalone_mode=False)
        return [line.partition(",")[2] for line in capsys.readouterr().out.split()]

    return ask


def test_ids_and_names_that_the_server_has_are_offered(
    offered: Any, server: ServerProcess, workspace: dict[str, Any], experiment: dict[str, Any]
) -> None:
    run_id = interactive_run(server, experiment)
    assert offered("run", "show", run_id[:20]) == [run_id]
    assert offered("run", "compare", run_id, run_id[:20]) == [run_id]
    assert offered("why", run_id[:20]) == [run_id]
    assert offered("run", "list", "-e", experiment["name"][:-1]) == [experiment["name"]]
    assert offered("run", "list", "--workspace", workspace["name"][:-1]) == [workspace["name"]]
    assert offered("run", "list", "--state", "cancel") == ["CancelRequested", "Canceled"]
    assert offered("run", "show", "it's_%") == []


def test_commands_and_options_are_offered(offered: Any) -> None:
    assert offered("run", "com") == ["compare"]
    assert offered("comp") == ["completion"]
    assert offered("run", "list", "--wh") == ["--where"]
    assert offered("completion", "z") == ["zsh"]


def test_without_a_server_nothing_is_offered_said_or_started(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = {
        "ZAFFRE_HOME": str(home),
        "_ZAFFRE_COMPLETE": "fish_complete",
        "COMP_WORDS": "zaffre run show ",
        "COMP_CWORD": "",
        "PYTHONPATH": ":".join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "zaffre.cli"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")
    assert not home.exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_s_script_is_printed(zaffre: Zaffre, shell: str) -> None:
    said = zaffre("completion", shell)
    assert said.code == 0
    assert f"_ZAFFRE_COMPLETE={shell}_complete" in said.out
