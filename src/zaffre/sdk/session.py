"""This process's way to its server: one client, made when the first request needs it."""

from __future__ import annotations

import sys

from zaffre.contract.errors import ZaffreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from zaffre.client.http import Client, Query


class Session:
    """Requests to the server that the environment leads to; refusals become v1's exceptions."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._url: str | None = None
        #: Snapshots that this process has registered: (workspace, snapshot) to when (monotonic).
        self.snapshots: dict[tuple[str, str], float] = {}

    @property
    def client(self) -> Client:
        """The client, connected to nothing before its first request."""
        if self._client is None:
            from zaffre.client.connection import connect
            from zaffre.sdk.exceptions import from_refusal

            try:
                self._client = connect()
            except ZaffreError as refusal:
                raise from_refusal(refusal) from refusal
            if "ipykernel" in sys.modules:
                _say_what_pip_would_do()
        return self._client

    def request(
        self, method: str, path: str, *, json: object = None, query: Query | None = None
    ) -> Any:
        """Return the JSON that the server answers.

        Raises what `exceptions.from_refusal` makes of a refusal.
        """
        try:
            return self.client.request(method, path, json=json, query=query)
        except ZaffreError as refusal:
            from zaffre.sdk.exceptions import from_refusal

            raise from_refusal(refusal) from refusal

    def pages(self, path: str, query: Query) -> Iterator[dict[str, Any]]:
        """Yield the items of a list that the server answers page by page.

        The next page is asked for when it is needed. A page begins behind a fixed item, so none
        comes twice while new ones are being made.
        """
        query = dict(query)
        while True:
            answer = self.request("GET", path, query=query)
            yield from answer["items"]
            query["cursor"] = answer.get("next")
            if query["cursor"] is None:
                return

    @property
    def url(self) -> str:
        """The server's address for browsers, without a slash at its end."""
        if self._url is None:
            self._url = str(self.request("GET", "/server").get("url", "")).rstrip("/")
        return self._url

    @property
    def token(self) -> str:
        """The token that this process's requests carry."""
        locator = self.client.locator
        return locator.locate(None, patience_s=self.client.retry_s).token


def _say_what_pip_would_do() -> None:
    """Say in a notebook, which may have a cell `!pip install azureml-sdk`, if that does harm."""
    from zaffre.client.stand_in import notice

    words = notice()
    if words is not None:
        sys.stderr.write(f"{words}\n")


_session = Session()


def current() -> Session:
    """Return this process's session."""
    return _session
