"""Stand-ins: metadata by which pip finds the packages of the real SDK installed, so that it leaves Zaffre alone.

Many notebooks begin with `!pip install --upgrade azureml-sdk`. That writes the real packages over
Zaffre's `azureml`, or into a folder before it on the path. Two things prevent it:

1. Each of those names gets a `.dist-info` folder in the interpreter's site-packages. Its version,
   1.999.0+zaffre, is above every release and below 2, so pip and uv find `azureml-sdk`,
   `--upgrade azureml-sdk[notebooks,automl]`, `azureml-core>=1.12` and `~=1.0` satisfied.
2. `azureml-core==1.48.0`, `--force-reinstall` and the like ask for what is not there. So a
   constraints file, which the interpreter's own pip.conf names, lets pip take no other version of
   these names: pip before 20.3 then finds the pin satisfied, a newer one ends with an error that
   names the stand-in. Either way nothing is written, and other packages are installed as ever.
   uv reads no pip.conf, so for uv a pin is satisfied only if it was given as `version`.

No stand-in brings code. A few require the public packages that their namesake brought, so that
`pip install azureml-mlflow` still brings MLflow. Whatever is placed stands in a RECORD, also the
pip.conf, so `pip uninstall azureml-core` takes that away too.
"""  # noqa: E501

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zaffre.client.interpreter import read_text
from zaffre.contract.errors import Invalid, ZaffreError
from zaffre.contract.version import ZAFFRE_VERSION

if TYPE_CHECKING:
    from typing import Sequence

    from zaffre.client.interpreter import Interpreter

#: What the release's version is followed by; `==1.48.0` takes 1.48.0+zaffre (PEP 440).
LABEL = "zaffre"
_SDK = "1.999.0"
_CORE = "azureml-core"
_INSTALLER = "zaffre"
_CONSTRAINTS = "zaffre-constraints.txt"
_PIP_CONF = "pip.conf"
_TIMEOUT_S = 60
_METADATA_FOLDER = re.compile(r"(azureml[\w.]*)-([^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info")
_RELEASE = re.compile(r"\d+(\.\d+)*(\.post\d+)?")


@dataclass(frozen=True)
class Package:
    """A package of the real SDK.

    requires: the public packages that it brought, each after the extra that asks for it ('': none).
    release: what its stand-in's version begins with; None for the SDK's.
    """

    extras: tuple[str, ...] = ()
    requires: tuple[tuple[str, str], ...] = ()
    release: str | None = None


_FRAMES = (("pandas", "pandas"), ("pandas", "pyarrow"))

#: What would bring files of a package `azureml`, or another package that does.
PACKAGES = {
    "azureml-accel-models": Package(("cpu", "gpu")),
    "azureml-automl-common-tools": Package(),
    "azureml-automl-core": Package(),
    "azureml-automl-dnn-nlp": Package(),
    "azureml-automl-dnn-vision": Package(),
    "azureml-automl-runtime": Package(),
    "azureml-cli-common": Package(),
    "azureml-contrib-automl-dnn-forecasting": Package(),
    "azureml-contrib-automl-pipeline-steps": Package(),
    "azureml-contrib-dataset": Package(),
    "azureml-contrib-fairness": Package(),
    "azureml-contrib-functions": Package(),
    "azureml-contrib-interpret": Package(),
    "azureml-contrib-notebook": Package(),
    "azureml-contrib-pipeline-steps": Package(),
    "azureml-contrib-reinforcementlearning": Package(),
    "azureml-contrib-server": Package(),
    "azureml-contrib-services": Package(),
    _CORE: Package(),
    "azureml-datadrift": Package(),
    "azureml-dataprep": Package(("pandas", "fuse", "spark"), _FRAMES, "5.999.0"),
    "azureml-dataprep-native": Package(release="999.0"),
    "azureml-dataprep-rslex": Package(release="2.999.0"),
    "azureml-dataset-runtime": Package(("pandas", "fuse", "spark", "dask"), _FRAMES),
    "azureml-defaults": Package(("async",)),
    "azureml-explain-model": Package(requires=(("", "interpret-community"),)),
    "azureml-interpret": Package(
        ("deep", "mimic", "sample", "visualization"), (("", "interpret-community"),)
    ),
    "azureml-mlflow": Package(requires=(("", "mlflow-skinny"),)),
    "azureml-opendatasets": Package(),
    "azureml-pipeline": Package(),
    "azureml-pipeline-core": Package(),
    "azureml-pipeline-steps": Package(),
    "azureml-responsibleai": Package(),
    "azureml-sdk": Package(
        (
            "accel-models",
            "automl",
            "contrib",
            "databricks",
            "explain",
            "interpret",
            "mlflow",
            "notebooks",
            "services",
            "tensorboard",
        )
    ),
    "azureml-synapse": Package(),
    "azureml-telemetry": Package(),
    "azureml-tensorboard": Package(),
    "azureml-train": Package(),
    "azureml-train-automl": Package(),
    "azureml-train-automl-client": Package(),
    "azureml-train-automl-runtime": Package(),
    "azureml-train-core": Package(),
    "azureml-train-restclients-hyperdrive": Package(),
    "azureml-training-tabular": Package(),
    "azureml-widgets": Package(),
}


