"""The workspace: the top object of SDK v1."""

from __future__ import annotations

from zaffre.sdk import argument, session
from zaffre.sdk.exceptions import NotBuiltYetException, UserErrorException, WorkspaceException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, NoReturn

    from zaffre.sdk.environment import Environment
    from zaffre.sdk.experiment import Experiment
    from zaffre.sdk.keyvault import Keyvault
    from zaffre.sdk.model import Model
    from zaffre.sdk.private_endpoint import PrivateEndPoint
    from zaffre.sdk.run import Run

#: What `Workspace.setup` opens, and where `create` puts a workspace without a location.
_SETUP_NAME = "zaffre"
_LOCATION = "local"


#: v1's names of what `diagnose_workspace` looks at.
_DIAGNOSES = (
    "userDefinedRouteResults",
    "networkSecurityRuleResults",
    "resourceLockResults",
    "dnsResolutionResults",
    "storageAccountResults",
    "keyVaultResults",
    "containerRegistryResults",
    "applicationInsightsResults",
    "otherResults",
)


class Workspace:
    """An existing workspace on the server that the environment leads to.

    Its name, subscription, resource group and location are what config.json or `create` said;
    they choose nothing else. Raises WorkspaceException if there is none.
    """

    DEFAULT_CPU_CLUSTER_NAME = "cpu-cluster"
    DEFAULT_GPU_CLUSTER_NAME = "gpu-cluster"
    DEFAULT_CPU_CLUSTER_CONFIGURATION = None
    DEFAULT_GPU_CLUSTER_CONFIGURATION = None

    def __init__(
        self,
        subscription_id: str,
        resource_group: str,
        workspace_name: str,
        auth: object = None,
        _location: str | None = None,
        _disable_service_check: bool = False,
        _workspace_id: str | None = None,
        sku: str = "basic",
        tags: dict[str, str] | None = None,
        _cloud: str = "AzureCloud",
        *,
        _record: dict[str, Any] | None = None,
    ) -> None:
        self._subscription_id = argument.text(subscription_id, "subscription_id")
        self._resource_group = argument.text(resource_group, "resource_group")
        self._name = argument.text(workspace_name, "workspace_name")
        self._auth = auth
        self._known_id = _workspace_id
        self._known_location = _location
        self._loaded = _record
        if _record is None and _workspace_id is None:
            self._loaded = self._find()

    def _find(self) -> dict[str, Any]:
        found = session.current().request(
            "GET",
            "/workspaces",
            query={
                "name": self._name,
                "subscription_id": self._subscription_id,
                "resource_group": self._resource_group,
            },
        )["items"]
        if not found:
            raise WorkspaceException(
                f"There is no workspace {self._name!r} in resource group {self._resource_group!r} "
                f"of subscription {self._subscription_id!r}. Create it by Workspace.create, or "
                "open it by Workspace.from_config."
            )
        return found[0]

    @property
    def _record(self) -> dict[str, Any]:
        """The server's record; a run's own workspace is fetched when more than its id is asked."""
        if self._loaded is None:
            self._loaded = session.current().request("GET", f"/workspaces/{self._known_id}")
        return self._loaded  # pyright: ignore[reportReturnType]

    @staticmethod
    def from_config(
        path: str | None = None,
        auth: object = None,
        _logger: object = None,
        _file_name: str | None = None,
    ) -> Workspace:
        """Open the workspace that a config.json names; section 3 of v1's rules says where it is.

        On a personal server a workspace that is not there yet is created, and one line says so.
        Raises UserErrorException, json.JSONDecodeError, WorkspaceException on a team's server.
        """
        from zaffre.sdk import workspace_config

        found = workspace_config.find(path, _file_name)
        subscription_id, resource_group, name = workspace_config.read(found)
        return _open(subscription_id, resource_group, name, f"named by {found}")

    @staticmethod
    def create(
        name: str,
        auth: object = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        create_resource_group: bool = True,
        sku: str = "basic",
        tags: dict[str, str] | None = None,
        friendly_name: str | None = None,
        storage_account: str | None = None,
        key_vault: str | None = None,
        app_insights: str | None = None,
        container_registry: str | None = None,
        adb_workspace: object = None,
        primary_user_assigned_identity: str | None = None,
        cmk_keyvault: str | None = None,
        resource_cmk_uri: str | None = None,
        hbi_workspace: bool = False,
        default_cpu_compute_target: object = None,
        default_gpu_compute_target: object = None,
        private_endpoint_config: object = None,
        private_endpoint_auto_approval: bool = True,
        exist_ok: bool = False,
        show_output: bool = True,
        user_assigned_identity_for_cmk_encryption: str | None = None,
        system_datastores_auth_mode: str = "accessKey",
        v1_legacy_mode: bool | None = None,
    ) -> Workspace:
        """Create a workspace; of v1's resources none is needed, so those arguments change nothing.

        Raises WorkspaceException if it exists, unless `exist_ok`: then it is returned.
        """
        from zaffre.sdk import notices

        notices.ignored(
            "Workspace.create",
            {
                "storage_account": storage_account,
                "key_vault": key_vault,
                "app_insights": app_insights,
                "container_registry": container_registry,
                "adb_workspace": adb_workspace,
                "primary_user_assigned_identity": primary_user_assigned_identity,
                "cmk_keyvault": cmk_keyvault,
                "resource_cmk_uri": resource_cmk_uri,
                "default_cpu_compute_target": default_cpu_compute_target,
                "default_gpu_compute_target": default_gpu_compute_target,
                "user_assigned_identity_for_cmk_encryption": (
                    user_assigned_identity_for_cmk_encryption
                ),
            },
        )
        record = session.current().request(
            "POST",
            "/workspaces",
            json={
                "name": _name(name),
                "subscription_id": subscription_id or "zaffre",
                "resource_group": resource_group or "zaffre",
                "location": location or _LOCATION,
                "sku": argument.text(sku, "sku").capitalize(),
                "friendly_name": friendly_name,
                "tags": _labels(tags),
                "exist_ok": exist_ok,
            },
        )
        if show_output:
            _say(f"Workspace {name!r} is ready on this Zaffre server.")
        made = _of_record(record)
        if private_endpoint_config is not None:
            made.add_private_endpoint(
                private_endpoint_config,
                private_endpoint_auto_approval,
                show_output=show_output,
            )
        return made

    @staticmethod
    def get(
        name: str,
        auth: object = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        cloud: str = "AzureCloud",
        id: str | None = None,
    ) -> Workspace:
        """Return an existing workspace by its name, and its subscription and group if given.

        Raises WorkspaceException if there is none, or several (`found_multiple`).
        """
        if id is not None:
            return _of_record(session.current().request("GET", f"/workspaces/{id}"))
        found = session.current().request(
            "GET",
            "/workspaces",
            query={
                "name": name,
                "subscription_id": subscription_id,
                "resource_group": resource_group,
            },
        )["items"]
        if not found:
            raise WorkspaceException(
                f"There is no workspace {name!r} on this server. Workspace.list names those that "
                "are there; Workspace.create makes one."
            )
        if len(found) > 1:
            raise WorkspaceException(
                f"{len(found)} workspaces are named {name!r}. Give resource_group and "
                "subscription_id as well.",
                found_multiple=True,
            )
        return _of_record(found[0])

    @staticmethod
    def list(
        subscription_id: str, auth: object = None, resource_group: str | None = None
    ) -> dict[str, list[Workspace]]:
        """Return the workspaces of a subscription: name to a list of Workspace."""
        found = session.current().request(
            "GET",
            "/workspaces",
            query={
                "subscription_id": argument.text(subscription_id, "subscription_id"),
                "resource_group": argument.optional_text(resource_group, "resource_group"),
            },
        )["items"]
        named: dict[str, Any] = {}
        for record in found:
            named.setdefault(record["name"], []).append(_of_record(record))
        return named

    @staticmethod
    def setup() -> Workspace:
        """Return the workspace that config.json names, else the default one of this user."""
        try:
            return Workspace.from_config()
        except UserErrorException:
            return _open("zaffre", "zaffre", _SETUP_NAME, "the default one")

    def write_config(self, path: str | None = None, file_name: str | None = None) -> None:
        """Write `.azureml/config.json` below `path` (default: the current folder).

        Raises UserErrorException when `path` is not there.
        """
        from zaffre.sdk import workspace_config

        workspace_config.write(self.scope, path, file_name)

    @property
    def scope(self) -> str:
        """The workspace's id as v1 wrote it, `/subscriptions/...` (not a name of v1's)."""
        from zaffre.sdk import workspace_config

        return workspace_config.scope_of(self._subscription_id, self._resource_group, self._name)

    def _resource(self, kind: str) -> str:
        """Return an id of v1's form for what this server itself is to the workspace."""
        group = f"/subscriptions/{self._subscription_id}/resourceGroups/{self._resource_group}"
        return f"{group}/providers/Microsoft.{kind}/{self._name}"

    @property
    def workspace_id(self) -> str:
        """The workspace's id on the server (not a name of v1's)."""
        return self._known_id or self._record["workspace_id"]

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self._name

    @property
    def subscription_id(self) -> str:
        """What config.json or `create` said."""
        return self._subscription_id

    @property
    def resource_group(self) -> str:
        """What config.json or `create` said."""
        return self._resource_group

    @property
    def location(self) -> str:
        """What `create` said, `local` if it said nothing."""
        return self._known_location or self._record.get("location") or _LOCATION

    @property
    def sku(self) -> str:
        """`Basic`."""
        return self._record.get("sku") or "Basic"

    @property
    def tags(self) -> dict[str, Any]:
        """The workspace's tags."""
        return dict(self._record.get("tags") or {})

    @property
    def discovery_url(self) -> str:
        """The server's address."""
        return session.current().url

    @property
    def service_context(self) -> NoReturn:
        """v1's clients of single services."""
        raise NotBuiltYetException("Workspace.service_context")

    def get_details(self) -> dict[str, Any]:
        """Return what is known of the workspace, under v1's keys."""
        record = self._record
        return {
            "id": self.scope,
            "name": self._name,
            "identityPrincipalId": "",
            "identityTenantId": "",
            "identityType": "SystemAssigned",
            "location": self.location,
            "type": "Microsoft.MachineLearningServices/workspaces",
            "tags": self.tags,
            "sku": self.sku,
            "workspaceid": self.workspace_id,
            "sdkTelemetryAppInsightsKey": "",
            "description": record.get("description") or "",
            "friendlyName": record.get("friendly_name") or self._name,
            "creationTime": record.get("created_at"),
            "containerRegistry": self._resource("ContainerRegistry/registries"),
            "keyVault": self._resource("KeyVault/vaults"),
            "applicationInsights": self._resource("Insights/components"),
            "storageAccount": self._resource("Storage/storageAccounts"),
            "hbiWorkspace": False,
            "provisioningState": "Succeeded",
            "imageBuildCompute": "",
            "discoveryUrl": session.current().url,
            "systemDatastoresAuthMode": "accessKey",
        }

    def update(
        self,
        friendly_name: str | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        image_build_compute: str | None = None,
        service_managed_resources_settings: object = None,
        primary_user_assigned_identity: str | None = None,
        allow_public_access_when_behind_vnet: bool | None = None,
        v1_legacy_mode: bool | None = None,
    ) -> dict[str, Any]:
        """Change what is given; return `get_details()`."""
        from zaffre.sdk import notices

        notices.ignored(
            "Workspace.update",
            {
                "image_build_compute": image_build_compute,
                "service_managed_resources_settings": service_managed_resources_settings,
                "primary_user_assigned_identity": primary_user_assigned_identity,
                "allow_public_access_when_behind_vnet": allow_public_access_when_behind_vnet,
                "v1_legacy_mode": v1_legacy_mode,
            },
        )
        change: dict[str, Any] = {"friendly_name": friendly_name, "description": description}
        change["tags"] = None if tags is None else _labels(tags)
        given = {name: value for name, value in change.items() if value is not None}
        self._loaded = session.current().request(
            "PATCH", f"/workspaces/{self.workspace_id}", json=given
        )
        return self.get_details()

    @property
    def experiments(self) -> dict[str, Experiment]:
        """Name to Experiment, fetched now."""
        from zaffre.sdk.experiment import Experiment

        return {experiment.name: experiment for experiment in Experiment.list(self)}

    @property
    def models(self) -> dict[str, Model]:
        """Name to the latest version, fetched now."""
        from zaffre.sdk.model import Model

        return {model.name: model for model in Model.list(self, latest=True)}

    @property
    def compute_targets(self) -> dict[str, Any]:
        """Name to ComputeTarget, fetched now."""
        from zaffre.sdk.compute_target import ComputeTarget

        return {target.name: target for target in ComputeTarget.list(self)}  # pyright: ignore

    @property
    def environments(self) -> dict[str, Environment]:
        """Name to Environment: none can be registered in this release."""
        from zaffre.sdk.environment import Environment

        return Environment.list(self)

    @property
    def datasets(self) -> dict[str, Any]:
        """Name to the newest version of each registered dataset, fetched now."""
        from zaffre.sdk.dataset import Dataset

        return Dataset.get_all(self)

    @property
    def datastores(self) -> dict[str, Any]:
        """Name to datastore, fetched now."""
        from zaffre.sdk import datastore

        return datastore.find_all(self)

    @property
    def webservices(self) -> dict[str, Any]:
        """Name to service: none can be deployed in this release."""
        return {}

    @property
    def images(self) -> dict[str, Any]:
        """Name to image: there are none."""
        return {}

    @property
    def linked_services(self) -> dict[str, Any]:
        """Name to LinkedService, fetched now."""
        from zaffre.sdk.linked_service import LinkedService

        return {service.name: service for service in LinkedService.list(self)}

    @property
    def private_endpoints(self) -> dict[str, Any]:
        """Name to PrivateEndPoint, fetched now."""
        from zaffre.sdk import private_endpoint

        return private_endpoint.find_all(self)

    def get_run(self, run_id: str) -> Run:
        """Return a run of whatever experiment, as the class of its kind."""
        from zaffre.sdk.run import Run

        return Run.get(self, run_id)

    def search_runs(
        self,
        where: str | None = None,
        order_by: str | Sequence[str] | None = None,
        limit: int | None = None,
    ) -> Iterator[Run]:
        """Yield the workspace's runs that a search finds, child runs too (not a name of v1's).

        where: such as `status = 'Completed' and metrics.loss < 0.1`; docs/search.md has the
        language. order_by: such as `metrics.loss, created desc`; newest first without. limit: at
        most so many. Raises UserErrorException that points at what cannot be read.
        """
        from zaffre.sdk import run_search

        return run_search.runs(self, None, where, order_by, limit)

    def runs_table(
        self,
        columns: Sequence[str],
        where: str | None = None,
        order_by: str | Sequence[str] | None = None,
        limit: int | None = None,
        output_format: str = "list",
    ) -> Any:
        """Return fields of the runs that a search finds, in one request (not a name of v1's).

        columns: fields of the search's language: `["id", "params.lr", "metrics.loss"]`; a metric
        is its newest value. output_format: "list" of dicts by column, or "pandas" for a frame.
        What a run lacks is None; times are aware, in UTC. where, order_by, limit: of search_runs.
        """
        from zaffre.sdk import run_search

        return run_search.table(self, None, columns, where, order_by, limit, output_format)

    def get_default_datastore(self) -> Any:
        """Return the datastore that is used when none is named."""
        from zaffre.sdk.datastore import Datastore

        return Datastore.get_default(self)

    def set_default_datastore(self, name: str) -> None:
        """Choose the datastore that is used when none is named."""
        from zaffre.sdk import datastore

        datastore.set_default(self, name)

    def get_default_keyvault(self) -> Keyvault:
        """Return the workspace's secrets."""
        from zaffre.sdk.keyvault import Keyvault

        return Keyvault(self)

    def get_default_compute_target(self, type: str) -> None:
        """Return the default target of a type ('CPU' or 'GPU'): there is none."""
        if type not in ("CPU", "GPU"):
            raise UserErrorException(f"type: must be 'CPU' or 'GPU', not {type!r}.")

    def get_mlflow_tracking_uri(self, _with_auth: bool = False) -> str:
        """Return the address for `mlflow.set_tracking_uri`."""
        raise NotBuiltYetException("Workspace.get_mlflow_tracking_uri")

    def delete(self, delete_dependent_resources: bool = False, no_wait: bool = False) -> None:
        """Delete the workspace: it leaves all lists, and its name is free.

        delete_dependent_resources: remove at once what it holds, experiments, runs, models, files
        and secrets; nothing brings them back. Otherwise they are kept for two weeks, in which
        `zaffre workspace restore` brings the workspace back; one line says so.
        no_wait: return while files are still being removed.

        Raises WorkspaceException while a run in it has not ended.
        """
        answer = self._request_deletion(delete_dependent_resources)
        while not answer["done"] and not no_wait:
            answer = self._request_deletion(delete_dependent_resources)
        if not delete_dependent_resources:
            _say(
                f"Workspace {self._name!r} is deleted. Until {answer['removal_at'][:10]} "
                f"'zaffre workspace restore {self.workspace_id}' brings it back."
            )

    def _request_deletion(self, for_good: bool) -> dict[str, Any]:
        return session.current().request(
            "DELETE", f"/workspaces/{self.workspace_id}", query={"for_good": for_good}
        )

    def update_dependencies(
        self, container_registry: str | None = None, force: bool = False
    ) -> Workspace:
        """Change resources that v1 needed: there are none."""
        from zaffre.sdk import notices

        notices.ignored("Workspace.update_dependencies", {"container_registry": container_registry})
        return self

    def sync_keys(self, no_wait: bool = False) -> None:
        """Do nothing: there are no keys of cloud resources."""

    def list_keys(self) -> dict[str, Any]:
        """Return v1's names of the keys of cloud resources, None each: there are none."""
        return {
            "userStorageKey": None,
            "userStorageResourceId": self._resource("Storage/storageAccounts"),
            "appInsightsInstrumentationKey": None,
            "containerRegistryCredentials": None,
            "notebookAccessKeys": None,
        }

    def diagnose_workspace(self, diagnose_parameters: dict[str, Any]) -> dict[str, Any]:
        """Return what is wrong with the workspace, under v1's names: nothing if this returns.

        There are no cloud resources; the workspace is fetched from its server.
        """
        if not isinstance(diagnose_parameters, dict):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UserErrorException(
                f"diagnose_parameters: must be a dict, not {type(diagnose_parameters).__name__}."
            )
        session.current().request("GET", f"/workspaces/{self.workspace_id}")
        return {"value": {name: [] for name in _DIAGNOSES}}

    def add_private_endpoint(
        self,
        private_endpoint_config: Any,
        private_endpoint_auto_approval: bool = True,
        location: str | None = None,
        show_output: bool = True,
        tags: dict[str, str] | None = None,
    ) -> PrivateEndPoint:
        """Record a private way to the workspace; nothing is routed by it."""
        from zaffre.sdk import private_endpoint

        added = private_endpoint.add(
            self,
            private_endpoint_config,
            auto_approval=private_endpoint_auto_approval,
            location=location,
            tags=tags,
        )
        if show_output:
            _say(f"Private endpoint {private_endpoint_config.name!r} is recorded.")
        return added

    def delete_private_endpoint_connection(self, private_endpoint_connection_name: str) -> None:
        """Remove the record of a private endpoint; one that is not there is no error."""
        from zaffre.sdk import link

        link.remove(self, link.PRIVATE_ENDPOINT, private_endpoint_connection_name)

    def set_connection(
        self, name: str, category: str, target: str, authType: str, value: str
    ) -> None:
        """Store a connection to another service; one of that name is replaced.

        category: such as 'PythonFeed'; target: its address; authType: such as 'PAT'; value: the
        credential, encrypted at rest.
        """
        from zaffre.sdk import connection

        connection.put(
            self, name, category=category, target=target, auth_type=authType, value=value
        )

    def list_connections(
        self, category: str | None = None, target: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the connections that match, by name, without their values."""
        from zaffre.sdk import connection

        return connection.find_all(self, category=category, target=target)

    def get_connection(self, name: str) -> dict[str, Any]:
        """Return a connection with its value. Raises ServiceException (status_code 404)."""
        from zaffre.sdk import connection

        return connection.get(self, name)

    def delete_connection(self, name: str) -> None:
        """Remove a connection; one that is not there is no error."""
        from zaffre.sdk import connection

        connection.remove(self, name)

    def __repr__(self) -> str:
        return (
            f"Workspace.create(name={self._name!r}, subscription_id={self._subscription_id!r}, "
            f"resource_group={self._resource_group!r})"
        )


def known(
    *, workspace_id: str, subscription_id: str, resource_group: str, name: str, location: str | None
) -> Workspace:
    """Return a workspace of which these are known, without a request: inside its own runs."""
    return Workspace(
        subscription_id, resource_group, name, _workspace_id=workspace_id, _location=location
    )


def _of_record(record: dict[str, Any]) -> Workspace:
    return Workspace(
        record["subscription_id"], record["resource_group"], record["name"], _record=record
    )


def _open(subscription_id: str, resource_group: str, name: str, why: str) -> Workspace:
    answer = session.current().request(
        "POST",
        "/workspaces/open",
        json={
            "name": name,
            "subscription_id": subscription_id,
            "resource_group": resource_group,
            "location": _LOCATION,
        },
    )
    if answer["created"]:
        _say(f"Workspace {name!r}, {why}, was created on this Zaffre server.")
    return _of_record(answer["workspace"])


def _name(value: object) -> str:
    from zaffre.contract import names
    from zaffre.contract.errors import Invalid

    try:
        return names.workspace_name(value)
    except Invalid as problem:
        raise UserErrorException(problem.message) from problem


def _labels(tags: Any) -> dict[str, Any]:
    from zaffre.contract import names
    from zaffre.contract.errors import Invalid

    try:
        return names.label(tags or {}, "tags")
    except Invalid as problem:
        raise UserErrorException(str(problem)) from problem


def _say(text: str) -> None:
    import sys

    sys.stdout.write(text + "\n")
