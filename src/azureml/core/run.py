"""v1's module of Run."""

from __future__ import annotations

from zaffre.sdk.offline_run import _OfflineRun  # pyright: ignore[reportPrivateUsage] - v1's name
from zaffre.sdk.run import Run, get_run
from zaffre.sdk.run_datasets import InputDatasets, LinkOutput, OutputDatasets

__all__ = ["InputDatasets", "LinkOutput", "OutputDatasets", "Run", "_OfflineRun", "get_run"]
