"""`RunDetails(run).show()`: a run's state, metrics, children, pictures and log, live.

In a notebook it is HTML without scripts that is replaced while the run goes on; the last state
stays in the saved notebook. In a terminal a few lines follow the run; elsewhere its text is printed
once. How it works: `run_details_follow` keeps a `run_details_view` up to date, `run_details_screen`
shows it, drawn by `run_details_html` or `run_details_text`.
"""

from __future__ import annotations

from zaffre.sdk.unbuilt import Unbuilt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from zaffre.sdk.run import Run

_LOG_TAIL_CHARS = 4_000


class RunDetails:
    """Shows one run while it goes on."""

    def __init__(self, run_instance: Run) -> None:
        self._run = run_instance
        self._run_id = run_instance.id

    def show(self, render_lib: Any = None, widget_settings: Any = None) -> None:
        """Show the run and return at once; what is shown follows the run until its end.

        In a notebook it stops before that when the cell is run again. render_lib and
        widget_settings change nothing.
        """
        from zaffre.sdk import notices
        from zaffre.sdk import run_details_screen as screens
        from zaffre.sdk.run_details_follow import Follower
        from zaffre.sdk.run_details_view import RunView

        notices.ignored(
            "RunDetails.show", {"render_lib": render_lib, "widget_settings": widget_settings}
        )
        record = self._run.refresh_record()
        view = RunView(self._run_id, record, self._run.get_portal_url())
        follower = Follower(view)
        shell = screens.notebook_shell()
        if shell is not None:
            notebook = screens.Notebook(shell, follower.stop)
            follower.show(notebook.paint, notebook.send_again)
        elif screens.has_live_terminal() and not view.ended:
            follower.show(screens.Terminal().paint)
        else:
            follower.look_once()
            screens.print_once(view)

    def get_widget_data(self, widget_settings: Any = None) -> dict[str, Any]:
        """Return what is known of the run, under v1's keys."""
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


class ParallelRunStepDetails(Unbuilt):
    """Shows a parallel step of a pipeline."""


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
