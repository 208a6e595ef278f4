"""HTTP/1.1 as uvicorn reads it, less one thing: a request line that names a host.

`GET http://evil.example/path` is for proxies. Its host beats the Host header (RFC 9112, 3.2.2),
and uvicorn drops it before the door could look at it, so it is refused here.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class OriginFormProtocol(HttpToolsProtocol):
    """Refuses request targets that do not begin with '/'."""

    def on_headers_complete(self) -> None:
        """Check the target, then go on as usual."""
        if not self.url.startswith(b"/"):
            raise ValueError("the request target is not a path")
        super().on_headers_complete()
