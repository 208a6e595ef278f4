"""The least client: http.client on one kept-alive Unix socket."""

from __future__ import annotations

import http.client
import socket


class UnixConnection(http.client.HTTPConnection):
    """http.client's connection, to a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)

    def post(self, url: str, body: bytes) -> bytes:
        """Send one request and return its answer."""
        self.request("POST", url, body)
        return self.getresponse().read()
