"""Write docs/coverage.md: how much of SDK v1's public surface is there, class by class.

Read from tests/compat/: surface.json (names, members and parameters of the real packages) and
usage.json (how many of 126 public notebooks use what). A member works when the class has it, as a
method, property, annotation or an attribute that a method assigns on self, and a test uses it
(tools/tested.py says which do). One whose whole body raises NotBuiltYet is still to come: it is a
name, not a deed.

    python tools/coverage.py           writes the table
    python tools/coverage.py --check   exit status 1 if the table is not what it would write
"""

from __future__ import annotations

import ast
import difflib
import importlib
import inspect
import json
import sys
import textwrap
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from tools import tested  # noqa: E402 - found by the line above

COMPAT = ROOT / "tests" / "compat"
TABLE = ROOT / "docs" / "coverage.md"
NAMED = 6
NONSENSE = "no_such_name_9f3"
#: Members that users see on subclasses or on other classes of the same short name.
ALSO_ON = {
    "Run": ("azureml.core.script_run:ScriptRun",),
    "Dataset": ("azureml.data:TabularDataset", "azureml.data:FileDataset"),
}


_OWN_MACHINES = "nothing calls a cloud"
#: What classes do otherwise than v1's: class, what, why. docs/sdk.md has the details.
DIFFERS = (
    (
        "Workspace",
        "`from_config` makes it at first use on a personal server; `delete` keeps what it held for "
        "two weeks unless `delete_dependent_resources`",
        "a file that was meant for Azure works as it is; data are hard to lose",
    ),
    ("Workspace", "keywords of cloud resources change nothing; keys are None", _OWN_MACHINES),
    (
        "Workspace",
        "private endpoints, linked services and connections are records",
        _OWN_MACHINES,
    ),
    ("Experiment", "`delete` takes the runs along", "v1 had no way to delete a run"),
    (
        "Experiment, Run",
        "wrong keywords raise `UserErrorException` that names them",
        "v1 raised bare TypeError or AttributeError, or nothing",
    ),
    (
        "Run",
        "numpy numbers are stored as numbers; rows of differing columns can be read back",
        "v1 stored texts, or could not read them",
    ),
    (
        "Run",
        "a property never takes another value; a file's name takes the last content",
        "v1's service decided it",
    ),
    (
        "Run",
        "`wait_for_completion` returns when all of the run is stored",
        "nothing is added afterwards",
    ),
    (
        "ScriptRunConfig, Estimator",
        "`local` runs in the interpreter that submits",
        "environments are built in a later release",
    ),
    (
        "Model",
        "a missing model is `ModelNotFoundException` and `WebserviceException` at once",
        "v1's reference said the one and its code raised the other",
    ),
    (
        "authentication classes",
        "ask nobody, carry the server's own token",
        _OWN_MACHINES,
    ),
    ("ServiceException", "is an `AzureMLException`", "works without msrest"),
)


@dataclass
class Row:
    """One class of v1: where it is imported from, and which of its members are there.

    is_name_only: it can be imported, but to make one, or most that it can do, is refused.
    there: what works. untested: what is there, and no test uses. uses: notebooks per member.
    """

    name: str
    module: str
    uses: int
    found: bool
    is_name_only: bool = False
    there: list[str] = field(default_factory=list)
    untested: list[str] = field(default_factory=list)
    unbuilt: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    member_uses: Counter[str] = field(default_factory=Counter)


def main() -> int:
    """Write or check the table; return the exit status."""
    text = table(rows())
    if "--check" not in sys.argv:
        TABLE.write_text(text, "utf-8")
        return 0
    present = TABLE.read_text("utf-8") if TABLE.exists() else ""
    if present == text:
        print("tables: ok")
        return 0
    diff = difflib.unified_diff(present.splitlines(), text.splitlines(), lineterm="", n=0)
    print("docs/coverage.md is stale; 'make tables' writes it again:", file=sys.stderr)
    print("\n".join(list(diff)[:40]), file=sys.stderr)
    return 1


