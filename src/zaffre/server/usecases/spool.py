"""Taking a spool's batches in: each record exactly once, many batches in one commit.

A batch is a range of bytes of one spool. Its records and the spool's new offset are stored in one
transaction whose first statement moves the offset by compare-and-set, so a repeat of the batch
changes nothing, whichever server it meets.

One thread (`SpoolWriter`) does the work. While it commits, other batches arrive; it takes all of
them into its next transaction, a savepoint each, and answers after the commit. A batch that fails
takes only itself back.

Lines that are no whole record (a killed process leaves halves) are skipped and counted, and so are
records that name a run which the caller may not log to.
"""

from __future__ import annotations

import math
import re
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Annotated

import msgspec
import psycopg.errors

from zaffre.contract import names
from zaffre.contract.errors import Forbidden, Invalid, NotFound, StoreFull
from zaffre.contract.metric import MetricKind
from zaffre.server import log
from zaffre.server.access import Caller, require
from zaffre.server.store import run_key as run_keys
from zaffre.server.store import spool as spools
from zaffre.server.store.database import Database
from zaffre.server.store.run_key import RunKey
from zaffre.server.store.spool import Driver, MetricPoints, Point
from zaffre.server.store.store import Store

#: Longest batch in bytes.
BATCH_MAX_BYTES = 4 * 1024 * 1024

_GATHER_MAX = 64
_IDLE_S = 30.0
_TRIES = 5
_SPOOL_ID = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")

_Cell = float | int | bool | str | None
_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _Record(msgspec.Struct):
    """`contract.metric.MetricRecord`, with what a cell may be."""

    run: str
    name: str
    kind: MetricKind
    at: float
    value: _Cell = None
    values: list[_Cell] | None = None
    row: dict[str, _Cell] | None = None
    columns: dict[str, list[_Cell]] | None = None
    step: _Int64 | None = None
    description: str | None = None


_decoder = msgspec.json.Decoder(_Record)
_encode = msgspec.json.encode


@dataclass(frozen=True)
class Batch:
    """Bytes of a spool from `start` on, and who sent them."""

    caller: Caller
    run_id: str
    spool_id: str
    start: int
    body: bytes


@dataclass(frozen=True)
class Stored:
    """How far the spool is stored now, and how many lines of the batch were skipped."""

    offset: int
    skipped_count: int


@dataclass
class _Waiting:
    """A batch, what to call with its outcome, and the outcome."""

    batch: Batch
    answer: Callable[[Stored | Exception], None]
    outcome: Stored | Exception | None = None
    topics: set[str] = field(default_factory=set)


def check(batch: Batch) -> None:
    """Refuse what cannot be a batch."""
    if not _SPOOL_ID.match(batch.spool_id):
        raise Invalid("spool_id", "1 to 100 letters, digits, '-' and '_'")
    if batch.start < 0:
        raise Invalid("from_offset", "must not be negative")
    if len(batch.body) > BATCH_MAX_BYTES:
        raise Invalid("body", f"at most {BATCH_MAX_BYTES} bytes a batch")
    if not batch.body.endswith(b"\n"):
        raise Invalid("body", "must end at the end of a line")


