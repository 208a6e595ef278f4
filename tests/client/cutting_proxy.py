"""A Unix socket before a server's, which cuts connections after some bytes of either way.

An answer that is cut before its first byte is the lost answer: the server did the work, and the
client cannot know.
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from pathlib import Path

from zaffre.client.transport import Address


class CuttingProxy:
    """Cuts a share of all connections; `calm` ends that. Is a Locator for the client under test.

    up_limits: the next connections that are calm are cut after so many bytes of the way up, one
    each. passed_up: bytes that have reached the server.
    """

    def __init__(self, path: Path, to: str, token: str, *, seed: int) -> None:
        self.path = path
        self.to = to
        self.token = token
        self.random = random.Random(seed)
        self.calm = False
        self.cut_up_count = 0
        self.cut_down_count = 0
        self.up_limits: list[int] = []
        self.passed_up = 0

    def __enter__(self) -> CuttingProxy:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def locate(self, lost: Address | None, *, patience_s: float) -> Address:
        del lost, patience_s
        return Address("http://localhost", self.token, str(self.path))

    def name(self) -> str:
        return str(self.path)

    def _accept(self) -> None:
        while True:
            try:
                inside, _ = self._listener.accept()
            except OSError:
                return
            outside = socket.socket(socket.AF_UNIX)
            try:
                outside.connect(self.to)
            except OSError:
                inside.close()
                outside.close()
                continue
            self._open += [inside, outside]
            up, down = 1 << 60, 1 << 60
            if not self.calm:
                kind = self.random.random()
                if kind < 0.3:
                    up = self.random.randrange(0, 3000)
                elif kind < 0.7:
                    down = self.random.choice([0, 0, self.random.randrange(0, 400)])
            elif self.up_limits:
                up = self.up_limits.pop(0)
            for source, target, limit in ((inside, outside, up), (outside, inside, down)):
                threading.Thread(
                    target=self._pass, args=(source, target, limit, source is inside), daemon=True
                ).start()

    def _pass(self, source: socket.socket, target: socket.socket, limit: int, is_up: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data[: limit - passed])
                if is_up:
                    self.passed_up += min(len(data), limit - passed)
                passed += len(data)
                if passed > limit:
                    if is_up:
                        self.cut_up_count += 1
                    else:
                        self.cut_down_count += 1
                    break
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
