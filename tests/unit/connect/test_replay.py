from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengmai.connect.problems import SourceMissing
from chengmai.connect.reading import Reading
from tests.unit.connect.builders import (
    NOW,
    ListSink,
    StridingPace,
    a_feed,
    a_replay,
    a_table,
    run_until_enough,
    wall,
)

START = wall("2020-03-02T00:00")


async def replayed(folder: Path, sink: ListSink, pace: StridingPace | None = None) -> ListSink:
    await run_until_enough(a_replay(folder, a_feed(), pace or StridingPace()), sink)
    return sink


def keys(readings: list[Reading]) -> list[tuple[str, str]]:
    return [(reading.entity_id, reading.observed_at.isoformat()) for reading in readings]


async def test_the_past_comes_before_now_and_the_rest_when_the_clock_reaches_it(
    tmp_path: Path,
) -> None:
    a_table(tmp_path / "gauge.csv", START, 24 * 21)
    sink = await replayed(tmp_path, ListSink())
    assert {r.observed_at <= NOW for r in sink.past} == {True}
    assert [r.observed_at for r in sink.live] == [NOW + timedelta(hours=n) for n in range(1, 7)]
    assert sink.rejects == []


async def test_the_backfill_is_as_long_as_the_feed_says(tmp_path: Path) -> None:
    a_table(tmp_path / "gauge.csv", START, 24 * 365)
    sink = await replayed(tmp_path, ListSink())
    assert len(sink.past) == 14 * 24
    assert min(r.observed_at for r in sink.past) > NOW - timedelta(days=14)


async def test_a_recording_that_ends_starts_over_without_a_gap(tmp_path: Path) -> None:
    a_table(tmp_path / "gauge.csv", START, 24 * 2)
    pace = StridingPace(end=NOW + timedelta(days=5))
    sink = await replayed(tmp_path, ListSink(), pace)
    hours = {r.observed_at for r in sink.live}
    assert hours == {NOW + timedelta(hours=n) for n in range(1, 5 * 24 + 1)}
    assert len(sink.live) == len(hours)


async def test_rows_of_several_files_in_any_order_come_in_order_of_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        a_table(tmp_path / f"{name}.csv", START, 24 * 3, station=name)
    shuffled = (tmp_path / "two.csv").read_text().splitlines()
    (tmp_path / "two.csv").write_text("\n".join([shuffled[0], *reversed(shuffled[1:])]))
    sink = ListSink()
    replay = a_replay(tmp_path, a_feed(["one.csv", "two.csv"]), StridingPace())
    await run_until_enough(replay, sink)
    times = [r.observed_at for r in sink.live]
    assert times == sorted(times)
    assert len(times) == 12


async def test_bad_rows_are_counted_where_they_stand_and_the_feed_goes_on(tmp_path: Path) -> None:
    path = a_table(tmp_path / "gauge.csv", START, 24 * 21)
    lines = path.read_text().splitlines()
    lines[10] = "2020-03-02 09:00,one,12"
    lines[20] = "2020-13-02 09:00,one,12,500"
    lines[30] = "2999-01-01 00:00,one,12,500"
    lines[40] = lines[40].replace(",39,", ",soot,")
    path.write_text("\n".join(lines))
    feed = a_feed(source={"files": ["gauge.csv"], "backfill": "P28D"})
    sink = ListSink()
    await run_until_enough(a_replay(tmp_path, feed, StridingPace()), sink)
    assert sorted((r.code, r.where) for r in sink.rejects) == [
        ("bad_number", "gauge.csv:41 pm25"),
        ("bad_row", "gauge.csv:11"),
        ("bad_time", "gauge.csv:21"),
        ("future_time", "gauge.csv:31"),
    ]
    assert len(sink.live) == 6


@settings(max_examples=25, deadline=None)
@given(deaths=st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_a_killed_replay_goes_on_without_loss_and_without_repeating(
    tmp_path_factory: pytest.TempPathFactory, deaths: list[int]
) -> None:
    import asyncio

    folder = tmp_path_factory.mktemp("replay")
    for name in ("one", "two"):
        a_table(folder / f"{name}.csv", START, 24 * 3, station=name)
    feed = a_feed(["*.csv"])

    async def run(sink: ListSink, pace: StridingPace) -> None:
        await run_until_enough(a_replay(folder, feed, pace), sink)

    whole, killed = ListSink(), ListSink()
    asyncio.run(run(whole, StridingPace()))
    at = NOW
    for calls in deaths:
        killed.dies_after = calls
        pace = StridingPace(at=at)
        asyncio.run(run(killed, pace))
        at = pace.at
    killed.dies_after = None
    asyncio.run(run(killed, StridingPace(at=at)))
    assert keys(killed.live) == keys(whole.live)
    assert keys(killed.past) == keys(whole.past)


async def test_a_change_in_the_file_changes_the_reading(tmp_path: Path) -> None:
    path = a_table(tmp_path / "gauge.csv", START, 24 * 21)
    before = await replayed(tmp_path, ListSink())
    first = before.live[0]
    old = f",one,{first.values['pm25']:.0f},500"
    path.write_text(path.read_text().replace(old, ",one,777,500"))
    after = await replayed(tmp_path, ListSink())
    assert after.live[0].values["pm25"] == 777.0
    assert keys(after.live) == keys(before.live)


async def test_times_may_be_counted_by_row(tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_text("d1,d2\n" + "".join(f"{n},{n}\n" for n in range(600)))
    feed = a_feed(
        ["wide.csv"],
        period="PT5M",
        time={"start": "2012-03-01T00:00:00", "every": "PT5M", "zone": "America/Los_Angeles"},
        map={
            "id": "{detector}",
            "area": {"value": "East"},
            "unpivot": {"name": "detector", "value": "level"},
            "attributes": {"pm25": {"column": "level"}},
        },
    )
    sink = ListSink()
    await run_until_enough(a_replay(tmp_path, feed, StridingPace()), sink)
    # 12:00 on the wall of the city shows what 12:00 of the second day recorded: row 288 + 144 = 432.
    assert sink.past[-1].observed_at == NOW
    assert sink.past[-1].values["pm25"] == 432.0


async def test_a_recording_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match="gauge"):
        await a_replay(tmp_path, a_feed(), StridingPace()).run(ListSink())