class SpoolWriter:
    """The thread that stores batches. It starts at the first one and ends when idle."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: SimpleQueue[_Waiting] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._runs: dict[str, RunKey] = {}

    def put(self, batch: Batch, answer: Callable[[Stored | Exception], None]) -> None:
        """Store a batch soon; `answer` is called in the writer's thread, after the commit."""
        with self._lock:
            self._waiting.put(_Waiting(batch, answer))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="spool-writer", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            try:
                gathered = [self._waiting.get(timeout=_IDLE_S)]
            except Empty:
                with self._lock:
                    if self._waiting.empty():
                        self._thread = None
                        return
                continue
            while len(gathered) < _GATHER_MAX and not self._waiting.empty():
                gathered.append(self._waiting.get())
            self._store(gathered)
            for one in gathered:
                one.answer(one.outcome or RuntimeError("a batch was neither stored nor refused"))

    def _store(self, gathered: list[_Waiting]) -> None:
        """Store all in one commit; if that fails as a whole, each by itself."""
        try:
            self._commit(gathered)
        except Exception as problem:
            if _is_disk_full(problem):
                for one in gathered:
                    one.outcome = StoreFull()
            elif len(gathered) == 1 and not _may_pass(problem):
                gathered[0].outcome = problem
            else:
                for one in gathered:
                    self._store_alone(one)

    def _store_alone(self, one: _Waiting) -> None:
        """Store one batch; again if another server's transaction stood in the way."""
        for _ in range(_TRIES):
            try:
                self._commit([one])
            except Exception as problem:  # it becomes the batch's answer
                one.outcome = StoreFull() if _is_disk_full(problem) else problem
                if not _may_pass(problem):
                    return
            else:
                return

    def _commit(self, gathered: list[_Waiting]) -> None:
        for one in gathered:
            one.outcome = None
            one.topics = set()
        with self._database.driver_turn() as connection:
            driver: Driver
            if self._database.is_sqlite:
                driver = spools.SqliteDriver(connection)
                driver.execute("BEGIN IMMEDIATE")
            else:
                driver = spools.PostgresDriver(connection)
                driver.execute("SET LOCAL synchronous_commit = off")
            try:
                if len(gathered) == 1:
                    gathered[0].outcome = self._take(driver, gathered[0])
                else:
                    for one in gathered:
                        self._take_apart(driver, one)
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
        topics: set[str] = set().union(*(one.topics for one in gathered))
        if topics:
            self._database.on_commit(topics)

    def _take_apart(self, driver: Driver, one: _Waiting) -> None:
        """Store one batch within a savepoint, which is taken back if the batch fails."""
        driver.execute("SAVEPOINT batch")
        try:
            one.outcome = self._take(driver, one)
        except Exception as problem:
            if _is_disk_full(problem) or _may_pass(problem):
                raise  # SQLite has taken the whole transaction back already
            driver.execute("ROLLBACK TO SAVEPOINT batch")
            one.topics = set()
            one.outcome = problem
        driver.execute("RELEASE SAVEPOINT batch")

    def _take(self, driver: Driver, one: _Waiting) -> Stored:
        batch = one.batch
        run = self._find_run(driver, batch.run_id)
        if run is None:
            raise NotFound("run", batch.run_id)
        require(batch.caller, "spool.send", run.workspace_id)
        if not self._may_log(driver, batch.caller, run, run):
            raise Forbidden("spool.send")
        end = batch.start + len(batch.body)
        key = stored_id(batch.run_id, batch.spool_id)
        records, skipped = parse(batch.body)
        # The offset first: it makes a repeat of this batch wait, and then refuses it.
        spools.move_offset(
            driver, key, run.run_key, start=batch.start, end=end, skipped_count=skipped
        )
        if not records:
            return Stored(end, skipped)
        sorted_out = _SortedOut(
            lambda run_id: self._find_allowed(driver, batch.caller, run, run_id)
        )
        metrics = sorted_out.add(records)
        if sorted_out.refused_count:
            spools.add_skipped(driver, key, sorted_out.refused_count)
        refused = skipped + sorted_out.refused_count
        if refused:
            log.warning(
                "spool.records_skipped",
                run_id=run.run_id,
                spool_id=batch.spool_id,
                count=refused,
                first=sorted_out.first_refusal or "a line is not a record",
            )
        if metrics:
            spools.add_points(driver, metrics)
            one.topics = {f"metric:{run_id}" for run_id in sorted_out.run_ids}
        return Stored(end, refused)

    def _find_run(self, driver: Driver, run_id: str) -> RunKey | None:
        """Return a run's key; what was found is remembered, since it never changes."""
        known = self._runs.get(run_id)
        if known is not None:
            return known
        if "\0" in run_id:
            return None  # PostgreSQL would refuse the whole batch, each time
        row = driver.execute(
            "SELECT run_key, run_id, workspace_id, experiment_name, parent_run_id, state,"
            " experiment_id FROM runs WHERE run_id = ?",
            (run_id,),
        ).fetchone()
        if row is None:
            return None
        if len(self._runs) > 20_000:
            self._runs.clear()
        self._runs[run_id] = RunKey(*row)
        return self._runs[run_id]

    def _find_allowed(
        self, driver: Driver, caller: Caller, spool_of: RunKey, run_id: str
    ) -> RunKey | None:
        run = self._find_run(driver, run_id)
        if run is None or not self._may_log(driver, caller, spool_of, run):
            return None
        return run

    def _may_log(self, driver: Driver, caller: Caller, spool_of: RunKey, run: RunKey) -> bool:
        """Say whether `caller` may log to `run`.

        The owner may to any run of the workspace; a run's token to its run and to those above and
        below it.
        """
        if run.workspace_id != spool_of.workspace_id:
            return False
        if caller.is_owner or caller.run_id == run.run_id:
            return True
        own = self._find_run(driver, caller.run_id or "")
        return own is not None and (
            self._is_above(driver, own, run) or self._is_above(driver, run, own)
        )

    def _is_above(self, driver: Driver, upper: RunKey, lower: RunKey) -> bool:
        seen: set[str] = set()
        parent = lower.parent_run_id
        while parent is not None and parent not in seen:
            if parent == upper.run_id:
                return True
            seen.add(parent)
            above = self._find_run(driver, parent)
            parent = above.parent_run_id if above is not None else None
        return False


def stored_id(run_id: str, spool_id: str) -> str:
    """Return what the store calls a spool: two runs' spools never meet."""
    return f"{run_id}/{spool_id}"


def get_offset(run_id: str, spool_id: str, *, caller: Caller, store: Store) -> int:
    """Return how far a spool is stored."""
    with store.database.reading() as tx:
        run = run_keys.get(tx, run_id)
        require(caller, "spool.read", run.workspace_id)
        return spools.find_offset(tx, stored_id(run_id, spool_id))


