"""v1's ways to log in. Each leads to the token that this user's server has given out.

Nothing is asked of anyone: tenants, clouds, browsers and managed identities do not exist here, so
the classes take their arguments and carry the server's own token.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: How long a token is said to be good for; it is read anew at each use, seconds.
_TOKEN_LIFE_S = 3600


class AccessToken:
    """A token and until when it is good (Unix seconds), as azure-identity has it."""

    def __init__(self, token: str, expires_on: float) -> None:
        self._token = token
        self._expires_on = int(expires_on)

    @property
    def token(self) -> str:
        """The token."""
        return self._token

    @property
    def expires_on(self) -> int:
        """Until when it is good, Unix seconds."""
        return self._expires_on

    def __repr__(self) -> str:
        return f"AccessToken(token='***', expires_on={self._expires_on})"

    def __iter__(self) -> Any:
        return iter((self._token, self._expires_on))

    def __getitem__(self, index: int) -> Any:
        return (self._token, self._expires_on)[index]


class Audience:
    """Who a token is for; one token serves all here."""

    ARM = "ARM"
    AZUREML = "AZUREML"


class AbstractAuthentication:
    """What all have in common. Making one asks nobody anything."""

    def __init__(self, cloud: str | None = None) -> None:
        self._cloud = cloud

    def _bearer(self) -> str:
        from zaffre.sdk import session

        return session.current().token

    def get_authentication_header(self) -> dict[str, str]:
        """Return the header that requests to the server need."""
        return {"Authorization": f"Bearer {self._bearer()}"}

    def get_token(self, *scopes: str, **kwargs: object) -> Any:
        """Return an AccessToken."""
        import time

        return AccessToken(self._bearer(), time.time() + _TOKEN_LIFE_S)

    def signed_session(self, session: Any = None) -> Any:
        """Return a `requests` session that carries the header."""
        if session is None:
            import requests  # pyright: ignore[reportMissingModuleSource]

            session = requests.Session()
        session.headers.update(self.get_authentication_header())
        return session


class InteractiveLoginAuthentication(AbstractAuthentication):
    """The user at this machine; no browser is opened."""

    def __init__(
        self, force: bool = False, tenant_id: str | None = None, cloud: str | None = None
    ) -> None:
        super().__init__(cloud)
        self._force = force
        self._tenant_id = tenant_id


class ServicePrincipalAuthentication(AbstractAuthentication):
    """A service account; its secret is not kept and not sent anywhere."""

    def __init__(
        self,
        tenant_id: str,
        service_principal_id: str,
        service_principal_password: str,
        cloud: str | None = "AzureCloud",
        _enable_caching: bool = True,
    ) -> None:
        super().__init__(cloud)
        self._tenant_id = tenant_id
        self._service_principal_id = service_principal_id


class AzureCliAuthentication(AbstractAuthentication):
    """The session of a command line tool; none is needed."""


class MsiAuthentication(AbstractAuthentication):
    """The identity of this machine."""

    def __init__(self, cloud: str | None = None, **kwargs: object) -> None:
        super().__init__(cloud)


class TokenAuthentication(AbstractAuthentication):
    """Tokens from a callable of the user's, `audience -> token`."""

    def __init__(
        self, get_token_for_audience: Callable[[str], str], cloud: str | None = None
    ) -> None:
        super().__init__(cloud)
        if not callable(get_token_for_audience):
            from zaffre.sdk.exceptions import UserErrorException

            raise UserErrorException(
                "get_token_for_audience: must be a callable that takes an audience."
            )
        self._get_token_for_audience = get_token_for_audience

    def get_token(self, audience: str = Audience.ARM, *scopes: str, **kwargs: object) -> Any:
        """Return the bare token that the callable gives for `audience`."""
        return self._get_token_for_audience(audience)


class ArmTokenAuthentication(AbstractAuthentication):
    """A fixed token; requests to the server carry the server's own."""

    def __init__(self, arm_access_token: str, cloud: str | None = "None") -> None:
        super().__init__(cloud)
        self._arm_access_token = arm_access_token

    def update_arm_access_token(self, new_arm_access_token: str) -> None:
        """Replace the token."""
        self._arm_access_token = new_arm_access_token


class AzureMLTokenAuthentication(AbstractAuthentication):
    """A run's own token, inside the run."""

    EXPIRATION_THRESHOLD_IN_SECONDS = 95
    REFRESH_INTERVAL_IN_SECONDS = 30

    def __init__(
        self,
        azureml_access_token: str,
        expiry_time: Any = None,
        host: str | None = None,
        subscription_id: str | None = None,
        resource_group_name: str | None = None,
        workspace_name: str | None = None,
        experiment_name: str | None = None,
        run_id: str | None = None,
        user_email: str | None = None,
        experiment_id: str | None = None,
        cloud: str | None = "AzureCloud",
    ) -> None:
        super().__init__(cloud)
        self._token = azureml_access_token
        self._expiry_time = expiry_time

    @classmethod
    def create(
        cls,
        azureml_access_token: str,
        expiry_time: Any,
        host: str,
        subscription_id: str,
        resource_group_name: str,
        workspace_name: str,
        experiment_name: str,
        run_id: str,
        user_email: str | None = None,
        experiment_id: str | None = None,
    ) -> AzureMLTokenAuthentication:
        """Return one of these values."""
        return cls(azureml_access_token, expiry_time)

    @property
    def token(self) -> str:
        """The token."""
        return self._token

    @property
    def expiry_time(self) -> Any:
        """Until when it is good."""
        return self._expiry_time

    def set_token(self, token: str, expiry_time: Any) -> None:
        """Replace the token."""
        self._token, self._expiry_time = token, expiry_time

    def get_authentication_header(self) -> dict[str, str]:
        """Return the header with the run's token."""
        return {"Authorization": f"Bearer {self._token}"}
