from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zaffre.sdk.exceptions import UserErrorException
from zaffre.sdk.keyvault import Keyvault
from zaffre.sdk.run import Run
from zaffre.sdk.workspace import Workspace


@pytest.fixture
def vault(ws: Workspace) -> Keyvault:
    """The new workspace's key vault."""
    return ws.get_default_keyvault()


def test_secrets_are_set_read_listed_and_deleted(vault: Keyvault) -> None:
    vault.set_secret(name="one", value="1")
    vault.set_secrets(secrets_batch={"two": "2", "one": "1b"})
    assert vault.get_secret(name="one") == "1b"
    assert vault.get_secrets(secrets=["two", "absent"]) == {"two": "2", "absent": None}
    assert vault.list_secrets() == [{"name": "one"}, {"name": "two"}]
    vault.delete_secret(name="one")
    vault.delete_secrets(secrets=["two", "absent"])
    assert vault.list_secrets() == []
    assert vault.get_secret("one") is None


def test_a_secret_has_a_content_type(vault: Keyvault) -> None:
    vault.set_secret("a", "1")
    vault.set_secret("b", "2", content_type="text/plain")
    assert vault.get_secret_content_type(name="a") == "application/NotProvided"
    assert vault.get_secret_content_type("b") == "text/plain"
    assert vault.get_secret_content_type("absent") is None


def test_no_secrets_asked_for_are_none(vault: Keyvault) -> None:
    assert vault.get_secrets([]) == {}
    vault.delete_secrets([])
    vault.set_secrets({})


@pytest.mark.parametrize(
    ("use", "what"),
    [
        (lambda vault: vault.set_secret(name="a_b", value="x"), "secret name"),
        (lambda vault: vault.set_secret(name=5, value="x"), "secret name"),
        (lambda vault: vault.set_secret("a", value=None), "value"),
        (lambda vault: vault.set_secret("a", value="x" * 30_000), "value: has 30000 bytes"),
        (lambda vault: vault.set_secret("a", "x", content_type=5), "content_type"),
        (lambda vault: vault.set_secrets(secrets_batch=["a"]), "secrets_batch"),
        (lambda vault: vault.set_secrets({"a": 5}), "value"),
        (lambda vault: vault.get_secret(name=""), "secret name"),
        (lambda vault: vault.get_secrets(secrets="a"), "secrets: must be a list"),
        (lambda vault: vault.get_secret_content_type(name=None), "secret name"),
        (lambda vault: vault.delete_secret(name="a b"), "secret name"),
        (lambda vault: vault.delete_secrets(secrets=None), "secrets: must be a list"),
    ],
)
def test_what_cannot_be_is_a_users_error(
    vault: Keyvault, use: Callable[[Any], Any], what: str
) -> None:
    with pytest.raises(UserErrorException, match=what):
        use(vault)


def test_a_key_vault_wants_a_workspace() -> None:
    with pytest.raises(UserErrorException, match="workspace"):
        Keyvault(workspace="ws")  # pyright: ignore[reportArgumentType]


def test_a_script_reads_its_workspaces_secrets_and_cannot_change_them(
    vault: Keyvault, submit: Callable[..., Run]
) -> None:
    vault.set_secret("db", "pass word")
    run = submit(
        "from azureml.core import Run\n"
        "run = Run.get_context()\n"
        "assert run.get_secret(name='db') == 'pass word'\n"
        "assert run.get_secret('absent') is None\n"
        "assert run.get_secrets(secrets=['db', 'no']) == {'db': 'pass word', 'no': None}\n"
        "vault = run.experiment.workspace.get_default_keyvault()\n"
        "assert vault.get_secret('db') == 'pass word'\n"
        "try:\n"
        "    vault.set_secret('db', 'x')\n"
        "except Exception as problem:\n"
        "    assert problem.status_code == 403, problem\n"
        "else:\n"
        "    raise AssertionError\n"
    )
    run.wait_for_completion()
    assert vault.get_secret("db") == "pass word"


def test_a_runs_secrets_are_wanted_by_name(run: Run) -> None:
    with pytest.raises(UserErrorException, match="secret name"):
        run.get_secret(name="a_b")
    with pytest.raises(UserErrorException, match="secrets"):
        run.get_secrets(secrets="db")


def test_no_value_is_on_the_servers_disk_or_in_its_log(home: Path, vault: Keyvault) -> None:
    value = f"value-{uuid.uuid4().hex}"
    vault.set_secret("key", value)
    with pytest.raises(UserErrorException):
        vault.set_secret("key", value * 1_000)
    assert vault.get_secret("key") == value
    for path in [home / "server.log", *(home / "store").glob("zaffre.db*")]:
        assert value.encode() not in path.read_bytes()
