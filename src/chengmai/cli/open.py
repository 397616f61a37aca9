"""Opening a city from the command line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from chengmai.app import City
from chengmai.cli.output import set_up_logs
from chengmai.kernel.actors import Actor
from chengmai.kernel.problems import Invalid
from chengmai.settings import Settings

T = TypeVar("T")
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Folder of the city's data. [env: CHENGMAI_DATA]", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def settings_with(**given: Any) -> Settings:
    """Return the settings from the environment with what was given on the command line over them."""
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise Invalid(
            f"setting {name}: {first['msg']}",
            code="settings.invalid",
            param=f"CHENGMAI_{name.upper()}",
            fix="correct the option or the environment variable",
        ) from None
    except SettingsError as error:
        # A setting of several values is JSON, and this is what is raised when it is none.
        name = str(error).partition('"')[2].partition('"')[0]
        raise Invalid(
            f"setting {name} is not valid JSON: {error.__cause__}",
            code="settings.invalid",
            param=f"CHENGMAI_{name.upper()}",
            fix="correct the environment variable",
        ) from None
    set_up_logs(settings.log_level)
    return settings


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[City]:
    """Open a city that exists, without starting feeds; raises `Invalid` when there is none."""
    if not (settings.data / "state.db").exists():
        raise Invalid(
            f"there is no city in {settings.data}",
            code="city.none",
            param="--data",
            fix="name its folder, or make one with chengmai demo or chengmai serve",
        )
    city = City(settings.model_copy(update={"feeds": False}))
    try:
        yield city
    finally:
        await city.stop()


def run_in(data: Path | None, work: Callable[[City], Coroutine[Any, Any, T]]) -> T:
    """Return what `work` returns over the city in `data`."""

    async def run() -> T:
        async with opened(settings_with(data=data)) as city:
            return await work(city)

    return asyncio.run(run())


def operator(city: City) -> Actor:
    """Return who acts on this machine's command line: the operator, with an administrator's rights."""
    return Actor(
        id="sys:command-line",
        tenant=city.settings.tenant,
        roles=frozenset({"system", "admin"}),
        name="command line",
    )
