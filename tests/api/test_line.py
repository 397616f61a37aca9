"""Commands beside a running city: what needs its history is asked of it, and answered as if it stood still."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from chengmai.cli.line import SOCKET, Line, Question, answered
from chengmai.cli.main import app
from chengmai.cli.questions import QUESTIONS
from chengmai.kernel.problems import Problem
from tests.api.house import House, a_house
from tests.api.test_rules import tell

RULE = """
id = "lean"
q = "tilt>25"
trust = "C"
on = { type = "Pole" }
title = { zh = "歪", en = "Leans" }
about = { zh = "歪", en = "Leans" }
source = { zh = "本市", en = "ours" }
"""
SPAN = ["--from", "2026-11-22T00:00:00Z", "--to", "2026-11-23T00:00:00Z"]


@asynccontextmanager
async def a_line(
    folder: Path, questions: Mapping[str, Question] = QUESTIONS
) -> AsyncIterator[House]:
    async with a_house(folder) as house:
        line = Line(house.city, questions)
        await line.start()
        try:
            yield house
        finally:
            await line.stop()


def invoke(folder: Path, *command: str) -> Result:
    packs = json.dumps([str(Path(__file__).parent / "pack")])
    return CliRunner().invoke(app, [*command, "--data", str(folder)], env={"CHENGMAI_PACKS": packs})


def test_a_rule_is_tried_beside_a_running_city_as_over_one_that_stands_still(
    tmp_path: Path,
) -> None:
    rule = tmp_path / "lean.toml"
    rule.write_text(RULE, encoding="utf-8")

    async def beside() -> tuple[Result, Result, Result]:
        async with a_line(tmp_path) as house:
            for tilt in (5, 30, 4, 31):
                await tell(house, tilt=tilt)
            await house.city.store.history.seal()
            asked = ("rules", "try", str(rule), *SPAN)
            return (
                await asyncio.to_thread(invoke, tmp_path, *asked, "--json"),
                await asyncio.to_thread(invoke, tmp_path, *asked),
                await asyncio.to_thread(invoke, tmp_path, "rules", "try", "tilted"),
            )

    running, told, unknown = asyncio.run(beside())
    still = invoke(tmp_path, "rules", "try", str(rule), *SPAN, "--json")

    assert json.loads(running.stdout)["fired"] == 2
    assert json.loads(running.stdout) == json.loads(still.stdout)
    assert "2 firings on 1 of 1 entities (4 readings)" in told.stdout
    assert isinstance(unknown.exception, Problem)
    assert unknown.exception.param == "rule" or unknown.exception.fix


async def test_pools_and_forecasts_are_asked_of_a_running_city(tmp_path: Path) -> None:
    async with a_line(tmp_path):
        found = {
            name: await asyncio.to_thread(invoke, tmp_path, *command)
            for name, command in {
                "pools": ("pools", "list"),
                "suggest": ("pools", "suggest", "nowhere"),
                "backtest": ("forecast", "backtest", "nothing"),
                "quality": ("forecast", "quality", "nopack"),
            }.items()
        }

    assert found["pools"].exit_code == 0
    for name in ("suggest", "backtest", "quality"):
        problem = found[name].exception
        assert isinstance(problem, Problem), name
        assert problem.fix


async def test_only_who_owns_the_folder_reaches_the_line_and_it_goes_with_the_city(
    tmp_path: Path,
) -> None:
    (tmp_path / SOCKET).write_text("left by a city that was killed")
    async with a_line(tmp_path):
        mode = (tmp_path / SOCKET).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
    assert not (tmp_path / SOCKET).exists()


async def test_who_hangs_up_ends_the_question_and_what_is_no_question_is_told(
    tmp_path: Path,
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def endless(_city: Any, _given: Any, advance: Any) -> None:
        advance(1, None, "counting")
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with a_line(tmp_path, {"endless": endless}):
        _, writer = await asyncio.open_unix_connection(tmp_path / SOCKET)
        writer.write(b'{"ask":"endless","given":{}}\n')
        await asyncio.wait_for(begun.wait(), 60)
        writer.close()
        await asyncio.wait_for(ended.wait(), 60)
        said = []
        for text in (b'{"ask":"else","given":{}}\n', b"[]\n", b"nonsense\n"):
            reader, writer = await asyncio.open_unix_connection(tmp_path / SOCKET)
            writer.write(text)
            said.append(await asyncio.wait_for(reader.read(), 60))
            writer.close()

    assert "does not know else" in json.loads(said[0])["problem"]["detail"]
    assert "problem" in json.loads(said[1])
    assert said[2] == b""


def test_without_a_city_the_folder_is_named(tmp_path: Path) -> None:
    done = invoke(tmp_path / "nowhere", "rules", "try", "lean")

    assert isinstance(done.exception, Problem)
    assert "there is no city in" in done.exception.detail


async def test_a_city_that_stops_before_it_answered_is_told(tmp_path: Path) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def never(*_: Any) -> None:
        raise AssertionError("it must be asked, not opened")

    server = await asyncio.start_unix_server(hang_up, tmp_path / SOCKET)
    async with server:
        asking = asyncio.to_thread(answered, tmp_path, "x", never, {})
        found = await asyncio.gather(asking, return_exceptions=True)

    assert isinstance(found[0], Problem)
    assert found[0].fix == "ask again"


def test_a_sign_that_is_not_there_is_answered_with_those_that_are_near(tmp_path: Path) -> None:
    async def make() -> None:
        async with a_house(tmp_path):
            pass

    asyncio.run(make())

    asked = {
        ("vitals", "show", "air/pm52"): "did you mean air/pm25",
        ("vitals", "list", "--pack", "prob"): "use one of air",
        ("forecast", "backtest", "air/pm52"): "did you mean air/pm25",
    }
    for command, fix in asked.items():
        problem = invoke(tmp_path, *command).exception
        assert isinstance(problem, Problem)
        assert fix in str(problem.fix)