def rows() -> list[Row]:
    """Return a row for each public class of v1, the most used first."""
    surface = json.loads((COMPAT / "surface.json").read_text("utf-8"))
    usage = json.loads((COMPAT / "usage.json").read_text("utf-8"))
    homes: dict[str, list[tuple[str, str]]] = {}
    for module, names in surface["modules"].items():
        for name, what in names.items():
            kind, _, canonical = what.partition(" ")
            if kind == "class" and not name.startswith("_"):
                homes.setdefault(canonical, []).append((module, name))
    result: list[tuple[Row, list[str]]] = []
    for canonical, places in homes.items():
        module, name = min(places, key=lambda place: (place[0].count("."), place))
        used = usage["classes"].get(name, {})
        imports = [usage["imports"].get(f"{m}:{n}", {}).get("total", 0) for m, n in places]
        data = surface["classes"].get(canonical, {})
        wanted = sorted({*data.get("members", {}), *data.get("attrs", ())})
        row = Row(name, module, max(imports), found=False, member_uses=member_uses(used))
        result.append((row, wanted))
    # Of two classes of one name the one with the shorter path is meant (azureml.core's Dataset).
    deepest_first = sorted(result, key=lambda one: -one[0].module.count("."))
    classes = {row.name: cls for row, _ in deepest_first if (cls := find(row.module, row.name))}
    # v1's public names of one class may be several; the SDK's own name is the one that tests use.
    classes |= {cls.__name__: cls for cls in classes.values()}
    used_in_tests = tested.members(classes)
    for row, wanted in result:
        look(row, wanted, used_in_tests)
    return sorted((row for row, _ in result), key=lambda r: (-r.uses, r.module, r.name))


def member_uses(used: dict[str, Any]) -> Counter[str]:
    """Return how many notebooks use each member of a class."""
    counts: Counter[str] = Counter()
    for name, data in used.get("methods", {}).items():
        counts[name] += data.get("uses", {}).get("total", 0)
    for name, data in used.get("attributes", {}).items():
        counts[name] += data.get("uses", data).get("total", 0)
    return counts


def look(row: Row, wanted: list[str], used_in_tests: set[tuple[str, str]]) -> None:
    """Fill in which members of the class that `row` names work, are there, and are not."""
    cls = find(row.module, row.name)
    row.found = cls is not None
    row.is_name_only = any(base.__name__ == "Unbuilt" for base in getattr(cls, "__mro__", ()))
    classes = [cls, *(find(*place.split(":")) for place in ALSO_ON.get(row.name, ()))]
    present: set[str] = set()
    unbuilt: set[str] = set()
    for one in classes:
        if one is not None:
            names, empty = members_of(one)
            present |= names
            unbuilt |= empty
    bases = {base for one in classes if one is not None for base in one.__mro__}
    sure = {member for base in bases for owner, member in used_in_tests if owner == base.__name__}
    if any((base.__name__, "__init__") in used_in_tests for base in bases if keeps(base)):
        sure |= present - set(dir(object))
    for name in sorted(wanted, key=lambda name: (-row.member_uses[name], name)):
        if name not in present:
            row.missing.append(name)
        elif name in unbuilt:
            row.unbuilt.append(name)
        elif name in sure:
            row.there.append(name)
        else:
            row.untested.append(name)
    there = len(row.there) + len(row.untested)
    row.is_name_only = row.is_name_only or there < len(row.unbuilt)


def keeps(cls: type) -> bool:
    """Say whether a class does nothing but keep what its constructor is given."""
    return not any(inspect.isfunction(value) for name, value in vars(cls).items() if name[0] != "_")


def find(module: str, name: str) -> type | None:
    """Return a class by its import path; None if module or name is not there."""
    try:
        there = importlib.import_module(module)
    except ModuleNotFoundError as problem:
        if (problem.name or "").partition(".")[0] == "azureml":
            return None
        raise
    # Names may be made when asked for, but a module that has any name at all has none.
    value = None if hasattr(there, NONSENSE) else getattr(there, name, None)
    return value if inspect.isclass(value) else None