def parse(body: bytes) -> tuple[list[_Record], int]:
    """Return the records of a batch, and how many lines are none."""
    try:
        return _decoder.decode_lines(body), 0
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # some line is a half: look at each
    records: list[_Record] = []
    skipped = 0
    for line in body.split(b"\n"):
        if not line.strip():
            continue
        try:
            records.append(_decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            skipped += 1
    return records, skipped


class _SortedOut:
    """The records of one batch, sorted by run and metric."""

    def __init__(self, find_allowed: Callable[[str], RunKey | None]) -> None:
        self._find_allowed = find_allowed
        self._runs: dict[str, RunKey | None] = {}
        self._newest: dict[tuple[str, str], _Record] = {}
        self._points: dict[tuple[str, str], list[Point] | None] = {}
        self._descriptions: dict[tuple[str, str], str] = {}
        self.refused_count = 0
        self.first_refusal = ""
        self.run_ids: set[str] = set()

    def add(self, records: list[_Record]) -> list[MetricPoints]:
        """Return the points of each metric, each in the order of the spool."""
        found = self._points
        for record in records:
            metric = (record.run, record.name)
            points = found.get(metric)
            if points is None and metric not in found:
                points = found[metric] = self._open(record)
            if points is None:
                self._refuse("")
                continue
            value = record.value
            plain = record.values is None and record.row is None and record.columns is None
            if plain and type(value) is float and value:
                points.append((value, None, record.step, record.at))
            elif not self._add_slowly(record, points):
                continue
            self._newest[metric] = record
            if record.description:
                self._descriptions[metric] = record.description
        return [self._finish(metric, record) for metric, record in self._newest.items()]

    def _open(self, record: _Record) -> list[Point] | None:
        """Check the run and the name of a metric that the batch names for the first time."""
        if record.run not in self._runs:
            self._runs[record.run] = self._find_allowed(record.run)
        if self._runs[record.run] is None:
            self.first_refusal = self.first_refusal or f"no run to log to: {record.run[:100]!r}"
            return None
        try:
            names.metric_name(record.name)
        except Invalid as problem:
            self.first_refusal = self.first_refusal or problem.message
            return None
        return []

    def _refuse(self, problem: str) -> None:
        self.refused_count += 1
        self.first_refusal = self.first_refusal or problem

    def _add_slowly(self, record: _Record, points: list[Point]) -> bool:
        """Add the points of any record; False if it is refused."""
        step, at = record.step, record.at
        if record.columns is not None:
            columns = record.columns
            if len({len(cells) for cells in columns.values()}) > 1:
                self._refuse(f"the columns of table {record.name!r} differ in length")
                return False
            points += [
                (None, _encode(dict(zip(columns, cells, strict=True))).decode(), step, at)
                for cells in zip(*columns.values(), strict=True)
            ]
        elif record.row is not None:
            points.append((None, _encode(record.row).decode(), step, at))
        elif record.values is not None:
            points += [(*_number_and_text(value), step, at) for value in record.values]
        else:
            points.append((*_number_and_text(record.value), step, at))
        return True

    def _finish(self, metric: tuple[str, str], newest: _Record) -> MetricPoints:
        run_id, name = metric
        run = self._runs[run_id]
        points = self._points[metric]
        assert run is not None and points is not None  # noqa: S101, PT018
        numbers = [point[0] for point in points if point[0] is not None]
        self.run_ids.add(run_id)
        description = self._descriptions.get(metric)
        return MetricPoints(
            run_key=run.run_key,
            experiment_id=run.experiment_id,
            name=name,
            kind=newest.kind.value,
            description=description.replace("\0", "\ufffd") if description else None,
            last_number=points[-1][0] if points else None,
            min_number=min(numbers, default=None),
            max_number=max(numbers, default=None),
            points=points,
        )


def _number_and_text(value: _Cell) -> tuple[float | None, str | None]:
    """Return the columns of one value: a finite float in `number` alone (tables.points)."""
    if type(value) is float:
        # SQLite stores -0.0 as 0.0.
        return (value, None) if value or math.copysign(1, value) > 0 else (value, "-0.0")
    text = _encode(value).decode()
    if isinstance(value, int):
        try:
            return float(value), text
        except OverflowError:
            return None, text
    return None, text


def _is_disk_full(problem: BaseException) -> bool:
    if isinstance(problem, sqlite3.OperationalError):
        return problem.sqlite_errorcode in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)
    return isinstance(problem, psycopg.errors.DiskFull)


def _may_pass(problem: BaseException) -> bool:
    """Say whether the same transaction may succeed when it is tried again."""
    if isinstance(problem, sqlite3.OperationalError):
        return problem.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return isinstance(problem, psycopg.errors.TransactionRollback | psycopg.errors.OperationalError)
