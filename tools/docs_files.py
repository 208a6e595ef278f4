"""Check that the files which README.md and docs/ name in backquotes or links exist."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMED = re.compile(r"`((?:src|tests|docs|tools|examples|benchmarks)/[\w./-]+)`")
LINKED = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def main() -> int:
    """Print names of files that do not exist; return the exit status."""
    status = 0
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = page.read_text("utf-8")
        missing = [name for name in NAMED.findall(text) if not (ROOT / name).exists()]
        missing += [name for name in LINKED.findall(text) if not (page.parent / name).exists()]
        for name in missing:
            print(f"{page.relative_to(ROOT)} names {name}, which does not exist", file=sys.stderr)
            status = 1
    if not status:
        print("docs: ok")
    return status


if __name__ == "__main__":
    sys.exit(main())