def members_of(cls: type) -> tuple[set[str], set[str]]:
    """Return the public members of a class, and those that only raise NotBuiltYet."""
    names: set[str] = set()
    empty: set[str] = set()
    for base in cls.__mro__:
        if base is object:
            continue
        names |= set(vars(base)) | set(getattr(base, "__annotations__", {}))
        empty |= {name for name, value in vars(base).items() if refuses(value)}
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        except (OSError, TypeError, SyntaxError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                if isinstance(node.value, ast.Name) and node.value.id == "self":
                    names.add(node.attr)
            elif isinstance(node, ast.FunctionDef) and only_raises(node):
                empty.add(node.name)
    return names, empty


def refuses(value: object) -> bool:
    """Say whether a member is one that zaffre.sdk.unbuilt made."""
    function = getattr(value, "__func__", value)
    return getattr(function, "__module__", "") == "zaffre.sdk.unbuilt"


def only_raises(function: ast.FunctionDef) -> bool:
    """Say whether a function's body is a docstring, if anything, and a raise of NotBuiltYet."""
    body = [
        step
        for step in function.body
        if not (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant))
    ]
    return len(body) == 1 and isinstance(body[0], ast.Raise) and "NotBuiltYet" in ast.dump(body[0])


def table(found: list[Row]) -> str:
    """Return the page."""
    works = [row for row in found if row.found and not row.is_name_only]
    names = [row for row in found if row.is_name_only]
    used = [row for row in found if row.uses]
    weight = sum(row.uses for row in used)
    share = sum(row.uses for row in works) / weight
    lines = [
        "# How much of SDK v1 is there",
        "",
        "Written by `make tables` from code and tests; `make check` fails when it is stale. The",
        "real packages are azureml-core 1.61 and its companions 1.62. *Notebooks*: how many of 126",
        "public notebooks import the class. *Works*: members that are there and that a test uses.",
        "*By use*: of what notebooks do with the class, the share that works. *Untested*: there,",
        "and no test uses them. *To come*: missing, or only an error that says so.",
        "",
        f"Classes that work, at least in part: {len(works)} of {len(found)}. Of the {len(used)}",
        f"that the notebooks import: {sum(row.uses > 0 for row in works)}, {share:.0%} by use.",
        f"Of what notebooks do with these classes {by_use(*works)} works.",
        "",
        "## Classes that work",
        "",
        "| class | notebooks | works | by use | untested | to come, most used first |",
        "|---|--:|--:|--:|---|---|",
    ]
    for row in works:
        coming = sorted([*row.missing, *row.unbuilt], key=lambda name: -row.member_uses[name])
        total = len(row.there) + len(row.untested) + len(coming)
        lines.append(
            f"| `{row.module}.{row.name}` | {row.uses} | {len(row.there)} of {total} "
            f"| {by_use(row)} | {listed(row.untested)} | {listed(coming)} |"
        )
    lines += ["", "## What differs, and why", ""]
    lines += ["| class | what | why |", "|---|---|---|"]
    lines += [f"| `{name}` | {what} | {why} |" for name, what, why in DIFFERS]
    lines += ["", "## Classes that can be imported and not used yet", ""]
    lines += ["| class | notebooks |", "|---|--:|"]
    lines += [f"| `{row.module}.{row.name}` | {row.uses} |" for row in names]
    lines += ["", "## Classes that notebooks import and that are not there", ""]
    lines += ["| class | notebooks |", "|---|--:|"]
    lines += [f"| `{row.module}.{row.name}` | {row.uses} |" for row in used if not row.found]
    return "\n".join(lines) + "\n"


def by_use(*rows: Row) -> str:
    """Return the share of the classes' uses in notebooks that works; nothing if there are none."""
    works = total = 0
    for row in rows:
        works += sum(row.member_uses[name] for name in row.there)
        known = (*row.there, *row.untested, *row.unbuilt, *row.missing)
        total += sum(row.member_uses[name] for name in known)
    return f"{works / total:.0%}" if total else ""


def listed(names: list[str]) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(f"`{name}`" for name in names[:NAMED]) + (
        f" and {more} more" if more > 0 else ""
    )


if __name__ == "__main__":
    sys.exit(main())
