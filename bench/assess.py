"""The assessment over three million values: 3,000 places, ten years, a hundred indicators, made up from a seed.

The values come as a wide table through the commit path, 30,000 sheets; then they are read into columns as a
process that starts does. What is asked goes through the rooms that the screens ask, with other indicators,
places and groups each time: a ranking, the medians of groups, a drill-down, the comparison of five places in
a framework, and the outlook of a county and of a group. CPU is that of the process, all its threads.
"""

from __future__ import annotations

import gc
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from random import Random

from bench.measure import Row, Timed, against, rss_mb
from bench.servers import http_reference
from bench.shapes import entity as a_body
from bench.sizes import size
from chengmai.app import City
from chengmai.assess.catalogue import catalogue
from chengmai.assess.panel.service import PanelService
from chengmai.assess.panel.standings import below, by_group, standings
from chengmai.assess.shipped import shipped_frameworks, shipped_gazetteer
from chengmai.kernel.actors import Actor
from chengmai.settings import Settings

_YEARS = range(2015, 2025)
_ON = date(2024, 12, 31)
_INDICATORS, _ROUNDS, _SEED = 100, 20, 11
_BY = Actor("sys:bench", "city", frozenset({"manager"}), "bench")


def places(total: int) -> list[str]:
    """Return so many codes of the places that come with the program."""
    return sorted(shipped_gazetteer().on(_ON).spots)[:total]


def indicators() -> list[str]:
    """Return the indicators of the catalogue, and of frameworks up to a hundred."""
    known = [one.id for one in catalogue()]
    leaves = {leaf.indicator for one in shipped_frameworks() for leaf in one.leaves()} - {None}
    return [*known, *sorted(str(one) for one in leaves.difference(known))][:_INDICATORS]


def sheets(total: int) -> Iterator[str]:
    """Yield the lines of the wide table; each place drifts its own way from its own level."""
    random, named = Random(_SEED), indicators()
    yield "id,place,on,evidence,source,source_date," + ",".join(named) + "\n"
    for code in places(total):
        level = [random.uniform(20, 80) for _ in named]
        drift = random.uniform(-2, 2)
        for year in _YEARS:
            level = [min(99.0, max(1.0, one + drift + random.gauss(0, 2))) for one in level]
            values = ",".join(f"{one:.2f}" for one in level)
            yield f"{code}-{year},{code},{year}-12-31,made up,bench,{year + 1}-03-01,{values}\n"


async def assess() -> list[Row]:
    """Return taking in, reading into columns, and what is asked of them."""
    total = size("BENCH_PLACES", 3_000)
    bare = await http_reference("assess", a_body(0), 2500)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        city = City(Settings(data=Path(folder) / "data", feeds=False))
        try:
            await city.store.history.recover()
            rows = [await _taken_in(city, total), await _read(city)]
            _settle()
            rows += [await _asked(name, ask) for name, ask in _questions(city, total)]
        finally:
            await city.stop()
            gc.unfreeze()
    return against(bare, [bare, *rows])


def _settle() -> None:
    # As `chengmai serve` does: cycles are not looked for in the midst of a question, among all that was read.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def _taken_in(city: City, total: int) -> Row:
    before, wall, cpu = rss_mb(os.getpid()), time.perf_counter(), time.process_time()
    taken = await city.assess.import_sheets(_BY, lambda: sheets(total))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    # Taking in ends with reading into columns, to see which forecasts have come true.
    grown = rss_mb(os.getpid()) - before
    note = f"{taken.new * _INDICATORS:,} values, {grown:,.0f} MiB more"
    each = cpu / taken.new * 1e6
    return Row(
        "assess", "take in a sheet of 100 values", taken.new, each, taken.new / wall, note=note
    )


async def _read(city: City) -> Row:
    gc.collect()
    fresh = PanelService(city.store.work, city.model)
    wall, cpu = time.perf_counter(), time.process_time()
    columns = await fresh.columns("city")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    note = f"{wall:.1f} s for {len(columns):,} values in {columns.megabytes:.0f} MB"
    return Row("assess", "read all into columns", 1, cpu * 1e6, 1 / wall, wall * 1e3, note=note)


Ask = Callable[[int], Awaitable[object]]


def _questions(city: City, total: int) -> list[tuple[str, Ask]]:
    named, codes = indicators(), places(total)
    counties = [c for c in codes if shipped_gazetteer().on(_ON).spots[c].level == "county"]
    provinces = [c for c in codes if c.endswith("0000")]

    async def ranking(turn: int) -> object:
        columns, day = await city.assess.columns(_BY), shipped_gazetteer().on(_ON)
        return standings(columns, day, named[turn], _ON)

    async def groups(turn: int) -> object:
        found = (await city.assess.assessed(_BY, on=_ON)).statistics
        columns = await city.assess.columns(_BY)
        return by_group(columns, found.now.day, named[turn], _ON, found.frame.groups)

    async def drill(turn: int) -> object:
        columns, day = await city.assess.columns(_BY), shipped_gazetteer().on(_ON)
        return below(columns, day, named[turn], _ON, provinces[turn % len(provinces)])

    async def compare(turn: int) -> object:
        board = await city.frameworks.board(_BY, "nsc-2016", _ON)
        return [board.scores[code].parts for code in islice(codes[turn * 7 :], 5)]

    async def outlook(turn: int) -> object:
        return await city.outlook.report(_BY, place=counties[turn * 11], on=_ON)

    async def group_outlook(turn: int) -> object:
        group = ("east", "central", "west", "north_east")[turn % 4]
        # A day of its own each: what was asked for a moment ago is remembered.
        day = _ON + timedelta(days=turn)
        return await city.outlook.report(_BY, group=group, level="county", on=day)

    return [
        (f"rank {total:,} places by an indicator", ranking),
        ("medians of all groups", groups),
        ("drill-down into a province", drill),
        ("score and rank all places, compare five", compare),
        ("outlook of a county, 100 indicators", outlook),
        ("outlook of a group of counties", group_outlook),
    ]


async def _asked(name: str, ask: Ask) -> Row:
    timed, cpu, began = Timed(), time.process_time(), time.perf_counter()
    for turn in range(_ROUNDS):
        wall = time.perf_counter()
        await ask(turn)
        timed.seconds.append(time.perf_counter() - wall)
    return timed.row("assess", name, time.process_time() - cpu, time.perf_counter() - began)
