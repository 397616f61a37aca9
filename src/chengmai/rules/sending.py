"""Sending commands: at least once, under one id, with an end to trying.

Before anything goes out the attempt is on disk, and what became of it after: a crash in between sends the same
command again under the same id, and never another one. The deadline of an answer is in real seconds, that of an
effect in the city's time, in which readings are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import orjson
import structlog

from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import to_us
from chengmai.kernel.problems import Problem, Unavailable
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.model import Model
from chengmai.rules.commands import body_of, may_become, moved, noted
from chengmai.rules.ledger import Ledger
from chengmai.rules.model import Command, CommandState
from chengmai.rules.ports import Answer, Channels, Order, RuleStore
from chengmai.rules.watching import Watcher

AT_ONCE = 32
LOOK_EVERY_S = 0.5
PAUSE_S = 1.0
"""Before another attempt; twice as long each time, at most `_LONGEST_PAUSE_S`."""
_LONGEST_PAUSE_S = 60.0
_log = structlog.get_logger(__name__)
_ON_THE_WAY = (CommandState.PENDING, CommandState.SENT)


class Sender:
    """Sends what is due. `run` goes on for ever; `round` does what is due now."""

    def __init__(
        self,
        work: Work[Tx],
        model: Model,
        store: RuleStore,
        ledger: Ledger,
        watcher: Watcher,
        channels: Channels,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._work, self._model, self._store = work, model, store
        self._ledger, self._watcher, self._channels = ledger, watcher, channels
        self._clock, self._sleep = clock, sleep
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    def on_command(self, command: Command) -> None:
        """Hear that a command was made or decided on; called on the event loop after its commit."""
        if command.is_live and command.state is CommandState.PENDING:
            self._wake.set()

    async def run(self) -> None:
        """Send what is due, for ever."""
        while True:
            try:
                await self.round()
            except Problem as problem:
                _log.warning("commands.failed", why=problem.detail)
            self._wake.clear()
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """Stop sending; what is on its way is taken up again at the next start."""
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def round(self) -> None:
        """Take up everything that is due and not on its way; return at once."""
        now_us = to_us(self._clock.now())
        free = AT_ONCE - len(self._tasks)
        if free <= 0:
            return
        most = free + len(self._tasks)

        def read(tx: Tx) -> list[Command]:
            return self._store.due_commands(tx, now_us, most)

        for command in await self._work.read(read):
            if command.id in self._tasks:
                continue
            task = asyncio.create_task(self._take_up(command), name=f"command {command.id}")
            self._tasks[command.id] = task
            task.add_done_callback(partial(self._done, command.id))

    def _done(self, command_id: str, _task: asyncio.Task[None]) -> None:
        self._tasks.pop(command_id, None)

    async def idle(self) -> None:
        """Return when nothing is on its way."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _take_up(self, command: Command) -> None:
        try:
            if command.state in _ON_THE_WAY:
                await self._deliver(command)
            else:
                await self._end(command)
        except asyncio.CancelledError:
            raise
        except Exception:
            _log.exception("command.failed", command=command.id)
            await self._sleep(PAUSE_S)

    async def _deliver(self, command: Command) -> None:
        pause = PAUSE_S
        while True:
            begun = await self._begin(command)
            if begun is None:
                return
            answer = await self._attempt(begun)
            if answer is not None:
                await self._answered(begun, answer)
                return
            await self._sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _begin(self, command: Command) -> Command | None:
        """Return the command with one attempt more on disk, or None when there is none to be made."""

        def do(tx: Tx) -> Command | None:
            kept = self._store.command(tx, command.tenant, command.id)
            if kept is None or not kept.is_live or kept.state not in _ON_THE_WAY:
                return None
            if kept.attempts > kept.retries:
                self._write_timeout(tx, kept, "没有收到设备的确认。", "No acknowledgement came.")
                return None
            if tx.now > kept.valid_until:
                again = ("再次", " again") if kept.attempts else ("", "")
                zh, en = (
                    f"已过有效期，没有{again[0]}发送。",
                    f"It is no longer valid and was not sent{again[1]}.",
                )
                self._write_timeout(tx, kept, zh, en)
                return None
            number = kept.attempts + 1
            begun = noted(
                kept,
                "attempt",
                tx.now,
                f"第 {number} 次发送，通道 {kept.channel}。",
                f"Attempt {number} over the channel {kept.channel}.",
                attempts=number,
            )
            self._ledger.write_command(tx, begun)
            return begun

        return await self._work.write(do)

    async def _attempt(self, command: Command) -> Answer | None:
        """Return the answer to one attempt, None when another one is to be made."""
        order = Order(
            command_id=command.id,
            channel=command.channel,
            to=command.to,
            body=orjson.dumps(body_of(command)),
            answers=command.answers,
            timeout_s=command.acknowledged_within_s,
        )

        async def on_sent() -> None:
            await self._sent(command)

        try:
            return await self._channels.send(order, on_sent)
        except Unavailable as problem:
            await self._note(command, problem.detail)
            return None
        except Problem as problem:
            return Answer(False, "platform", problem.detail)

    async def _sent(self, command: Command) -> None:
        def do(tx: Tx) -> None:
            kept = self._store.command(tx, command.tenant, command.id)
            if kept is None or not may_become(kept, CommandState.SENT):
                return
            sent = moved(
                kept, CommandState.SENT, tx.now, "已发送。", "It was sent.", sent_at=tx.now
            )
            self._ledger.write_command(tx, sent)

        await self._work.write(do)

    async def _answered(self, command: Command, answer: Answer) -> None:
        def do(tx: Tx) -> None:
            kept = self._store.command(tx, command.tenant, command.id)
            state = CommandState.ACKNOWLEDGED if answer.accepted else CommandState.REFUSED
            if kept is None or not may_become(kept, state):
                return
            said = f"（{answer.detail}）" if answer.detail else ""
            told = f" ({answer.detail})" if answer.detail else ""
            if not answer.accepted:
                zh, en = f"被拒绝{said}。", f"It was refused{told}."
                self._ledger.write_command(tx, moved(kept, state, tx.now, zh, en))
                return
            by = {"broker": ("消息服务器已收下", "The message broker took it")}.get(
                answer.by, ("设备已确认", "The device acknowledged it")
            )
            done = moved(
                kept, state, tx.now, f"{by[0]}{said}。", f"{by[1]}{told}.", acknowledged_at=tx.now
            )
            seen = self._effect_now(tx, done)
            self._ledger.write_command(tx, done)
            if seen is not None:
                self._ledger.write_command(tx, seen)

        await self._work.write(do)

    async def _end(self, command: Command) -> None:
        """End a command whose time is over: nobody decided, or no effect was seen; one last look before."""

        def do(tx: Tx) -> None:
            kept = self._store.command(tx, command.tenant, command.id)
            if kept is None or not kept.is_live or kept.state is not command.state:
                return
            if kept.state is CommandState.WAITING:
                self._write_timeout(
                    tx, kept, "到期无人决定，没有发送。", "Nobody decided in time; it was not sent."
                )
                return
            seen = self._effect_now(tx, kept)
            if seen is None:
                seen = moved(
                    kept,
                    CommandState.NO_EFFECT,
                    tx.now,
                    f"到期未见效果：{kept.effect_q}。",
                    f"No effect was seen in time: {kept.effect_q}.",
                )
            self._ledger.write_command(tx, seen)

        await self._work.write(do)

    def _effect_now(self, tx: Tx, command: Command) -> Command | None:
        if not command.effect_q:
            return None
        entity = self._model.get(tx, command.tenant, command.effect_entity)
        return self._watcher.verified(command, entity, tx)

    def _write_timeout(self, tx: Tx, command: Command, zh: str, en: str) -> None:
        seen = self._effect_now(tx, command) if command.sent_at else None
        over = seen or moved(command, CommandState.TIMED_OUT, tx.now, zh, en)
        self._ledger.write_command(tx, over)

    async def _note(self, command: Command, detail: str) -> None:
        def do(tx: Tx) -> None:
            kept = self._store.command(tx, command.tenant, command.id)
            if kept is None or not kept.is_live:
                return
            said = detail[:300]
            failed = noted(
                kept, "failed", tx.now, f"这次没有成功：{said}", f"This attempt failed: {said}"
            )
            self._ledger.write_command(tx, failed)

        await self._work.write(do)
