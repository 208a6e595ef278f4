"""`RunDetails(run).show()`: a run's state, metrics and log, as text and as a table.

In a notebook the output has a text and an HTML part without scripts, so that every front end and
nbconvert show it; a daemon thread replaces it until the run has ended. It is the kernel's: it
ends with it, and whatever fails in it ends it alone. Elsewhere the text is printed once.
"""

from __future__ import annotations

from zaffre.sdk.unbuilt import Unbuilt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.run import Run

#: Metrics and log are looked at again after this long, seconds.
REFRESH_S = 2
_SHOWN_METRICS = 30
_SHOWN_VALUES = 5
_LOG_TAIL_CHARS = 4_000
_FINAL = ("Completed", "Failed", "Canceled")


class RunDetails:
    """Shows one run while it goes on."""

    def __init__(self, run_instance: Run) -> None:
        self._run = run_instance
        self._run_id = run_instance.id

    def show(self, render_lib: Any = None, widget_settings: Any = None) -> None:
        """Show the run and return at once."""
        from zaffre.sdk import notices

        notices.ignored(
            "RunDetails.show", {"render_lib": render_lib, "widget_settings": widget_settings}
        )
        view = View(self.get_widget_data())
        display = _notebook_display()
        if display is None:
            import sys

            sys.stdout.write(view.text() + "\n")
            return
        handle = display(view, display_id=True)
        if view.ended or handle is None:
            return
        import threading

        threading.Thread(
            target=self._follow, args=(handle, view), name="zaffre-run-details", daemon=True
        ).start()

    def get_widget_data(self, widget_settings: Any = None) -> dict[str, Any]:
        """Return what is shown, under v1's keys."""
        run = self._run
        details = run.get_details_with_logs()
        children = [
            {"run_id": child.id, "status": child.status, "name": child.display_name}
            for child in run.get_children()
        ]
        metrics = run.get_metrics(recursive=True) if children else {run.id: run.get_metrics()}
        return {
            "status": details["status"],
            "workbench_run_details_uri": run.get_portal_url(),
            "run_id": run.id,
            "run_properties": {
                "run_id": run.id,
                "experiment_name": run.experiment.name,
                "status": details["status"],
                "type": run.type,
                "tags": dict(run.tags),
                "start_time": details.get("startTimeUtc"),
                "end_time": details.get("endTimeUtc"),
                "error": details.get("error"),
                "properties": details["properties"],
            },
            "child_runs": children,
            "children_metrics": {key: value for key, value in metrics.items() if key != run.id},
            "run_metrics": metrics.get(run.id, {}),
            "run_logs": _log_text(details["logFiles"]),
            "graph": {},
            "widget_settings": widget_settings or {},
        }

    def _follow(self, handle: Any, view: View) -> None:
        """Replace what is shown until the run has ended."""
        import logging

        from zaffre.sdk import session

        try:
            while not view.ended:
                # Answered when the state changes, so that the end shows at once.
                session.current().request(
                    "GET",
                    f"/runs/{self._run_id}/wait",
                    query={"state": view.data["status"], "timeout_s": REFRESH_S},
                )
                present = View(self.get_widget_data())
                if present.text() != view.text():
                    handle.update(present)
                view = present
        except Exception as problem:
            logging.getLogger("azureml.widgets").debug("RunDetails stopped following: %s", problem)