class RealPackagesInstalled(ZaffreError):
    """Stand-ins were to be placed beside packages of the real SDK."""

    code = "stand_in.real_packages"
    status = 409

    def __init__(self, interpreter: str, real: Sequence[Installed]) -> None:
        folders = ", ".join(sorted({os.path.dirname(one.folder) for one in real}))
        super().__init__(
            f"{_listed(real)} of the real SDK {'is' if len(real) == 1 else 'are'} installed in "
            f"{folders}. Remove: {uninstall_command(interpreter, real)}; then install zaffre "
            "there again, since both write into one folder.",
            facts={"packages": [one.name for one in real]},
        )


class NotWritable(ZaffreError):
    """The folders of an interpreter may not be changed by this user."""

    code = "stand_in.not_writable"

    def __init__(self, folder: str, problem: OSError) -> None:
        super().__init__(
            f"{folder} cannot be written to ({problem.strerror}). Do it as the user who owns it, "
            "or use a virtual environment of your own (python -m venv).",
            facts={"folder": folder},
        )


class NoZaffre(ZaffreError):
    """An interpreter cannot import Zaffre, so stand-ins would promise what is not there."""

    code = "stand_in.no_zaffre"
    status = 404

    def __init__(self, interpreter: str) -> None:
        super().__init__(
            f"{interpreter} has no Zaffre: install it there first "
            f"({interpreter} -m pip install PATH_OF_ZAFFRE).",
            facts={"interpreter": interpreter},
        )


@dataclass(frozen=True)
class Installed:
    """An installed package whose name begins with `azureml`. folder: its metadata's."""

    name: str
    version: str
    folder: str
    is_stand_in: bool


@dataclass(frozen=True)
class Placed:
    """What `place` did. pins_uncovered: why pip may take another version; None if it may not."""

    interpreter: str
    site_packages: str
    version: str
    names: list[str]
    pins_uncovered: str | None


@dataclass(frozen=True)
class Removed:
    """What `remove` did. kept: files that were changed since, and so were left."""

    interpreter: str
    site_packages: str
    names: list[str]
    kept: list[str] = field(default_factory=list)


def installed(search_path: Sequence[str]) -> list[Installed]:
    """Return what is installed there under the names of PACKAGES, stand-ins and real ones."""
    found: list[Installed] = []
    seen: set[str] = set()
    for place in search_path:
        if not os.path.isdir(place) or os.path.realpath(place) in seen:
            continue
        seen.add(os.path.realpath(place))
        for entry in sorted(os.listdir(place)):
            match = _METADATA_FOLDER.fullmatch(entry)
            if match is None:
                continue
            name = re.sub(r"[-_.]+", "-", match.group(1)).lower()
            folder = os.path.join(place, entry)
            ours = read_text(os.path.join(folder, "INSTALLER")).strip() == _INSTALLER
            if ours or name in PACKAGES:
                found.append(Installed(name, match.group(2), folder, ours))
    return found


def uninstall_command(interpreter: str, real: Sequence[Installed]) -> str:
    """Return the command that removes these packages."""
    names = sorted({one.name for one in real})
    return f"{interpreter} -m pip uninstall -y {' '.join(names)}"


