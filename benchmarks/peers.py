"""What others needed for the same works.

Measured on 2026-11-25 on a machine of this kind (2 AMD EPYC cores, 24 GB, Debian 12, Python
3.11.7), each peer in an environment of its own and warm, by programs like those here; each figure
as a multiple of the limit in the same round. They are not measured again here.
"""

from __future__ import annotations

#: (work, its limit then, peers with their figures and multiples)
PEERS: list[tuple[str, str, str]] = [
    (
        "submit to first line",
        "`python script.py`, 13.6 ms",
        "MLflow projects API without server or snapshot 61 ms (4.5x); Metaflow 555 ms (46x); "
        "Ray job 1,215 ms (89x); Prefect script 1,339 ms (111x); `mlflow run` 2,580 ms (205x); "
        "Dagster 3,223 ms (237x)",
    ),
    (
        "submit to end known",
        "`python script.py`, 16.8 ms",
        "MLflow projects API 80 ms (4.8x); Metaflow 969 ms (66x); Ray job 1,300 ms (79x)",
    ),
    (
        "one log call",
        "json.dumps + write(2), 4.7 us",
        "trackio 12.5 us (2.6x, in memory: lost at a kill); MLflow async 191 us (41x); "
        "wandb 399 us (84x); ClearML 525 us; MLflow with a local file 21,207 us",
    ),
    (
        "one point a request",
        "minimal ASGI + SQLite, 0.43 ms",
        "MLflow with one worker 24 ms (43x), as it comes 65 ms (168x)",
    ),
    (
        "1,000 points a request",
        "the same, 3.5 us a point",
        "MLflow with one worker 157 us (44x), as it comes 179 us (54x)",
    ),
    (
        "8 clients at once, one point a request",
        "the same, 3,222 a second",
        "MLflow 79 a second (41x)",
    ),
    (
        "search of 10,000 runs, first 100",
        "the same SQL behind minimal ASGI, 4.7 to 8.2 ms",
        "MLflow 128 ms to 715 ms (16x to 154x)",
    ),
    (
        "100,000 points of one metric",
        "the same, 151 ms",
        "MLflow 6.9 s (44x)",
    ),
    (
        "import of the v1 names",
        "`python -c pass`, 10.7 ms",
        "the real azureml-core 828 ms (70x, 1,915 modules, 76 MB)",
    ),
    (
        "a command line's `--version`",
        "`python -c pass`, 10.7 ms",
        "wandb 435 ms (37x); Dagster 1,122 ms (94x); Prefect 1,360 ms (114x); "
        "mlflow 3,231 ms (280x)",
    ),
    (
        "server: start; memory at rest",
        "uvicorn with one function",
        "MLflow 3 to 8 s; 413 MB and more",
    ),
]
