"""Exceptions: any value does, and nothing that an error is made of may raise another one."""

from __future__ import annotations

from tests.sdk.keyword_tables.table import ANY, SET, SURFACE, Keyword, Table

from zaffre.sdk import exceptions

_PLACES = ("azureml.exceptions.", "azureml._common.exceptions.", "azureml._restclient.exceptions.")
#: What is no text.
_VALUES = {
    "inner_exception": ValueError("inner"),
    "found_multiple": True,
    "delay_seconds": 2,
    "exceptions_list": [ValueError("one"), ValueError("two")],
    "status_code": 404,
}


def _table(v1: str, of: type) -> Table:
    init = {
        row[0]: Keyword(_VALUES.get(row[0], "what is wrong"), ANY)
        for row in SURFACE[v1]["init"]
        if row[1] not in ("*", "**")
    }
    needed = {name: keyword.right for name, keyword in init.items()}
    return Table(
        of=of,
        v1=v1,
        owner=lambda _: of(**needed),
        methods={"__init__": init, "print_stacktrace": {}},
        attributes={
            "message": SET,
            "inner_exception": SET,
            **dict.fromkeys(SURFACE[v1].get("attrs") or (), SET),
        },
    )


TABLES = [
    _table(v1, getattr(exceptions, v1.rpartition(".")[2]))
    for v1, data in SURFACE.items()
    if data.get("exception") and v1.startswith(_PLACES)
]
