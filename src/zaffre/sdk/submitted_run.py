"""The run that this process belongs to, known from its environment without any request."""

from __future__ import annotations

import os

from zaffre.sdk import experiment as experiments
from zaffre.sdk import workspace as workspaces
from zaffre.sdk.run import Run


class _SubmittedRun(Run):
    """What `Run.get_context()` returns inside a submitted run.

    `complete` only sends what is logged, since the script's end decides; `cancel` only says so.
    """


def context() -> Run:
    """Return a new object of this process's run; what is not known here is fetched when asked."""
    environment = os.environ
    workspace = workspaces.known(
        workspace_id=environment.get("AZUREML_WORKSPACE_ID", ""),
        subscription_id=environment.get("AZUREML_ARM_SUBSCRIPTION", ""),
        resource_group=environment.get("AZUREML_ARM_RESOURCEGROUP", ""),
        name=environment.get("AZUREML_ARM_WORKSPACE_NAME", ""),
        location=environment.get("ZAFFRE_WORKSPACE_LOCATION"),
    )
    experiment = experiments.known(
        workspace,
        environment.get("AZUREML_EXPERIMENT_ID", ""),
        environment.get("AZUREML_ARM_PROJECT_NAME", ""),
    )
    return _SubmittedRun(experiment, environment["AZUREML_RUN_ID"], _lazy=True)
