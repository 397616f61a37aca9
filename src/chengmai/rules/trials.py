"""Trials that run while somebody waits: started, looked at, stopped. They are kept while the process runs."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.problems import Problem
from chengmai.packs.rules import RuleSpec
from chengmai.rules.problems import TrialNotFound, TrialsBusy
from chengmai.rules.trial import Trial, Trying, last_month
from chengmai.trust.policy import allow

MOST_AT_ONCE = 3
MOST_KEPT = 30


@dataclass
class RunningTrial:
    """A trial on its way or done: `result` when done, `problem` when it failed, `stopped` when told to."""

    id: str
    tenant: str
    rule: str
    spec: RuleSpec
    start: datetime
    end: datetime
    done: int = 0
    fired: int = 0
    result: Trial | None = None
    problem: Problem | None = None
    stopped: bool = False
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def is_running(self) -> bool:
        return self.task is not None and not self.task.done()


class Trials:
    """The trials of this process."""

    def __init__(self, trying: Trying, clock: Clock) -> None:
        self._trying, self._clock = trying, clock
        self._kept: dict[str, RunningTrial] = {}

    def start(
        self,
        by: Actor,
        rule: str,
        spec: RuleSpec,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> RunningTrial:
        """Return a trial that has begun, of the last 30 days unless told otherwise; raises `TrialsBusy`."""
        allow(by, "rules.try")
        if sum(one.is_running for one in self._kept.values()) >= MOST_AT_ONCE:
            raise TrialsBusy(MOST_AT_ONCE)
        first, last = last_month(self._clock.now())
        trial = RunningTrial(
            secrets.token_hex(8), by.tenant, rule, spec, start or first, end or last
        )
        trial.task = asyncio.create_task(self._run(trial, by), name=f"trial {rule}")
        for old in [one.id for one in self._kept.values() if not one.is_running]:
            if len(self._kept) < MOST_KEPT:
                break
            del self._kept[old]
        self._kept[trial.id] = trial
        return trial

    def get(self, by: Actor, trial_id: str) -> RunningTrial:
        """Return a trial of the actor's tenant; raises `TrialNotFound`."""
        allow(by, "rules.try")
        found = self._kept.get(trial_id)
        if found is None or found.tenant != by.tenant:
            raise TrialNotFound(trial_id)
        return found

    def cancel(self, by: Actor, trial_id: str) -> None:
        """Stop a trial."""
        trial = self.get(by, trial_id)
        if trial.task is not None and trial.is_running:
            trial.stopped = True
            trial.task.cancel()

    async def stop(self) -> None:
        """Stop all trials."""
        tasks = [one.task for one in self._kept.values() if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, trial: RunningTrial, by: Actor) -> None:
        def progress(done: int, fired: int) -> None:
            trial.done, trial.fired = done, fired

        try:
            trial.result = await self._trying.run(by, trial.spec, trial.start, trial.end, progress)
        except Problem as problem:
            trial.problem = problem
