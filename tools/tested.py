"""Which members of the SDK's classes the tests call: read off the tests, without running them.

Two sources. The tables of tests/sdk/keyword_tables say it outright, since a test calls each of
their rows. The other tests are parsed: a member counts when it is used on an expression whose
class is known from an annotation (`run: Run`), a constructor (`Run(...)`) or the annotation of
what the SDK's own call returns (`experiment.submit(...)`). What is not known does not count.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"
TABLES = TESTS / "sdk" / "keyword_tables"
_NAME = re.compile(r"[A-Za-z_]\w*")


def members(classes: dict[str, type]) -> set[tuple[str, str]]:
    """Return (class name, member) of what tests call. classes: the SDK's, by their names."""
    found = of_tables()
    for path in sorted(TESTS.rglob("test_*.py")):
        scan = _Scan(classes)
        scan.visit(ast.parse(path.read_text("utf-8")))
        found |= scan.found
    return found


def of_tables() -> set[tuple[str, str]]:
    """Return (class name, member) of the keyword tables."""
    found: set[tuple[str, str]] = set()
    for path in sorted(TABLES.glob("*.py")):
        module = importlib.import_module(f"tests.sdk.keyword_tables.{path.stem}")
        for table in getattr(module, "TABLES", ()):
            name = table.of.__name__
            found |= {(name, member) for member in (*table.methods, *table.attributes, "__init__")}
    return found


class _Scan(ast.NodeVisitor):
    """Walks one file; `names` are the variables of the function at hand, by their classes."""

    def __init__(self, classes: dict[str, type]) -> None:
        self.found: set[tuple[str, str]] = set()
        self._classes = classes
        self._names: dict[str, type] = {}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        outer, self._names = self._names, dict(self._names)
        for argument in node.args.args:
            self._note(argument.arg, self._annotated(argument.annotation))
        self.generic_visit(node)
        self._names = outer

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        target = node.targets[0]
        if isinstance(target, ast.Name):
            self._note(target.id, self._class_of(node.value))

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            self.visit(item.context_expr)
            if isinstance(item.optional_vars, ast.Name):
                self._note(item.optional_vars.id, self._class_of(item.context_expr))
            kind = self._class_of(item.context_expr)
            if kind is not None:
                self.found |= {(kind.__name__, "__enter__"), (kind.__name__, "__exit__")}
        for statement in node.body:
            self.visit(statement)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        owner = self._class_of(node.value)
        if owner is None and isinstance(node.value, ast.Name):
            owner = self._classes.get(node.value.id)
        if owner is not None:
            self.found.add((owner.__name__, node.attr))

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name):
            if node.func.id in self._classes:
                self.found.add((node.func.id, "__init__"))
            if node.func.id in ("repr", "str") and node.args:
                kind = self._class_of(node.args[0])
                if kind is not None:
                    self.found.add((kind.__name__, f"__{node.func.id}__"))

    def _note(self, name: str, kind: type | None) -> None:
        if kind is None:
            self._names.pop(name, None)
        else:
            self._names[name] = kind

    def _annotated(self, annotation: Any) -> type | None:
        return None if annotation is None else self._of_text(ast.unparse(annotation))

    def _of_text(self, annotation: str) -> type | None:
        """Return the class that an annotation such as `Run | None` names, if it names just one."""
        named = {name for name in _NAME.findall(annotation) if name in self._classes}
        simple = set(_NAME.findall(annotation)) - named <= {"None", "Optional"}
        return self._classes[named.pop()] if simple and len(named) == 1 else None

    def _class_of(self, node: ast.expr) -> type | None:
        if isinstance(node, ast.Name):
            return self._names.get(node.id)
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                return self._classes.get(node.func.id)
            return self._returned(node.func)
        if isinstance(node, ast.Attribute):
            return self._returned(node)
        return None

    def _returned(self, node: ast.expr) -> type | None:
        """Return the class that a member is, or that it gives: a method's answer, a property's."""
        if not isinstance(node, ast.Attribute):
            return None
        owner = self._class_of(node.value)
        if owner is None and isinstance(node.value, ast.Name):
            owner = self._classes.get(node.value.id)
        member = inspect.getattr_static(owner, node.attr, None) if owner is not None else None
        if inspect.isclass(member):
            return member
        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
        annotation = getattr(function, "__annotations__", {}).get("return")
        return self._of_text(annotation) if isinstance(annotation, str) else None
