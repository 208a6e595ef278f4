"""Authentication classes."""

from __future__ import annotations

from typing import Any

from tests.sdk.keyword_tables.table import ANY, Keyword, Table

from zaffre.sdk.authentication import (
    AbstractAuthentication,
    AccessToken,
    ArmTokenAuthentication,
    AzureCliAuthentication,
    AzureMLTokenAuthentication,
    InteractiveLoginAuthentication,
    MsiAuthentication,
    ServicePrincipalAuthentication,
    TokenAuthentication,
)

_V1 = "azureml.core.authentication."
_CLOUD = Keyword("AzureCloud", ANY)
_SESSION = {
    "signed_session": {"session": Keyword(None, "no session", AttributeError)},
    "get_authentication_header": {},
}
_TOKEN = {"get_token": {}}


def _table(
    of: type,
    make: object,
    init: dict[str, Keyword],
    attributes: dict[str, Any] | None = None,
    **methods: object,
) -> Table:
    return Table(
        of=of,
        v1=_V1 + of.__name__,
        owner=lambda _: make,
        attributes=attributes or {},
        methods={"__init__": init, **_SESSION, **_TOKEN, **methods},  # pyright: ignore[reportArgumentType]
    )


_IDENTITY = {
    "azureml_access_token": Keyword("t", ANY),
    "expiry_time": Keyword(5, ANY),
    "host": Keyword("h", ANY),
    "subscription_id": Keyword("s", ANY),
    "resource_group_name": Keyword("g", ANY),
    "workspace_name": Keyword("w", ANY),
    "experiment_name": Keyword("e", ANY),
    "run_id": Keyword("r", ANY),
    "user_email": Keyword("m", ANY),
    "experiment_id": Keyword("i", ANY),
}
_RUN_TOKEN = AzureMLTokenAuthentication("t", 5)

TABLES = [
    _table(AbstractAuthentication, AbstractAuthentication(), {"cloud": _CLOUD}),
    _table(
        InteractiveLoginAuthentication,
        InteractiveLoginAuthentication(),
        {"force": Keyword(True, ANY), "tenant_id": Keyword("t", ANY), "cloud": _CLOUD},
    ),
    _table(
        ServicePrincipalAuthentication,
        ServicePrincipalAuthentication("t", "i", "p"),
        {
            "tenant_id": Keyword("t", ANY),
            "service_principal_id": Keyword("i", ANY),
            "service_principal_password": Keyword("p", ANY),
            "cloud": _CLOUD,
            "_enable_caching": Keyword(False, ANY),
        },
    ),
    _table(AzureCliAuthentication, AzureCliAuthentication(), {"cloud": _CLOUD}),
    _table(MsiAuthentication, MsiAuthentication(), {"cloud": _CLOUD}),
    _table(
        TokenAuthentication,
        TokenAuthentication(lambda audience: audience),
        {"get_token_for_audience": Keyword(len, None), "cloud": _CLOUD},
        get_token={"audience": Keyword("ARM", ANY)},
    ),
    _table(
        ArmTokenAuthentication,
        ArmTokenAuthentication("t"),
        {"arm_access_token": Keyword("t", ANY), "cloud": _CLOUD},
        update_arm_access_token={"new_arm_access_token": Keyword("u", ANY)},
    ),
    _table(
        AzureMLTokenAuthentication,
        _RUN_TOKEN,
        {**_IDENTITY, "cloud": _CLOUD},
        {"token": str, "expiry_time": int},
        create=_IDENTITY,
        set_token={"token": Keyword("u", ANY), "expiry_time": Keyword(6, ANY)},
    ),
    Table(
        of=AccessToken,
        v1=_V1 + "AccessToken",
        owner=lambda _: AccessToken("t", 5),
        attributes={"token": str, "expires_on": int},
        methods={
            "__init__": {"token": Keyword("t", ANY), "expires_on": Keyword(5, "soon", ValueError)}
        },
    ),
]
