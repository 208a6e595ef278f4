from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from zaffre.sdk import authentication, session
from zaffre.sdk.authentication import (
    ArmTokenAuthentication,
    Audience,
    AzureCliAuthentication,
    AzureMLTokenAuthentication,
    InteractiveLoginAuthentication,
    MsiAuthentication,
    ServicePrincipalAuthentication,
    TokenAuthentication,
)
from zaffre.sdk.exceptions import UserErrorException


def _all() -> list[authentication.AbstractAuthentication]:
    return [
        InteractiveLoginAuthentication(force=True, tenant_id="t"),
        ServicePrincipalAuthentication("t", "id", "secret"),
        AzureCliAuthentication(cloud="AzureCloud"),
        MsiAuthentication(identity_config={"client_id": "x"}),
        TokenAuthentication(lambda audience: f"token for {audience}"),
        ArmTokenAuthentication("token"),
    ]


def test_making_one_asks_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ZAFFRE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(session, "_session", session.Session())
    assert len(_all()) == 6
    assert not (tmp_path / "home").exists()


def test_the_header_is_what_the_servers_own_addresses_take(home: Path, server: Any) -> None:
    import urllib.request

    for auth in _all():
        header = auth.get_authentication_header()
        assert header == {"Authorization": f"Bearer {server.token}"}
    request = urllib.request.Request(f"{server.url}/api/v1/server", headers=header)
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


def test_requests_posts_with_the_header_as_notebooks_do(home: Path, server: Any) -> None:
    requests = pytest.importorskip("requests")
    auth = InteractiveLoginAuthentication()
    answer = requests.post(
        f"{server.url}/api/v1/workspaces/open",
        headers=auth.get_authentication_header(),
        json={"name": "posted", "subscription_id": "s", "resource_group": "r"},
        timeout=30,
    )
    assert answer.status_code == 200
    assert answer.json()["workspace"]["name"] == "posted"
    assert requests.post(answer.url, json={}, timeout=30).status_code == 401


def test_a_session_of_requests_carries_the_header(home: Path, server: Any) -> None:
    requests = pytest.importorskip("requests")
    auth = InteractiveLoginAuthentication()
    for one in (auth.signed_session(), auth.signed_session(requests.Session())):
        assert one.headers["Authorization"] == f"Bearer {server.token}"
        one.close()


def test_tokens_have_azure_identitys_shape(home: Path, server: Any) -> None:
    found = AzureCliAuthentication().get_token("scope")
    assert found.token == server.token
    assert found.expires_on > time.time()
    assert server.token not in repr(found)


def test_a_users_own_callable_gives_the_bare_token() -> None:
    auth = TokenAuthentication(lambda audience: f"for {audience}")
    assert auth.get_token(audience=Audience.AZUREML) == "for AZUREML"
    with pytest.raises(UserErrorException, match="callable"):
        TokenAuthentication(None)  # type: ignore[arg-type]


def test_a_runs_own_token_is_carried() -> None:
    auth = AzureMLTokenAuthentication.create("t", 5, "h", "s", "g", "w", "e", "r")
    assert auth.get_authentication_header() == {"Authorization": "Bearer t"}
    assert auth.expiry_time == 5
    auth.set_token("u", 6)
    assert auth.token == "u"