def notice() -> str | None:
    """Return the sentence for a notebook whose `!pip install azureml-sdk` would do harm, if so."""
    found = installed(sys.path)
    real = [one for one in found if not one.is_stand_in]
    doctor = f"{sys.executable} -m zaffre.client doctor"
    if real:
        return (
            f"Zaffre: {_listed(real)} of the real SDK stand beside Zaffre's 'azureml'; "
            f"'{doctor}' says what to do."
        )
    if not found:
        return (
            "Zaffre: '!pip install azureml-sdk' would write the real SDK over Zaffre's; "
            f"'{doctor} --fix' prevents it."
        )
    return None


def place(interpreter: Interpreter, *, version: str | None = None) -> Placed:
    """Place all stand-ins in an interpreter, in the stead of those that are there.

    version: which release of the SDK pip is to find (default: 1.999.0, above all). A requirement
    `==version` is then satisfied.

    Raises NoZaffre, RealPackagesInstalled, NotWritable, Invalid.
    """
    if interpreter.zaffre is None:
        raise NoZaffre(interpreter.path)
    if version is not None and not _RELEASE.fullmatch(version):
        raise Invalid("--as", f"{version!r} is no release such as 1.48.0")
    there = installed(interpreter.search_path)
    real = [one for one in there if not one.is_stand_in]
    if real:
        raise RealPackagesInstalled(interpreter.path, real)
    try:
        remove(interpreter)
        for_pins, problem = _files_for_pins(interpreter, version)
        for name in PACKAGES:
            _write(interpreter, name, version, for_pins if name == _CORE else {})
    except OSError as refusal:
        raise NotWritable(interpreter.site_packages, refusal) from refusal
    return Placed(
        interpreter=interpreter.path,
        site_packages=interpreter.site_packages,
        version=_version(_CORE, version),
        names=list(PACKAGES),
        pins_uncovered=problem,
    )


def remove(interpreter: Interpreter) -> Removed:
    """Remove every stand-in of an interpreter, by its RECORD. Raises NotWritable."""
    names: list[str] = []
    kept: list[str] = []
    for one in installed([interpreter.site_packages]):
        if not one.is_stand_in:
            continue
        try:
            kept += _remove(one.folder)
        except OSError as refusal:
            raise NotWritable(interpreter.site_packages, refusal) from refusal
        names.append(one.name)
    return Removed(interpreter.path, interpreter.site_packages, names, kept)


def placed_words(placed: Placed) -> str:
    """Return what `place` did, for people."""
    # Without constraints, a version of the user's choice is one that --upgrade goes beyond.
    left = "A pin to another version" if _SDK in placed.version else "Another pin, and --upgrade,"
    lines = [
        f"{len(placed.names)} stand-ins placed in {placed.site_packages}: pip finds azureml-sdk "
        f"and the others installed as {placed.version}, and leaves Zaffre alone.",
        f"{left} may install the real packages: {placed.pins_uncovered}."
        if placed.pins_uncovered
        else "A pin to another version (azureml-sdk==1.48.0) is refused or ignored by pip.",
    ]
    return "\n".join(lines)


def removed_words(removed: Removed) -> str:
    """Return what `remove` did, for people."""
    if not removed.names:
        return f"There are no stand-ins in {removed.site_packages}."
    lines = [f"{len(removed.names)} stand-ins removed from {removed.site_packages}."]
    lines += [f"{path} was changed since, so it stays." for path in removed.kept]
    return "\n".join(lines)


def _files_for_pins(
    interpreter: Interpreter, version: str | None
) -> tuple[dict[str, bytes], str | None]:
    """Return the pip.conf and the constraints that it names, by path; or why there are none."""
    from pathlib import PurePath

    pip_conf = os.path.join(interpreter.prefix, _PIP_CONF)
    constraints = os.path.join(interpreter.prefix, _CONSTRAINTS)
    advice = f"add to its constraints: {_CORE}=={_version(_CORE, version)}, and the other names"
    if os.path.exists(pip_conf):
        return {}, f"{pip_conf} is there already; {advice}"
    other = _configured_constraint(interpreter.path)
    if other is not None:
        return {}, f"pip has constraints of its own here ({other}); {advice}"
    # As a URL, because pip splits a value at blanks.
    line = f"constraint = {PurePath(constraints).as_uri()}\n"
    pinned = "".join(f"{name}=={_version(name, version)}\n" for name in PACKAGES)
    about = "# By 'zaffre doctor --fix': pip takes no other version of these. --undo removes it.\n"
    return {
        pip_conf: f"{about}[install]\n{line}".encode(),
        constraints: f"{about}{pinned}".encode(),
    }, None


