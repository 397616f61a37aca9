"""Delivery over an outbox in memory and receivers that are told what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chengmai.broker.delivery import MOST_HELD, Delivery
from chengmai.broker.endpoint import Endpoint
from chengmai.broker.ports import DueNotification, Mark
from chengmai.broker.subscription import Key
from chengmai.kernel.clock import FixedClock
from chengmai.kernel.problems import Unavailable

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True)
class Wanted:
    """A subscription, as far as delivery looks at it."""

    key: Key
    throttling_s: float | None = None
    accept: str = "application/json"
    context: Any = field(default_factory=lambda: type("C", (), {"url": None}))
    context_source: str = ""

    @property
    def id(self) -> str:
        return self.key[1]

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(f"http://{self.key[1]}/", self.accept, (), {}, None, None)


class Book:
    """The subscriptions, and who listens."""

    def __init__(self, *keys: Key) -> None:
        self.known = {key: Wanted(key) for key in keys}
        self.wake: Callable[[Key, DueNotification], None] = lambda _key, _one: None
        self.changed: Callable[[Key], None] = lambda _key: None

    def on_due(self, wake: Callable[[Key, DueNotification], None]) -> None:
        self.wake = wake

    def on_change(self, changed: Callable[[Key], None]) -> None:
        self.changed = changed

    def get(self, key: Key) -> Wanted | None:
        return self.known.get(key)


class Outbox:
    """What is due, in memory; `read` and `write` make it its own unit of work."""

    def __init__(self) -> None:
        self.rows: dict[int, tuple[Key, DueNotification]] = {}
        self.marks: list[Mark] = []
        self.reads = 0
        self.is_full = False

    async def read(self, fn: Callable[[Any], Any]) -> Any:
        self.reads += 1
        await asyncio.sleep(0)
        return fn(self)

    async def write(self, fn: Callable[[Any], Any]) -> Any:
        if self.is_full:
            raise Unavailable("no space")
        return fn(self)

    async def write_brief(self, fn: Callable[[Any], Any]) -> Any:
        return await self.write(fn)

    async def write_all(
        self, fns: Sequence[Callable[[Any], Any]], /, *, brief: bool = True
    ) -> list[Any]:
        return [await self.write(fn) for fn in fns]

    async def glance(self, fn: Callable[[Any], Any], /, *, asks_once: bool = False) -> Any:
        return await self.read(fn)

    def due(
        self, _tx: Any, tenant: str, subscription_id: str, limit: int, *, after: int = 0
    ) -> list[DueNotification]:
        mine = [
            one
            for key, one in self.rows.values()
            if key == (tenant, subscription_id) and one.seq > after
        ]
        return mine[:limit]

    def waiting(self, _tx: Any) -> list[tuple[str, str, int]]:
        keys = [key for key, _ in self.rows.values()]
        return [(*key, keys.count(key)) for key in sorted(set(keys))]

    def mark(self, _tx: Any, marks: Sequence[Mark]) -> None:
        self.marks += marks
        for mark in marks:
            for seq in mark.seqs:
                self.rows.pop(seq, None)


class Letters:
    """Says the number of what is told."""

    def letter(self, _subscription: Wanted, due: DueNotification) -> dict[str, Any]:
        return {"seq": due.seq}

    def merged(self, due: list[DueNotification]) -> DueNotification:
        return due[-1]


class Receivers:
    """Takes notifications; `gate` holds them up, `refuses` is how many are refused, by host."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.refuses: dict[str, int] = {}
        self.at_work = self.most = 0

    async def send(
        self, url: str, _headers: dict[str, str], body: bytes, *, timeout_s: float | None = None
    ) -> None:
        host = url.split("/")[2]
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        try:
            if (gate := self.gates.get(host)) is not None:
                await gate.wait()
            if self.refuses.get(host, 0):
                self.refuses[host] -= 1
                raise Unavailable("refused")
            self.got.append((host, body))
        finally:
            self.at_work -= 1


@dataclass
class House:
    book: Book
    outbox: Outbox
    receivers: Receivers
    delivery: Delivery[Wanted]

    def put(self, seq: int, key: Key, entity: str = "a") -> DueNotification:
        one = DueNotification(seq, entity, b"", 0)
        self.outbox.rows[seq] = (key, one)
        return one

    def due(self, seq: int, key: Key, entity: str = "a") -> None:
        self.book.wake(key, self.put(seq, key, entity))

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not done():
                await asyncio.sleep(0.001)

    async def settled(self) -> None:
        await self.until(lambda: not self.outbox.rows)

    def numbers(self, host: str = "one") -> list[int]:
        return [
            int(body.split(b":")[1].split(b",")[0]) for to, body in self.receivers.got if to == host
        ]


ONE, TWO = ("city", "one"), ("city", "two")


