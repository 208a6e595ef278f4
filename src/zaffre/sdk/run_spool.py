"""Where this process keeps what it logs until the server has it: one spool for a run and its kin.

Inside a submitted run that is the run's own spool folder, which its runner ships. An interactive
run has a folder below the home, shipped by a thread of this process; the children that are made
from it here share it, since a record names its run.
"""

from __future__ import annotations

import os

from zaffre.client.background import background
from zaffre.client.connection import home_folder, named_url
from zaffre.client.interactive import discard, prepare
from zaffre.client.metric_log import MetricLog
from zaffre.client.shipping import Shipper
from zaffre.client.spool import Spool
from zaffre.sdk import session
from zaffre.sdk.exceptions import AzureMLException

FLUSH_TIMEOUT_S = 300.0

_spools: dict[str, RunSpool] = {}


class RunSpool:
    """The spool of one run in this process, and what ships it.

    run_id: whose spools the server files these under. submitted: a runner ships the folder.
    """

    def __init__(self, run_id: str, folder: str, *, submitted: bool) -> None:
        self.run_id = run_id
        self.submitted = submitted
        #: Ids of the runs that this process logs to through the spool.
        self.logged: set[str] = set()
        self.spool = Spool(folder)
        self.shipper = Shipper(session.current().client, run_id, folder)

    def log_of(self, run_id: str) -> MetricLog:
        """Return what appends records of a run to this spool."""
        self.logged.add(run_id)
        if self.submitted:
            return MetricLog(run_id, self.spool)
        return MetricLog(run_id, self.spool, after=background.ensure_running)

    def watch(self) -> None:
        """Let this process's thread ship the spool and renew the run's lease."""
        if not self.submitted:
            background.watch(self.shipper)

    def flush(self, timeout_s: float = FLUSH_TIMEOUT_S) -> None:
        """Return when the server has all that was logged before this call.

        Raises AzureMLException when it has not within `timeout_s`; nothing is lost by that.
        """
        from zaffre.contract.errors import ZaffreError
        from zaffre.sdk.exceptions import from_refusal

        if not self.shipper.has_news():
            return
        try:
            complete = self.shipper.flush(timeout_s)
        except ZaffreError as refusal:
            raise from_refusal(refusal) from refusal
        if not complete:
            raise AzureMLException(
                f"Not all that run {self.run_id!r} logged is at the server after {timeout_s:g} s. "
                f"It is kept in {self.shipper.folder} and will be sent later."
            )

    def end(self) -> None:
        """The run has ended and all is shipped: remove its folder."""
        if self.submitted:
            return
        background.forget(self.shipper)
        self.spool.close()
        discard(self.shipper)
        _spools.pop(self.run_id, None)


def of_run(run_id: str) -> RunSpool:
    """Return this process's spool for a run, made if need be."""
    own_id = os.environ.get("AZUREML_RUN_ID")
    folder = os.environ.get("ZAFFRE_SPOOL_FOLDER")
    submitted = own_id is not None and folder is not None
    key = own_id if own_id is not None and submitted else run_id
    found = _spools.get(key)
    if found is None:
        if folder is None or not submitted:
            folder = prepare(home_folder(), key, server=named_url(session.current().client))
        found = _spools.setdefault(key, RunSpool(key, folder, submitted=submitted))
        found.watch()
    return found


def find(run_id: str) -> list[RunSpool]:
    """Return the spools through which this process has logged to a run: its own, its parent's."""
    return [
        spool
        for spool in list(_spools.values())
        if run_id == spool.run_id or run_id in spool.logged
    ]