def _configured_constraint(python: str) -> str | None:
    """Return the constraint that pip is configured with, which one of ours would push aside."""
    done = subprocess.run(
        [python, "-m", "pip", "config", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_TIMEOUT_S,
        check=False,
        encoding="utf-8",
    )
    for line in done.stdout.splitlines():
        key, _, value = line.partition("=")
        if key.rpartition(".")[2] == "constraint":
            return value.strip("'\"")
    return None


def _write(
    interpreter: Interpreter, name: str, version: str | None, beside: dict[str, bytes]
) -> None:
    """Write a stand-in. beside: files outside of its folder that its RECORD has too.

    The RECORD comes first: whatever interrupts this, `remove` knows what to remove.
    """
    module = name.replace("-", "_")
    folder = os.path.join(
        interpreter.site_packages, f"{module}-{_version(name, version)}.dist-info"
    )
    inside = {
        "INSTALLER": f"{_INSTALLER}\n",
        "METADATA": _metadata(name, version),
        "REQUESTED": "",
        "WHEEL": f"Wheel-Version: 1.0\nGenerator: zaffre {ZAFFRE_VERSION}\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files = {**beside, **{os.path.join(folder, key): inside[key].encode() for key in inside}}
    record = os.path.join(folder, "RECORD")
    lines = [
        f"{os.path.relpath(path, interpreter.site_packages)},{_hash(content)},{len(content)}\n"
        for path, content in files.items()
    ]
    lines.append(f"{os.path.relpath(record, interpreter.site_packages)},,\n")
    os.makedirs(folder)
    # The constraints before the pip.conf that names them, or every pip would fail meanwhile.
    for path, content in [(record, "".join(lines).encode()), *reversed(list(files.items()))]:
        with open(path, "wb") as file:
            file.write(content)


def _remove(folder: str) -> list[str]:
    """Remove what the RECORD in `folder` lists and is as it was placed; return what is left."""
    import csv

    record = os.path.join(folder, "RECORD")
    kept: list[str] = []
    rows = list(csv.reader(read_text(record).splitlines()))
    for row in rows:
        path = os.path.normpath(os.path.join(os.path.dirname(folder), row[0]))
        if path == record or not os.path.exists(path):
            continue
        with open(path, "rb") as file:
            content = file.read()
        if _hash(content) == row[1]:
            os.remove(path)
            continue
        kept.append(path)
        if os.path.basename(path) == _PIP_CONF:
            # Somebody has added to it. Without the constraints that it names pip would fail.
            lines = [x for x in content.splitlines(keepends=True) if _CONSTRAINTS.encode() not in x]
            with open(path, "wb") as file:
                file.writelines(lines)
    if os.path.exists(record):
        os.remove(record)
    if os.listdir(folder):
        return [*kept, *(os.path.join(folder, name) for name in sorted(os.listdir(folder)))]
    os.rmdir(folder)
    return kept


def _hash(content: bytes) -> str:
    """Return the hash of a file as a RECORD has it."""
    import base64
    import hashlib

    digest = hashlib.sha256(content).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _metadata(name: str, version: str | None) -> str:
    package = PACKAGES[name]
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {_version(name, version)}",
        "Summary: Stand-in for the real package, whose names Zaffre provides. It keeps pip from "
        "installing that one over Zaffre; 'zaffre doctor --undo' removes it.",
        *(f"Provides-Extra: {extra}" for extra in package.extras),
    ]
    for extra, requirement in package.requires:
        marker = f'; extra == "{extra}"' if extra else ""
        lines.append(f"Requires-Dist: {requirement}{marker}")
    return "\n".join(lines) + "\n"


def _version(name: str, version: str | None) -> str:
    return f"{PACKAGES[name].release or version or _SDK}+{LABEL}"


def _listed(real: Sequence[Installed]) -> str:
    return ", ".join(f"{one.name} {one.version}" for one in real)