@asynccontextmanager
async def a_house(*waiting: tuple[int, Key], most_held: int = MOST_HELD) -> AsyncIterator[House]:
    book, outbox, receivers = Book(ONE, TWO), Outbox(), Receivers()
    slept: Any = lambda _seconds: asyncio.sleep(0)  # noqa: E731
    delivery: Delivery[Wanted] = Delivery(
        outbox,
        outbox,
        book,
        Letters(),
        receivers,
        receivers,  # type: ignore[arg-type]
        FixedClock(NOW),
        sleep=slept,
        most_held=most_held,
    )
    house = House(book, outbox, receivers, delivery)
    for seq, key in waiting:
        house.put(seq, key)
    await delivery.start()
    try:
        yield house
    finally:
        await delivery.stop()


async def test_what_becomes_due_is_sent_without_reading_the_outbox() -> None:
    async with a_house() as house:
        house.outbox.reads = 0
        for seq in (1, 2, 3):
            house.due(seq, ONE)
        assert house.delivery.depth == 3
        await house.settled()
        assert house.numbers() == [1, 2, 3]
        assert (house.outbox.reads, house.delivery.depth) == (0, 0)


async def test_outcomes_are_written_in_groups() -> None:
    async with a_house() as house:
        for seq in range(1, 51):
            house.due(seq, ONE if seq % 2 else TWO, f"urn:x:{seq}")
        await house.settled()
        assert sorted(mark.sent for mark in house.outbox.marks) == [25, 25]


async def test_what_an_earlier_run_left_goes_before_what_comes_now() -> None:
    async with a_house((1, ONE), (2, ONE), (3, TWO)) as house:
        house.due(4, ONE)
        await house.settled()
        assert house.numbers() == [1, 2, 4]
        assert house.numbers("two") == [3]


async def test_a_receiver_gets_some_at_once_and_one_of_an_entity() -> None:
    async with a_house() as house:
        gate = house.receivers.gates["one"] = asyncio.Event()
        for seq in range(1, 41):
            house.due(seq, ONE, f"urn:x:{seq % 20}")
        await house.until(lambda: house.receivers.at_work == 8)
        gate.set()
        await house.settled()
        assert house.receivers.most == 8
        numbers = house.numbers()
        assert all(numbers.index(n) < numbers.index(n + 20) for n in range(1, 21))


async def test_what_was_refused_is_sent_again_before_what_came_later() -> None:
    async with a_house() as house:
        house.receivers.refuses["one"] = 3
        for seq in (1, 2, 3):
            house.due(seq, ONE)
        await house.settled()
        assert house.numbers() == [1, 2, 3]
        (sent, failed) = (
            sum(m.sent for m in house.outbox.marks),
            sum(m.failed for m in house.outbox.marks),
        )
        assert (sent, failed) == (3, 1)


async def test_a_receiver_that_hangs_holds_up_nobody_else() -> None:
    async with a_house() as house:
        house.receivers.gates["one"] = asyncio.Event()
        for seq in range(1, 21):
            house.due(seq, ONE, f"urn:x:{seq}")
        house.due(21, TWO)
        await house.until(lambda: house.numbers("two") == [21])


async def test_what_is_too_much_to_hold_is_read_when_its_turn_comes() -> None:
    async with a_house(most_held=5) as house:
        gate = house.receivers.gates["one"] = asyncio.Event()
        for seq in range(1, 301):
            house.due(seq, ONE)
        gate.set()
        await house.settled()
        assert house.numbers() == list(range(1, 301))
        assert house.delivery.depth == 0


async def test_what_is_due_to_a_subscription_that_is_gone_is_forgotten() -> None:
    async with a_house() as house:
        gate = house.receivers.gates["one"] = asyncio.Event()
        house.receivers.refuses["one"] = 1
        for seq in (1, 2):
            house.due(seq, ONE)
        await house.until(lambda: house.receivers.at_work == 1)
        known = house.book.known.pop(ONE)
        house.outbox.rows.clear()
        house.book.changed(ONE)
        assert house.delivery.depth == 0
        house.book.known[ONE] = known
        gate.set()
        house.due(3, ONE)
        await house.settled()
        assert house.numbers() == [3]


async def test_what_was_delivered_and_not_written_is_written_later_and_not_sent_again() -> None:
    async with a_house() as house:
        house.outbox.is_full = True
        house.due(1, ONE)
        await house.until(lambda: house.numbers() == [1])
        await asyncio.sleep(0.05)
        assert house.delivery.depth == 1
        house.outbox.is_full = False
        house.due(2, ONE)
        await house.settled()
        assert house.numbers() == [1, 2]
        assert sum(mark.sent for mark in house.outbox.marks) == 2


async def test_the_last_outcomes_are_written_at_the_end() -> None:
    async with a_house() as house:
        house.due(1, ONE)
        await house.until(lambda: house.numbers() == [1])
        await house.delivery.stop()
        assert house.outbox.rows == {}
