"""Write docs/coverage.md: how much of SDK v1's public surface is there, class by class.

Read from tests/compat/: surface.json (names, members and parameters of the real packages) and
usage.json (how many of 126 public notebooks use what). A member counts as there when the class
has it, as a method, property, annotation or an attribute that a method assigns on self. One whose
whole body raises NotBuiltYet is counted apart: it is a name, not a deed.

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
COMPAT = ROOT / "tests" / "compat"
TABLE = ROOT / "docs" / "coverage.md"
NAMED = 6
NONSENSE = "no_such_name_9f3"
#: Members that users see on subclasses or on other classes of the same short name.
ALSO_ON = {
    "Run": ("azureml.core.script_run:ScriptRun",),
    "Dataset": ("azureml.data:TabularDataset", "azureml.data:FileDataset"),
}


@dataclass
class Row:
    """One class of v1: where it is imported from, and which of its members are there.

    is_name_only: it can be imported, but to make one, or most that it can do, is refused.
    """

    name: str
    module: str
    uses: int
    found: bool
    is_name_only: bool = False
    there: list[str] = field(default_factory=list)
    unbuilt: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def main() -> int:
    """Write or check the table; return the exit status."""
    sys.path.insert(0, str(ROOT / "src"))
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
    result: list[Row] = []
    for canonical, places in homes.items():
        module, name = min(places, key=lambda place: (place[0].count("."), place))
        used = usage["classes"].get(name, {})
        imports = [usage["imports"].get(f"{m}:{n}", {}).get("total", 0) for m, n in places]
        data = surface["classes"].get(canonical, {})
        wanted = sorted({*data.get("members", {}), *data.get("attrs", ())})
        result.append(look(Row(name, module, max(imports), found=False), wanted, member_uses(used)))
    return sorted(result, key=lambda row: (-row.uses, row.module, row.name))


def member_uses(used: dict[str, Any]) -> Counter[str]:
    """Return how many notebooks use each member of a class."""
    counts: Counter[str] = Counter()
    for name, data in used.get("methods", {}).items():
        counts[name] += data.get("uses", {}).get("total", 0)
    for name, data in used.get("attributes", {}).items():
        counts[name] += data.get("uses", data).get("total", 0)
    return counts


def look(row: Row, wanted: list[str], uses: Counter[str]) -> Row:
    """Fill in which members of the class that `row` names are there."""
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
    for name in sorted(wanted, key=lambda name: (-uses[name], name)):
        if name not in present:
            row.missing.append(name)
        elif name in unbuilt:
            row.unbuilt.append(name)
        else:
            row.there.append(name)
    row.is_name_only = row.is_name_only or len(row.there) < len(row.unbuilt)
    return row


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
        "Written by `make tables` from the code; `make check` fails when it is stale. The real",
        "packages are azureml-core 1.61 and its companions 1.62. *Notebooks*: how many of 126",
        "public notebooks import the class. *Raises*: members that are names only; calling them",
        "raises one error that says so.",
        "",
        f"Classes that work, at least in part: {len(works)} of {len(found)}. Of the {len(used)}",
        f"that the notebooks import: {sum(row.uses > 0 for row in works)}, {share:.0%} by use.",
        "",
        "## Classes that work",
        "",
        "| class | notebooks | members | raises | missing, most used first |",
        "|---|--:|--:|--:|---|",
    ]
    for row in works:
        total = len(row.there) + len(row.unbuilt) + len(row.missing)
        missing = ", ".join(f"`{name}`" for name in row.missing[:NAMED])
        more = len(row.missing) - NAMED
        lines.append(
            f"| `{row.module}.{row.name}` | {row.uses} | {len(row.there)} of {total} "
            f"| {len(row.unbuilt)} | {missing}{f' and {more} more' if more > 0 else ''} |"
        )
    lines += ["", "## Classes that can be imported and not used yet", ""]
    lines += ["| class | notebooks |", "|---|--:|"]
    lines += [f"| `{row.module}.{row.name}` | {row.uses} |" for row in names]
    lines += ["", "## Classes that notebooks import and that are not there", ""]
    lines += ["| class | notebooks |", "|---|--:|"]
    lines += [f"| `{row.module}.{row.name}` | {row.uses} |" for row in used if not row.found]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
