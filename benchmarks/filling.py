"""Fills a server's database with runs that nobody ran, far faster than requests would."""

from __future__ import annotations

import json
import random
import sqlite3
import uuid
from pathlib import Path

TAGS = {"model": "ridge", "data": "diabetes"}
METRICS = ("loss", "accuracy", "auc")


def add_runs(database: Path, experiment_id: str, count: int) -> None:
    """Add ended runs with tags, properties, three metrics and a parameter to an experiment."""
    connection = sqlite3.connect(database)
    workspace_id, name, last = connection.execute(
        "select workspace_id, name, run_count from experiments where experiment_id = ?",
        (experiment_id,),
    ).fetchone()
    chance = random.Random(last)
    for number in range(last + 1, last + count + 1):
        run_id = str(uuid.UUID(int=chance.getrandbits(128)))
        labels = {
            "run_tags": {**TAGS, "number": str(number)},
            "run_properties": {"azureml.runsource": "experiment", "number": str(number)},
        }
        run = {
            "run_id": run_id,
            "workspace_id": workspace_id,
            "experiment_id": experiment_id,
            "experiment_name": name,
            "number": number,
            "state": "Completed",
            "root_run_id": run_id,
            "display_name": f"run {number}",
            "created_at": 1e9 + number,
            "started_at": 1e9 + number,
            "ended_at": 1e9 + number + chance.random() * 100,
            "idempotency_key": run_id,
            "tags": json.dumps(labels["run_tags"]),
            "properties": json.dumps(labels["run_properties"]),
        }
        marks = ",".join("?" * len(run))
        run_key = connection.execute(
            f"insert into runs ({','.join(run)}) values ({marks})", tuple(run.values())
        ).lastrowid
        for table, values in labels.items():
            rows = [(run_key, key, value) for key, value in values.items()]
            connection.executemany(f"insert into {table} values (?,?,?)", rows)
        for metric in METRICS:
            value = chance.random()
            connection.execute(
                "insert into metrics (run_key, name, kind, point_count, last_number, min_number,"
                " max_number, experiment_id) values (?,?,'scalar',1,?,?,?,?)",
                (run_key, metric, value, value, value, experiment_id),
            )
        rate = chance.random()
        connection.execute(
            "insert into run_parameters values (?,'lr',?,?)", (run_key, str(rate), rate)
        )
    connection.execute(
        "update experiments set run_count = run_count + ? where experiment_id = ?",
        (count, experiment_id),
    )
    connection.commit()
    connection.close()
