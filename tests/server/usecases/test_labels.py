"""Labels of what several clients change at once: none of them is lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.server.conftest import OWNER, World

from zaffre.server.usecases import experiment

CLIENTS = 8


def at_once(change: Callable[[int], object]) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(change, range(CLIENTS * 5)))


def test_clients_that_tag_an_experiment_at_once_lose_no_tag(world: World) -> None:
    experiment_id = world.experiment.experiment_id

    def tag(number: int) -> None:
        experiment.change_tags(
            experiment_id,
            set_tags={f"t{number}": "x"},
            remove_tags=[],
            caller=OWNER,
            store=world.store,
        )

    at_once(tag)
    found = experiment.get(experiment_id, caller=OWNER, store=world.store)
    assert len(found.tags) == CLIENTS * 5
