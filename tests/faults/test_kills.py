"""The promise: what `log` returned for is stored exactly once, and every run ends.

ZAFFRE_FAULTS_REPEAT=100 (make faults REPEAT=100) plays each attack so often and renews the
figures of docs/durability.md.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults import life as lives
from tests.faults.figures import Figures, Kill

REPEAT = int(os.environ.get("ZAFFRE_FAULTS_REPEAT", "2"))

pytestmark = pytest.mark.timeout(120 + 30 * REPEAT)


@pytest.fixture(scope="module")
def figures() -> Iterator[Figures]:
    """Counts of this module's kills, written to the docs after a long series."""
    counted = Figures()
    yield counted
    if REPEAT >= 50:
        counted.write()


@pytest.fixture
def own_server(new_server: Any) -> Any:
    """A server that only this test kills."""
    return new_server(environment={"ZAFFRE_LOCAL_SLOTS": "4"})


@pytest.mark.parametrize("attack", lives.ATTACKS, ids=lambda attack: attack.name)
def test_what_was_logged_survives_the_death_of(
    attack: lives.Attack, own_server: Any, tmp_path: Path, figures: Figures
) -> None:
    moments = lives.random_moment(seed=int(os.environ.get("ZAFFRE_FAULTS_SEED", "1")))
    for _ in range(REPEAT):
        life = lives.start(own_server, tmp_path)
        lives.Pause().rest(next(moments))
        before = life.run()["state"]
        struck = time.monotonic()
        attack.strike(life)
        run = life.wait_for_state(*lives.FINAL)
        end_s = time.monotonic() - struck
        kill = Kill(before, run["state"], life.acknowledged(), life.stored(), end_s)
        figures.add(attack.name, kill)
        assert run["state"] in attack.states, lives.describe(run)
        if run["state"] == "Failed":
            assert lives.reason_of(run) in attack.reasons, lives.describe(run)
        life.assert_nothing_is_lost()
        life.assert_no_process_is_left()


def test_a_killed_runner_fails_its_run_within_a_second_and_says_why(
    own_server: Any, tmp_path: Path
) -> None:
    life = lives.start(own_server, tmp_path, count=100_000, pause_s=0.01)
    life.wait_until_acknowledged(20)
    killed = time.monotonic()
    lives.kill_runner(life)
    run = life.wait_for_state("Failed", limit_s=5.0)
    assert time.monotonic() - killed < 2.0  # a second, and what two busy cores may add
    assert lives.reason_of(run) == "runner_died"
    life.assert_nothing_is_lost()
    life.assert_no_process_is_left()


def test_a_server_restart_neither_kills_nor_forgets_a_running_run(
    own_server: Any, tmp_path: Path
) -> None:
    life = lives.start(own_server, tmp_path, count=300, pause_s=0.01)
    life.wait_until_acknowledged(20)
    runner = life.runner_pid()
    for _ in range(3):
        own_server.restart()
    assert life.runner_pid() == runner
    assert life.wait_for_state(*lives.FINAL)["state"] == "Completed"
    assert life.stored() == list(range(300))


def test_a_long_outage_of_the_server_neither_slows_nor_fails_a_script(
    own_server: Any, tmp_path: Path
) -> None:
    life = lives.start(own_server, tmp_path, count=300, pause_s=0.002)
    life.wait_until_acknowledged(10)
    own_server.kill()
    life.wait_until_acknowledged(300)  # the script goes on, and ends, without a server
    own_server.start()
    assert life.wait_for_state(*lives.FINAL)["state"] == "Completed"
    assert life.stored() == list(range(300))


def test_a_silent_runner_is_not_responding_at_most_and_running_again_when_it_goes_on(
    new_server: Any, tmp_path: Path
) -> None:
    server = new_server(environment={"ZAFFRE_LEASE_S": "2", "ZAFFRE_RENEW_HOLD_S": "0.5"})
    life = lives.start(server, tmp_path, count=150, pause_s=0.02)
    life.wait_until_acknowledged(10)
    stopped = [life.runner_pid(), *life.processes()]
    for pid in stopped:
        lives.send(pid, signal.SIGSTOP)
    life.wait_for_state("NotResponding")
    for pid in stopped:
        lives.send(pid, signal.SIGCONT)
    life.wait_for_state("Running", "Finalizing", "Completed")
    assert life.wait_for_state(*lives.FINAL)["state"] == "Completed"
    assert life.stored() == list(range(150))


STUBBORN = """\
import os, signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
sleeper = "import time, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", sleeper])
subprocess.Popen([sys.executable, "-c", sleeper], start_new_session=True)
os.write(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND), b"0\\n")
while True:
    pass
"""


def test_cancel_ends_a_script_that_ignores_it_and_its_children_in_other_sessions(
    own_server: Any, tmp_path: Path
) -> None:
    life = lives.start(own_server, tmp_path, script=STUBBORN)
    life.wait_until_acknowledged(1)
    assert own_server.client.post(f"/api/v1/runs/{life.run_id}/cancel").status == 202
    assert life.wait_for_state(*lives.FINAL)["state"] == "Canceled"
    life.assert_no_process_is_left()


@pytest.mark.parametrize("pause_s", [0.0, 0.005, 0.01, 0.02, 0.04, 0.08])
def test_cancel_at_any_early_stage_ends_as_canceled_and_leaves_no_process(
    pause_s: float, own_server: Any, tmp_path: Path
) -> None:
    life = lives.start(own_server, tmp_path, count=100_000, pause_s=0.01)
    lives.Pause().rest(pause_s)
    assert own_server.client.post(f"/api/v1/runs/{life.run_id}/cancel").status == 202
    assert life.wait_for_state(*lives.FINAL)["state"] == "Canceled"
    life.assert_no_process_is_left()


def test_a_queued_run_is_canceled_at_once(new_server: Any, tmp_path: Path) -> None:
    server = new_server(environment={"ZAFFRE_LOCAL_SLOTS": "1"})
    first = lives.start(server, tmp_path, count=100_000, pause_s=0.01)
    first.wait_until_acknowledged(1)
    second = lives.start(server, tmp_path)
    # The dispatcher says so when it has looked, which is after the submit was answered.
    lives.eventually(
        lambda: lives.reason_of(second.run()) == "waits_for_slot", "the reason that it waits"
    )
    assert server.client.post(f"/api/v1/runs/{second.run_id}/cancel").json["state"] == "Canceled"
    server.client.post(f"/api/v1/runs/{first.run_id}/cancel")
    first.wait_for_state("Canceled")
