"""v1's module of ScriptRunConfig."""

from __future__ import annotations

from zaffre.sdk.script_run_config import ScriptRunConfig, get_run_config_from_script_run, submit

__all__ = ["ScriptRunConfig", "get_run_config_from_script_run", "submit"]
