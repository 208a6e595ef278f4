"""All tables. SQLite and PostgreSQL share them; the migrations lead to them.

Records with many fields that no query selects by (a run's spec, a model's files) are JSON text.
Times are Unix seconds as floats: both databases sort and compare them alike.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

_BigKey = sa.BigInteger().with_variant(sa.Integer, "sqlite")

workspaces = sa.Table(
    "workspaces",
    metadata,
    sa.Column("workspace_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("subscription_id", sa.Text, nullable=False),
    sa.Column("resource_group", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    # Set once it is deleted: it is hidden, and what it holds goes at this time.
    sa.Column("removal_at", sa.Double),
    # A datastore's name_key; the first built-in one without.
    sa.Column("default_datastore", sa.Text),
)
sa.Index(
    "workspaces_by_name",
    workspaces.c.subscription_id,
    workspaces.c.resource_group,
    workspaces.c.name,
    unique=True,
    sqlite_where=workspaces.c.removal_at.is_(None),
    postgresql_where=workspaces.c.removal_at.is_(None),
)

experiments = sa.Table(
    "experiments",
    metadata,
    sa.Column("experiment_id", sa.Text, primary_key=True),
    sa.Column("workspace_id", sa.Text, sa.ForeignKey("workspaces.workspace_id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("archived_at", sa.Double),
    sa.Column("tags", sa.Text, nullable=False, server_default="{}"),
    sa.Column("run_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("removal_at", sa.Double),
    sa.Index("experiments_of_workspace", "workspace_id", "name"),
)
_active = sa.and_(experiments.c.archived_at.is_(None), experiments.c.removal_at.is_(None))
sa.Index(
    "experiments_by_name",
    experiments.c.workspace_id,
    experiments.c.name,
    unique=True,
    sqlite_where=_active,
    postgresql_where=_active,
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("run_key", _BigKey, primary_key=True, autoincrement=True),
    sa.Column("run_id", sa.Text, nullable=False, unique=True),
    sa.Column("workspace_id", sa.Text, nullable=False),
    sa.Column("experiment_id", sa.Text, nullable=False),
    sa.Column("experiment_name", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("type", sa.Text),
    sa.Column("target", sa.Text),
    sa.Column("parent_run_id", sa.Text),
    sa.Column("root_run_id", sa.Text, nullable=False),
    sa.Column("display_name", sa.Text),
    sa.Column("description", sa.Text),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("started_at", sa.Double),
    sa.Column("ended_at", sa.Double),
    sa.Column("snapshot_id", sa.Text),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
    sa.Column("claimed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("submitted_by", sa.Text),
    sa.Column("idempotency_key", sa.Text, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("warnings", sa.Text, nullable=False, server_default="[]"),
    # Read from here, searched in run_tags and run_properties: a list of 100 runs is one query.
    sa.Column("tags", sa.Text, nullable=False, server_default="{}"),
    sa.Column("properties", sa.Text, nullable=False, server_default="{}"),
    sa.Column("spec", sa.Text),
    # The submitter's variables, sealed; NULL once the runner has them.
    sa.Column("sealed_environment", sa.LargeBinary),
    # Interactive runs renew a lease too; NULL for runs that nothing renews.
    sa.Column("lease_until", sa.Double),
    sa.Index("runs_newest", "workspace_id", "run_key"),
    sa.Index("runs_of_experiment", "experiment_id", "run_key"),
    sa.Index("runs_of_parent", "parent_run_id", "run_key"),
    sa.Index("runs_of_root", "root_run_id", "run_key"),
    sa.Index("runs_by_state", "state", "run_key"),
    sa.Index("runs_of_snapshot", "snapshot_id"),
)

run_tags = sa.Table(
    "run_tags",
    metadata,
    sa.Column("run_key", _BigKey, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("value", sa.Text),
    sa.PrimaryKeyConstraint("run_key", "key"),
    sa.Index("run_tags_by_value", "key", "value"),
)

run_properties = sa.Table(
    "run_properties",
    metadata,
    sa.Column("run_key", _BigKey, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("value", sa.Text),
    sa.PrimaryKeyConstraint("run_key", "key"),
    sa.Index("run_properties_by_value", "key", "value"),
)

# The arguments of a run's script by name (contract.parameters). number: what the value is as one.
run_parameters = sa.Table(
    "run_parameters",
    metadata,
    sa.Column("run_key", _BigKey, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("number", sa.Double),
    sa.PrimaryKeyConstraint("run_key", "key"),
    sqlite_with_rowid=False,
)

# What happened to a run, in order: states and reasons. `zaffre why` reads it.
run_history = sa.Table(
    "run_history",
    metadata,
    sa.Column("run_key", _BigKey, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text),
    sa.PrimaryKeyConstraint("run_key", "position"),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("run_key", _BigKey, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("folder", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("claim_id", sa.Text),
    sa.Column("claimed_at", sa.Double),
    # How the driver finds the process again: pid, start time in ticks, boot id.
    sa.Column("pid", sa.Integer),
    sa.Column("start_time", sa.BigInteger),
    sa.Column("boot_id", sa.Text),
    sa.Column("lease_until", sa.Double),
    sa.Column("ended_at", sa.Double),
    # For a SALVAGE attempt: the report that ends the run.
    sa.Column("final", sa.Text),
    sa.PrimaryKeyConstraint("run_key", "number"),
    sa.Index("attempts_open", "ended_at", "run_key"),
)

spools = sa.Table(
    "spools",
    metadata,
    sa.Column("spool_id", sa.Text, primary_key=True),
    sa.Column("run_key", _BigKey, nullable=False),
    sa.Column("offset_bytes", sa.BigInteger, nullable=False),
    sa.Column("skipped_count", sa.Integer, nullable=False, server_default="0"),
    sa.Index("spools_of_run", "run_key"),
)

metrics = sa.Table(
    "metrics",
    metadata,
    sa.Column("metric_key", _BigKey, primary_key=True, autoincrement=True),
    sa.Column("run_key", _BigKey, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("point_count", sa.BigInteger, nullable=False),
    # The newest value when it is a finite number, and the least and largest of all; searches
    # read them, and find the best runs of an experiment by the index alone.
    sa.Column("last_number", sa.Double),
    sa.Column("min_number", sa.Double),
    sa.Column("max_number", sa.Double),
    sa.Column("experiment_id", sa.Text),
    sa.UniqueConstraint("run_key", "name"),
    sa.Index("metrics_by_number", "experiment_id", "name", "last_number", "run_key"),
)

# A finite float is in `number` alone. Anything else has its encoded JSON in `text`, and `number`
# too when it is a number or a bool.
points = sa.Table(
    "points",
    metadata,
    sa.Column("metric_key", _BigKey, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("number", sa.Double),
    sa.Column("text", sa.Text),
    sa.Column("step", sa.BigInteger),
    sa.Column("at", sa.Double, nullable=False),
    sa.PrimaryKeyConstraint("metric_key", "position"),
    sqlite_with_rowid=False,
)

# Bytes in the store. `kept_until`: a blob that nothing names is kept till then, because somebody
# was told that it is here. `marked_at`: garbage collection is about to remove it.
blobs = sa.Table(
    "blobs",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("kept_until", sa.Double, nullable=False),
    sa.Column("marked_at", sa.Double),
)

snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("workspace_id", sa.Text, nullable=False),
    sa.Column("snapshot_id", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("files", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("workspace_id", "snapshot_id"),
)

# A run's files: outputs, logs/, uploads, images of metrics. Live logs stand in `run_logs`.
artifacts = sa.Table(
    "artifacts",
    metadata,
    sa.Column("run_key", _BigKey, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.PrimaryKeyConstraint("run_key", "name"),
    sa.Index("artifacts_of_blob", "sha256"),
)

# A file that grows while the run lives; its bytes are in the store's logs folder.
run_logs = sa.Table(
    "run_logs",
    metadata,
    sa.Column("run_key", _BigKey, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.PrimaryKeyConstraint("run_key", "name"),
)

models = sa.Table(
    "models",
    metadata,
    sa.Column("model_key", _BigKey, primary_key=True, autoincrement=True),
    sa.Column("workspace_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("idempotency_key", sa.Text, nullable=False, unique=True),
    sa.Column("run_id", sa.Text),
    sa.Column("framework", sa.Text),
    sa.Column("record", sa.Text, nullable=False),
    sa.UniqueConstraint("workspace_id", "name", "version"),
    sa.Index("models_of_run", "run_id"),
)

# The highest version ever given per name, so that a deleted version's number never comes again.
model_names = sa.Table(
    "model_names",
    metadata,
    sa.Column("workspace_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("last_version", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("workspace_id", "name"),
)

# Which blobs a snapshot or a model version holds; garbage collection reads it.
blob_uses = sa.Table(
    "blob_uses",
    metadata,
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("sha256", "owner"),
    sa.Index("blob_uses_of_owner", "owner"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text),
    sa.Column("attempt", sa.Integer),
    sa.Column("workspace_id", sa.Text),
    sa.Column("created_at", sa.Double, nullable=False),
    # Set once the run's last report is taken; till then that report may be repeated.
    sa.Column("expires_at", sa.Double),
    sa.Index("tokens_of_run", "run_id"),
)

# A workspace's secrets. `sealed`: the value, bound to workspace and name.
secrets = sa.Table(
    "secrets",
    metadata,
    sa.Column("workspace_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("content_type", sa.Text, nullable=False),
    sa.Column("changed_at", sa.Double, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.PrimaryKeyConstraint("workspace_id", "name"),
)

# What a workspace says of other services: linked services, private endpoints, connections.
# `facts`: JSON, by the names that v1 has for them. `sealed`: a connection's credential.
links = sa.Table(
    "links",
    metadata,
    sa.Column("workspace_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("sealed", sa.LargeBinary),
    sa.PrimaryKeyConstraint("workspace_id", "kind", "name"),
)

# Datastores that were registered; the built-in ones have no row. `name_key`: the name in lower
# case. `settings`: JSON. `sealed`: the credentials, JSON, bound to workspace and name_key.
datastores = sa.Table(
    "datastores",
    metadata,
    sa.Column("workspace_id", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("sealed", sa.LargeBinary),
    sa.PrimaryKeyConstraint("workspace_id", "name_key"),
)

# Definitions of datasets. A registered version has a name and a version, others neither.
datasets = sa.Table(
    "datasets",
    metadata,
    sa.Column("dataset_key", _BigKey, primary_key=True, autoincrement=True),
    sa.Column("workspace_id", sa.Text, nullable=False),
    sa.Column("dataset_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("version", sa.Integer),
    sa.Column("record", sa.Text, nullable=False),
    sa.UniqueConstraint("workspace_id", "dataset_id"),
    sa.UniqueConstraint("workspace_id", "name", "version"),
)

# The highest version ever given per name, so that an unregistered one's number never comes again.
dataset_names = sa.Table(
    "dataset_names",
    metadata,
    sa.Column("workspace_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("last_version", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("workspace_id", "name"),
)
