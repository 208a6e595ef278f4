"""What was asked for in v1's words: the `runDefinition` that `get_details()` shows.

Nothing reads it back; it carries no password.
"""

from __future__ import annotations

from zaffre.sdk.section import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.environment import Environment
    from zaffre.sdk.run_configuration import RunConfiguration


def run_definition(
    configuration: RunConfiguration,
    *,
    script: str | None,
    command: str | None,
    arguments: list[str],
    max_duration_s: int | None,
) -> dict[str, Any]:
    """Return the definition of a run, in the key order that v1 answered with."""
    plain = configuration.to_plain()
    return {
        "script": script,
        "command": command or "",
        "useAbsolutePath": False,
        "arguments": arguments,
        "sourceDirectoryDataStore": plain["sourceDirectoryDataStore"],
        "framework": plain["framework"],
        "communicator": plain["communicator"],
        "target": plain["target"] or "local",
        "dataReferences": plain["dataReferences"],
        "data": plain["data"],
        "outputData": plain["outputData"],
        "datacaches": plain["datacaches"],
        "jobName": None,
        "maxRunDurationSeconds": max_duration_s,
        "nodeCount": plain["nodeCount"],
        "priority": plain["priority"],
        "credentialPassthrough": plain["credentialPassthrough"],
        "identity": None,
        "environment": _environment(configuration.environment),
        "history": {
            "outputCollection": plain["history"]["outputCollection"],
            "directoriesToWatch": plain["history"]["directoriesToWatch"],
            "enableMLflowTracking": True,
        },
        "spark": plain["spark"],
        "parallelTask": {**plain["paralleltask"], "configuration": {}},
        "amlCompute": {
            key: value for key, value in plain["amlcompute"].items() if key != "clusterMaxNodeCount"
        },
        "aiSuperComputer": None,
        "tensorflow": plain["tensorflow"],
        "mpi": plain["mpi"],
        "pyTorch": plain["pytorch"],
        "hdi": plain["hdi"],
        "containerInstance": None,
        "exposedPorts": None,
        "docker": plain["docker"],
        "cmk8sCompute": {"configuration": {}},
        "commandReturnCodeConfig": {"returnCode": "Zero", "successfulReturnCodes": []},
        "environmentVariables": plain["environmentVariables"],
        "applicationEndpoints": plain["applicationEndpoints"],
    }


def _environment(environment: Environment) -> dict[str, Any]:
    plain = environment.to_plain()
    python, docker = plain["python"], plain["docker"]
    registry = docker["baseImageRegistry"] or {}
    return {
        "name": plain["name"],
        "version": plain["version"],
        "python": {
            "interpreterPath": python["interpreterPath"],
            "userManagedDependencies": python["userManagedDependencies"],
            "condaDependencies": encode(python.get("condaDependencies")),
            "baseCondaEnvironment": python["baseCondaEnvironment"],
        },
        "environmentVariables": plain["environmentVariables"],
        "docker": {
            "baseImage": docker["baseImage"],
            "platform": docker["platform"],
            "baseDockerfile": docker["baseDockerfile"],
            "baseImageRegistry": {
                "address": registry.get("address"),
                "username": registry.get("username"),
                "password": None,
            },
            "enabled": docker["enabled"],
            "arguments": docker["arguments"],
        },
        "spark": plain["spark"],
        "inferencingStackVersion": plain["inferencingStackVersion"],
    }
