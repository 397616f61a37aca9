"""`chengmai replay`: recordings into a city, without a server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from chengmai.app import City
from chengmai.cli.open import DataOption, JsonOption, settings_with
from chengmai.cli.output import print_json, print_json_line, progress
from chengmai.kernel.problems import NotFound
from chengmai.ngsild.entity import value_of


def replay(
    source: Annotated[Path, typer.Argument(help="Folder of the recordings.")],
    data: DataOption = None,
    speed: Annotated[
        float, typer.Option(help="City seconds in a real second.", min=1, max=3600)
    ] = 1.0,
    seconds: Annotated[
        float | None, typer.Option("--for", help="Stop after so many real seconds.", min=0.1)
    ] = None,
    announce: Annotated[
        bool, typer.Option("--announce", help="Print one JSON line a second with the counters.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Backfill, then replay the recordings shifted to now, until Ctrl-C or --for; goes on where it was."""
    if not source.is_dir():
        raise NotFound(f"there is no folder {source}", param="source")
    settings = settings_with(data=data, source_data=source, clock_rate=speed, log_level="warning")
    counters = asyncio.run(_run(City(settings), seconds, announce=announce))
    if json:
        print_json(counters)
        return
    for name, found in counters.items():
        typer.echo(
            f"{name}: {found['accepted']} accepted, {found['rejected']} rejected, {found['state']}"
        )


async def _run(city: City, seconds: float | None, *, announce: bool) -> dict[str, Any]:
    await city.store.history.recover()
    feeding = asyncio.create_task(city.runner.run())
    loop = asyncio.get_running_loop()
    end = None if seconds is None else loop.time() + seconds
    try:
        with progress() as bar:
            task = bar.add_task("Replaying", total=None)
            while not feeding.done() and (end is None or loop.time() < end):
                await asyncio.sleep(1.0 if end is None else min(1.0, max(0.0, end - loop.time())))
                counters = await _counters(city)
                bar.update(task, completed=sum(one["accepted"] for one in counters.values()))
                if announce:
                    print_json_line(counters)
                await city.store.history.seal()
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        counters = await _counters(city)
        await city.stop()
    return counters


async def _counters(city: City) -> dict[str, Any]:
    feeds = await city.store.work.read(
        lambda tx: city.model.find(tx, city.settings.tenant, "DataFeed")
    )
    return {
        feed["id"].removeprefix("urn:ngsi-ld:DataFeed:"): {
            "state": value_of(feed, "feedState"),
            "accepted": value_of(feed, "accepted") or 0,
            "rejected": value_of(feed, "rejected") or 0,
            "reasons": value_of(feed, "rejectReasons") or {},
        }
        for feed in feeds
    }
