"""The one writer: units of work in groups, a group a transaction, its commit beside the event loop.

Brief units are decided and executed on the event loop, a few milliseconds at a time: two threads that both run
Python only take the interpreter from each other. The commit, which waits for the disk and lets go of the
interpreter, runs on a thread; who comes meanwhile is in the next group. While nobody but batches waits, a group
goes on in the next turns of the loop: a commit costs the same however much it holds. A group that begins with a
unit that may be long runs on the thread as a whole. Reasons: `docs/decisions/0013-brief-units-on-the-loop.md`.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import structlog

from chengmai.kernel.clock import Clock, Instants
from chengmai.kernel.measures import Durations
from chengmai.kernel.problems import Unavailable
from chengmai.store.problems import StoreBusy, StoreFailed, StoreFull
from chengmai.store.sqlite.checkpoints import Checkpoints
from chengmai.store.sqlite.file import BUSY_MS, Place
from chengmai.store.sqlite.jobs import Answer, Group, Job, Unit
from chengmai.store.sqlite.memo import Memo
from chengmai.store.sqlite.rows import Rows
from chengmai.store.sqlite.tide import Tide
from chengmai.store.sqlite.transaction import SqliteTx

BROKEN = (apsw.IOError, apsw.CorruptError, apsw.NotADBError)
"""What is wrong with the file itself, not with what was asked of it."""
MAX_GROUP = 256
MAX_GROUP_S = 0.008
"""No unit of work is added to a group that has worked this long, in CPU time: a busy machine must not make
commits smaller, and so dearer."""
ON_LOOP_S = 0.004
"""The same for a group that holds up the event loop; its rows are written after that."""
MOST_TURNS = 8
"""In how many turns of the event loop a group of batches may go on before it is committed."""
_FEW_WAIT = 16
"""Where more jobs wait than this, it is not looked what they are."""
_LOOKS_EVERY = 8
"""After so many units it is looked at the clock of the thread, which is a call of the system."""
_CLOSING_S = 0.05
AT_ONCE = 100
"""How many of many units of work run in a row; the next ones run after whoever waits."""
MAX_WAITING = 10_000
"""How many units of work may wait, a few seconds of work: whoever comes then is told to come again."""
MOST_DELAY_S = 0.3
"""How long the job that was taken last may have waited before requests to write are turned away."""
_log = structlog.get_logger(__name__)


class Writer:
    """Runs jobs on the one connection that writes; whoever holds `_turn` may use it."""

    def __init__(
        self,
        db: apsw.Connection,
        path: Path,
        clock: Clock,
        checkpoints: Checkpoints,
        tide: Tide,
        *,
        most_waiting: int = MAX_WAITING,
        most_delay_s: float = MOST_DELAY_S,
    ) -> None:
        self._db, self._path, self._checkpoints = db, path, checkpoints
        self._tide, self._changes = tide, db.total_changes()
        self._place = Place(path)
        self._jobs: deque[Job] = deque()
        self._most_waiting, self.depth = most_waiting, 0
        self._most_delay_s, self._waited_s = most_delay_s, 0.0
        self._counting = threading.Lock()
        self.broken: Unavailable | None = None
        self._memo = Memo()
        self._rows = Rows(db)
        self._instants = Instants(clock)
        self.durations = Durations()
        self.commits = 0
        self.written = 0
        self._turn = threading.Lock()
        self._called: asyncio.AbstractEventLoop | None = None
        self._paused: deque[Group] = deque(maxlen=1)
        """The group that goes on in the next turn of its loop; whoever takes it out ends it."""
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="sqlite-write", daemon=True)
        self._thread.start()

    def check_room(self) -> None:
        """Raise `StoreBusy` while jobs wait so long that no more should be begun with."""
        if self._waited_s > self._most_delay_s and self._jobs:
            raise StoreBusy("too many writes are waiting", fix="try again in a second")

    def put(self, job: Job) -> asyncio.Future[Any]:
        """Return what will hold the result of a job; raises `StoreBusy`, or what the file died of."""
        if self.broken is not None:
            raise self.broken
        if self.depth >= self._most_waiting:
            raise StoreBusy("too many writes are waiting", fix="try again in a second")
        self._count(len(job.units))
        self._jobs.append(job)
        self._call(job.loop)
        return job.future

    def close(self) -> None:
        """Finish what waits, and take nothing more."""
        self._tasks.put(None)
        self._thread.join()
        self._checkpoints.close()
        self.broken = self.broken or StoreFailed("the store is closed", fix="open it again")

    def _count(self, units: int) -> None:
        with self._counting:  # loops of several threads may write
            self.depth += units

    # --- on a loop -----------------------------------------------------------------------------------

    def _call(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin a group soon, unless one is under way, whose end calls again."""
        if not self._jobs or self._called is loop:
            return
        if not self._turn.locked():
            # A loop that was closed before it came to it never does: then another one is called.
            self._called = loop
            loop.call_soon(self._begin)
        elif any(group.loop and not group.loop.is_running() for group in tuple(self._paused)):
            self._tasks.put(self._left)

    def _begin(self) -> None:
        self._called = None
        if not self._jobs or not self._turn.acquire(blocking=False):
            return
        group = Group(asyncio.get_running_loop())
        try:
            if self.broken is not None or not self._jobs[0].brief or not self._is_free():
                self._tasks.put(self._whole)
                return
            self._remember()
        except BaseException as error:  # nobody may be left waiting, whatever it was
            group.error = error
        self._go_on(group)

    def _go_on(self, group: Group) -> None:
        """Run a turn of a group on its loop; it ends with it, or goes on in the next one."""
        try:
            if group.error is None:
                self._run(group, ON_LOOP_S, brief=True)
            if group.loop is not None and self._may_go_on(group):
                self._paused.append(group)
                group.loop.call_soon(self._resume)
                return
        except BaseException as error:
            group.error = error
        self._tasks.put(partial(self._end, group))

    def _resume(self) -> None:
        with suppress(IndexError):  # the thread took it
            self._go_on(self._paused.pop())

    def _may_go_on(self, group: Group) -> bool:
        """Return whether a group has more to do, and nobody waits for it but batches."""
        group.turns += 1
        if group.error is not None or not (group.unfinished or self._jobs):
            return False
        return (
            group.turns < MOST_TURNS
            and len(self._jobs) <= _FEW_WAIT
            and all(job.brief and not job.alone for job in (*group.jobs, *self._jobs))
        )

    def _is_free(self) -> bool:
        """Begin a transaction; return False where that is the thread's affair.

        It may wait for another process that writes, and tells everybody when there is no beginning at all.
        """
        self._db.set_busy_timeout(0)
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except apsw.Error:
            return False
        finally:
            self._db.set_busy_timeout(BUSY_MS)
        return True

    # --- on the thread -------------------------------------------------------------------------------

    def _serve(self) -> None:
        stop = False
        while not stop or self._jobs or self._turn.locked():
            if stop and self._turn.acquire(blocking=False):
                self._whole()
                continue
            try:
                task = self._tasks.get(timeout=_CLOSING_S if stop else None)
            except queue.Empty:  # its loop may wait for this thread
                task = self._left
            if task is None:
                stop = True
            else:
                task()

    def _left(self) -> None:
        """End a group whose loop does not come back to it."""
        with suppress(IndexError):
            self._end(self._paused.pop())

    def _whole(self) -> None:
        """Run a group from its beginning to its end; where it cannot even begin, nobody need wait longer."""
        group = Group()
        try:
            if self.broken is not None:
                raise self.broken
            self._db.execute("BEGIN IMMEDIATE")
        except BaseException as error:
            group.error = error
            while self._jobs:
                group.jobs[self._jobs.popleft()] = None
        else:
            try:
                self._remember()
                self._run(group, MAX_GROUP_S, brief=False)
            except BaseException as error:
                group.error = error
        self._end(group)

    def _end(self, group: Group) -> None:
        """Commit, answer, and give the turn away."""
        problem: Unavailable | None
        try:
            problem = self._committed(group.error)
        except BaseException as error:  # the writer must not end while somebody waits for it
            problem = self.broken = self.broken or StoreFailed(
                f"the writer failed ({error!r})", fix="restart; nothing acknowledged was lost"
            )
        if problem is None:
            self.durations.note(time.monotonic() - group.began)
            self.commits += 1
            self.written += group.units
            for job in group.unfinished:
                job.since = time.monotonic()
                self._jobs.append(job)
        answers = [Answer(job, problem) for job in group.jobs]
        self._count(-sum(len(one.job.units) for one in answers if one.is_last))
        if problem is None and self._checkpoints.committed():
            self._tell(answers)
            answers = []
            self._checkpoints.finish()
        self._turn.release()
        self._tell(answers)

    def _committed(self, error: BaseException | None) -> Unavailable | None:
        """Return None when the group is on disk, else why it is not; then nothing of it is."""
        if self.broken is not None:
            return self.broken
        try:
            if error is not None:
                raise error
            self._place.check()
            if (changes := self._db.total_changes()) != self._changes:
                self._changes = changes
                self._tide.announce(self._memo.changed())
            self._db.execute("COMMIT")
            self._tide.committed()
        except BaseException as failure:  # whatever it was, nobody may be told that it is saved
            self._tide.withdraw()
            self._memo.end(well=False)
            self._rows.drop()
            problem = self._storage_problem(failure)
            if not self._db.getautocommit():
                with suppress(
                    apsw.Error
                ):  # the file may be gone; what was not committed is not there
                    self._db.execute("ROLLBACK")
            return problem
        self._memo.end(well=True)
        return None

    def _tell(self, answers: Sequence[Answer]) -> None:
        loops = {answer.job.loop for answer in answers}
        with suppress(IndexError):
            loops.add(self._jobs[0].loop)
        for loop in loops:
            mine = [answer for answer in answers if answer.job.loop is loop]
            try:
                loop.call_soon_threadsafe(self._told, loop, mine)
            except RuntimeError:  # the loop is closed: nobody waits any more
                _log.warning("store.nobody_waits", answers=len(mine))
                if self._jobs and self._turn.acquire(blocking=False):
                    self._tasks.put(self._whole)

    def _told(self, loop: asyncio.AbstractEventLoop, answers: Sequence[Answer]) -> None:
        for answer in answers:
            answer.give()
        self._call(loop)

    # --- wherever the group is -----------------------------------------------------------------------

    def _remember(self) -> None:
        self._memo.begin(int(self._db.pragma("data_version")))

    def _run(self, group: Group, most_s: float, *, brief: bool) -> None:
        """Run units of work until there are no more, or the group has worked long enough."""
        since, worked_s, first_units = time.thread_time(), 0.0, group.units
        while group.units - first_units < MAX_GROUP and worked_s < most_s:
            job = self._next(group, brief=brief)
            if job is None:
                break
            group.jobs[job] = None
            first = len(job.results)
            for unit in job.units[first : first + AT_ONCE]:
                job.results.append(self._one(job, unit))
                group.units += 1
                if group.units % _LOOKS_EVERY == 0:
                    worked_s = time.thread_time() - since
                    if worked_s >= most_s:
                        break
            if not job.is_done:
                group.unfinished.append(job)
        self._rows.end()

    def _next(self, group: Group, *, brief: bool) -> Job | None:
        """Return who runs next, if anybody; on the loop only who is brief."""
        if self._jobs and (self._jobs[0].brief or not brief):
            job = self._jobs.popleft()
            self._waited_s = time.monotonic() - job.since
            return job
        return group.unfinished.popleft() if group.unfinished else None

    def _one(self, job: Job, unit: Unit) -> Any:
        # An instant each: a change without one of its own is told apart from the next by it.
        tx = SqliteTx(self._db, self._instants.next(), self._memo, self._rows)
        try:
            result = unit(tx)
        except (apsw.FullError, *BROKEN):
            raise
        except Exception as error:
            self._rows.end_unit(well=False)
            self._memo.end_unit(well=False)
            job.error = error
            return error
        self._rows.end_unit(well=True)
        self._memo.end_unit(well=True)
        job.after += tx.after
        return result

    def _storage_problem(self, error: BaseException) -> Unavailable:
        _log.error("store.commit_failed", path=str(self._path), error=repr(error))
        if isinstance(error, StoreFailed):
            self.broken = error
            return error
        if isinstance(error, apsw.FullError):
            return StoreFull(
                "no space is left on the device", fix="free space; nothing was half-written"
            )
        problem = StoreFailed(
            f"the disk reported an error while writing ({type(error).__name__})",
            fix="check the disk and restart; nothing acknowledged was lost",
        )
        # After a failed fsync nobody knows what the disk holds: never retry in this process.
        if isinstance(error, BROKEN):
            self.broken = problem
        return problem
