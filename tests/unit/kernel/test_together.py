from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from chengmai.kernel.together import Together


class _Source:
    """Answers with how much has happened when it is asked, once it is let to."""

    def __init__(self) -> None:
        self.happened = self.runs = 0
        self.gates: list[asyncio.Event] = []

    def ask(self) -> Callable[[], Awaitable[int]]:
        async def run() -> int:
            self.runs += 1
            seen = self.happened
            gate = asyncio.Event()
            self.gates.append(gate)
            await gate.wait()
            return seen

        return run

    async def let_go(self) -> None:
        await _settle()
        self.gates.pop(0).set()
        await _settle()


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_all_who_come_while_it_is_answered_share_the_next_answer() -> None:
    together, source = Together[int](), _Source()
    first = asyncio.create_task(together.ask("a", source.ask()))
    await _settle()
    source.happened = 1
    later = [asyncio.create_task(together.ask("a", source.ask())) for _ in range(63)]
    await source.let_go()
    await source.let_go()

    assert await first == 0
    assert await asyncio.gather(*later) == [1] * 63, "what had happened before they asked"
    assert source.runs == 2
    assert not together.is_asked("a")


async def test_who_comes_after_a_shared_run_has_begun_gets_one_of_his_own() -> None:
    together, source = Together[int](), _Source()
    tasks = []
    for happened in range(4):
        source.happened = happened
        tasks.append(asyncio.create_task(together.ask("a", source.ask())))
        await _settle()
        if happened:
            await source.let_go()
    await source.let_go()

    assert [await one for one in tasks] == [0, 1, 2, 3]


async def test_different_questions_do_not_wait_for_each_other() -> None:
    together, source = Together[int](), _Source()
    tasks = [asyncio.create_task(together.ask(key, source.ask())) for key in "ab"]
    await _settle()
    assert source.runs == 2
    await source.let_go()
    await source.let_go()
    assert [await one for one in tasks] == [0, 0]


async def test_whoever_goes_away_does_not_take_the_answer_of_others_along() -> None:
    together, source = Together[int](), _Source()
    first = asyncio.create_task(together.ask("a", source.ask()))
    await _settle()
    second, third = (asyncio.create_task(together.ask("a", source.ask())) for _ in range(2))
    await _settle()
    first.cancel()
    second.cancel()
    await source.let_go()
    await source.let_go()

    assert await third == 0


async def test_what_goes_wrong_is_told_to_all_and_forgotten() -> None:
    together = Together[int]()

    async def wrong() -> int:
        await asyncio.sleep(0)
        raise ValueError("no")

    found = await asyncio.gather(
        *(together.ask("a", wrong) for _ in range(3)), return_exceptions=True
    )
    assert [str(one) for one in found] == ["no"] * 3
    source = _Source()
    again = asyncio.create_task(together.ask("a", source.ask()))
    await source.let_go()
    assert await again == 0


@pytest.mark.parametrize("times", [1, 2])
async def test_nothing_is_left_of_a_question_that_was_answered(times: int) -> None:
    together, source = Together[int](), _Source()
    tasks = [asyncio.create_task(together.ask("a", source.ask())) for _ in range(times)]
    for _ in range(times):
        await source.let_go()
    await asyncio.gather(*tasks)

    assert not together._running
    assert not together._next
