"""What is printed inside `with run:` also goes to the run's file logs/user_log.txt."""

from __future__ import annotations

import sys

from zaffre.contract.errors import Refused, ZaffreError
from zaffre.sdk import session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: So much text is sent while the block still runs, characters.
_SEND_CHARS = 1 << 16


class OutputCapture:
    """Stands in for sys.stdout: passes everything on, and keeps a copy for the run."""

    def __init__(self, run_id: str, name: str) -> None:
        self._run_id = run_id
        self._name = name
        self._parts: list[str] = []
        self._held = 0
        self._offset = 0
        self._lost = False
        self._stdout: Any = sys.stdout

    def start(self) -> None:
        """Put this in the place of sys.stdout."""
        self._stdout = sys.stdout
        sys.stdout = self

    def stop(self, last: str = "") -> None:
        """Put sys.stdout back, if it is still this, and send what is left and `last`."""
        if sys.stdout is self:
            sys.stdout = self._stdout
        if last:
            self._parts.append(last)
        self._send()

    def write(self, text: str) -> int:
        """Write to both."""
        self._parts.append(text)
        self._held += len(text)
        if self._held >= _SEND_CHARS:
            self._send()
        return self._stdout.write(text)

    def writelines(self, lines: Any) -> None:
        """Write to both."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stdout, name)

    def _send(self) -> None:
        data = "".join(self._parts).encode("utf-8", "replace")
        self._parts, self._held = [], 0
        if not data or self._lost:
            return
        where = f"/runs/{self._run_id}/logs/{self._name}"
        try:
            try:
                self._offset = self._append(where, data)
            except Refused as refusal:
                if refusal.code != "offset.conflict":
                    raise
                # Another block of this run has written there, or an answer was lost.
                stored = int(str(refusal.facts["offset"]))
                lost_answer = stored == self._offset + len(data)
                self._offset = stored
                if not lost_answer:
                    self._offset = self._append(where, data)
        except ZaffreError as problem:
            self._lost = True
            import warnings

            warnings.warn(
                f"The output of run {self._run_id} is not stored: {problem}", stacklevel=3
            )

    def _append(self, where: str, data: bytes) -> int:
        answer = session.current().client.request(
            "PUT",
            where,
            body=data,
            query={"offset": self._offset},
            headers={"Content-Type": "application/octet-stream"},
        )
        return int(answer["offset"])
