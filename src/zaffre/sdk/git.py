"""What git says of a source folder, as v1's properties of a run."""

from __future__ import annotations

import os
import subprocess

#: git gets this long, seconds; of a folder where it takes longer, nothing is recorded.
TIMEOUT_S = 10.0

_QUESTIONS = {
    "remote": ("ls-remote", "--get-url"),
    "branch": ("symbolic-ref", "--short", "HEAD"),
    "commit": ("rev-parse", "HEAD"),
    "changes": ("status", "--porcelain", "."),
}


def properties(folder: str) -> dict[str, str]:
    """Return `azureml.git.*` and `mlflow.source.git.*` for a folder in a git repository.

    Without git or a repository, or when git fails, the keys are absent. A password in the
    remote's URL is left out.
    """
    if not _in_repository(folder):
        return {}
    answers = _ask(folder)
    found: dict[str, str] = {}
    remote = _without_password(answers.get("remote", ""))
    # Without any remote git prints the name that it would look for.
    if remote and remote != "origin":
        found["azureml.git.repository_uri"] = remote
        found["mlflow.source.git.repoURL"] = remote
    for name in ("branch", "commit"):
        if answers.get(name):
            found[f"azureml.git.{name}"] = answers[name]
            found[f"mlflow.source.git.{name}"] = answers[name]
    if "changes" in answers:
        found["azureml.git.dirty"] = str(bool(answers["changes"]))
    return found


def _in_repository(folder: str) -> bool:
    """Say whether a repository holds the folder; asks the disk, since a process costs more."""
    if os.environ.get("GIT_DIR"):
        return True
    present = os.path.abspath(folder)
    while True:
        if os.path.exists(os.path.join(present, ".git")):
            return True
        above = os.path.dirname(present)
        if above == present:
            return False
        present = above


def _ask(folder: str) -> dict[str, str]:
    """Ask all questions at once; a question that git refuses has no answer."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    asked: dict[str, subprocess.Popen[bytes]] = {}
    answers: dict[str, str] = {}
    try:
        for name, question in _QUESTIONS.items():
            asked[name] = subprocess.Popen(
                ["git", *question],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        for name, process in asked.items():
            output, _ = process.communicate(timeout=TIMEOUT_S)
            if process.returncode == 0:
                answers[name] = output.decode("utf-8", "replace").strip()
    except (OSError, subprocess.TimeoutExpired):
        return {}
    finally:
        for process in asked.values():
            if process.returncode is None:
                process.kill()
                process.communicate()
    return answers


def _without_password(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    if not mark or "@" not in rest.partition("/")[0]:
        return url
    account, _, host = rest.partition("@")
    if scheme.startswith("http") or ":" in account:
        return f"{scheme}://{host}"
    return url