class View:
    """One look at a run: `get_widget_data` as text and as HTML."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.ended = data["status"] in _FINAL

    def rows(self) -> list[tuple[str, str]]:
        """Return what the table says of the run itself."""
        said = self.data["run_properties"]
        rows = [
            ("Run", self.data["run_id"]),
            ("Experiment", said["experiment_name"]),
            ("Status", self.data["status"]),
            ("Started", said["start_time"] or "-"),
            ("Duration", duration_text(said["start_time"], said["end_time"])),
        ]
        error = said["error"]
        if error:
            rows.append(("Error", _error_text(error)))
        rows.append(("Details", self.data["workbench_run_details_uri"]))
        return rows

    def metric_rows(self) -> list[tuple[str, str]]:
        """Return the metrics, shortened."""
        metrics = self.data["run_metrics"]
        rows = [(str(name), value_text(metrics[name])) for name in list(metrics)[:_SHOWN_METRICS]]
        if len(metrics) > _SHOWN_METRICS:
            rows.append(("...", f"{len(metrics) - _SHOWN_METRICS} more"))
        return rows

    def child_rows(self) -> list[tuple[str, str]]:
        """Return the children and their states."""
        children = self.data["child_runs"]
        rows = [(child["run_id"], child["status"]) for child in children[:_SHOWN_METRICS]]
        if len(children) > _SHOWN_METRICS:
            rows.append(("...", f"{len(children) - _SHOWN_METRICS} more"))
        return rows

    def text(self) -> str:
        """Return all of it as text."""
        parts = [_text_table(self.rows())]
        for title, rows in (("Metrics", self.metric_rows()), ("Children", self.child_rows())):
            if rows:
                parts.append(f"{title}\n{_text_table(rows, indent='  ')}")
        if self.data["run_logs"]:
            parts.append("Log\n" + _indented(self.data["run_logs"]))
        return "\n".join(parts)

    def html(self) -> str:
        """Return all of it as HTML, without scripts; everything that users wrote is escaped."""
        from html import escape

        link = escape(self.data["workbench_run_details_uri"], quote=True)
        rows = [(name, escape(value)) for name, value in self.rows() if name != "Details"]
        rows.append(("Details", f'<a href="{link}" target="_blank" rel="noopener">{link}</a>'))
        parts = [_html_table(rows)]
        for title, found in (("Metrics", self.metric_rows()), ("Children", self.child_rows())):
            if found:
                parts.append(f"<b>{title}</b>")
                parts.append(_html_table([(escape(name), escape(value)) for name, value in found]))
        if self.data["run_logs"]:
            parts.append(
                '<b>Log</b><pre style="max-height:20em;overflow:auto">'
                f"{escape(self.data['run_logs'])}</pre>"
            )
        return "<div>" + "".join(parts) + "</div>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Return both parts to IPython."""
        del include, exclude
        return {"text/plain": self.text(), "text/html": self.html()}

    def __repr__(self) -> str:
        """Return the text."""
        return self.text()


class ParallelRunStepDetails(Unbuilt):
    """Shows a parallel step of a pipeline."""


def value_text(value: Any) -> str:
    """Return a metric's value on one line, long lists by their last values."""
    if isinstance(value, dict):
        columns: dict[str, Any] = value
        return ", ".join(f"{column}: {value_text(columns[column])}" for column in columns)
    if isinstance(value, list):
        values: list[Any] = value
        shown = ", ".join(str(one) for one in values[-_SHOWN_VALUES:])
        if len(values) > _SHOWN_VALUES:
            return f"[..., {shown}] ({len(values):,} values)"
        return f"[{shown}]"
    return str(value)


def duration_text(start: str | None, end: str | None) -> str:
    """Return how long a run has run, as `1:02:03`; both are ISO 8601, end None is now."""
    if not start:
        return "-"
    from datetime import datetime, timezone

    from zaffre.contract import wire

    until = wire.decode_time(end) if end else datetime.now(timezone.utc)
    seconds = max(0, int((until - wire.decode_time(start)).total_seconds()))
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _error_text(error: Any) -> str:
    inner = error.get("error", error) if isinstance(error, dict) else error
    if isinstance(inner, dict):
        said: dict[str, Any] = inner
        return f"{said.get('code', '')}: {said.get('message', '')}"
    return str(inner)


def _log_text(logs: dict[str, str]) -> str:
    """Return the end of the script's log, else of the last one by name."""
    if not logs:
        return ""
    name = "user_logs/std_log.txt"
    text = str(logs.get(name, logs[max(logs)]))
    if len(text) <= _LOG_TAIL_CHARS:
        return text.rstrip("\n")
    tail = text[-_LOG_TAIL_CHARS:]
    return "...\n" + tail[tail.find("\n") + 1 :].rstrip("\n")


def _text_table(rows: list[tuple[str, str]], indent: str = "") -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{indent}{name:<{width}}  {value}" for name, value in rows)


def _html_table(rows: list[tuple[str, str]]) -> str:
    body = "".join(
        f'<tr><th style="text-align:left">{name}</th><td style="text-align:left">{value}</td></tr>'
        for name, value in rows
    )
    return f"<table>{body}</table>"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _notebook_display() -> Any:
    """Return IPython's `display` in a kernel, None in a script or a terminal."""
    import sys

    if "IPython" not in sys.modules or "ipykernel" not in sys.modules:
        return None
    from importlib import import_module

    if import_module("IPython").get_ipython() is None:
        return None
    return import_module("IPython.display").display
