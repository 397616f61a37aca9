"""The past within a snapshot: copied as it was, with every instant it had (clauses 5.16.1, 5.7.3, 5.7.4)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chengmai.broker.snapshots import filling
from tests.api.house import House, a_house, created, number
from tests.conformance.context_source import Source, registered, sources
from tests.conformance.test_snapshots import (
    ALL,
    AVERAGES,
    BUSES,
    EVER,
    ONE,
    WINDOW,
    a_bus,
    ready,
    taken,
    within,
)

BUS = "urn:x:bus:1"
PAST = f"/temporal/entities/{BUS}"
ALWAYS = "timerel=after&timeAt=2000-01-01T00:00:00Z&timeproperty=modifiedAt"
OBSERVED = {**BUSES, "temporalQ": WINDOW}


async def past_taken(house: House, *queries: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Take a snapshot of nothing but the past and return it once it is complete."""
    body = {"id": ONE, "type": "Snapshot", "snapshotTemporalQueries": list(queries or (EVER,))}
    answer = await house.ask("POST", ALL, body | members)
    assert answer.status_code == 201, answer.text
    return await ready(house, str(answer.headers["location"].rpartition("/")[2]))


async def driven(house: House, *, seal: bool = False) -> None:
    """Let a bus drive: three speeds, a line that comes, changes without an instant, and goes."""
    at = [f"2026-11-22T0{hour}:00:00Z" for hour in (5, 6, 7)]
    bus = a_bus(1, speed=number(10, at[0]), line={"type": "Property", "value": "7"})
    await created(house, bus)
    for speed, instant in zip((20, 30), at[1:], strict=True):
        house.clock.advance(timedelta(minutes=1))
        change = {
            "speed": number(speed, instant),
            "line": {"type": "Property", "value": str(speed)},
        }
        assert (await house.ask("PATCH", f"/entities/{BUS}/attrs", change)).status_code == 204
        if seal:
            await house.city.store.history.seal()
    house.clock.advance(timedelta(minutes=1))
    assert (await house.ask("DELETE", f"/entities/{BUS}/attrs/line")).status_code == 204
    house.clock.advance(timedelta(hours=1))


@pytest.mark.parametrize("seal", [False, True])
@pytest.mark.clause("5.16.1", "5.2.41", "5.7.3")
async def test_an_evolution_in_a_snapshot_has_every_instant_that_it_had(
    tmp_path: Path, seal: bool
) -> None:
    async with a_house(tmp_path) as house:
        await driven(house, seal=seal)
        asked = f"{PAST}?{ALWAYS}&options=sysAttrs"
        before = await house.get(asked)
        assert len(before["speed"]) == 3
        assert len(before["line"]) == 4
        assert {"createdAt", "modifiedAt", "instanceId"} <= before["speed"][0].keys()
        assert [one["deletedAt"] for one in before["line"] if "deletedAt" in one]
        shown = await past_taken(house)
        assert shown["snapshotStatus"] == "success", shown
        assert shown["snapshotTemporalQueriesDetails"] == [{"resultStatus": "success"}]
        assert "snapshotQueriesDetails" not in shown
        assert await within(house, asked) == before
        if seal:
            await house.city.store.history.seal()
        await house.ask("DELETE", f"/entities/{BUS}")
        assert await within(house, asked) == before
        assert (await house.ask("GET", asked)).status_code == 404


@pytest.mark.clause("5.16.1", "5.7.4", "4.5.19")
async def test_the_past_in_a_snapshot_answers_windows_bodies_and_aggregates(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await driven(house)
        by_time = (
            "type=Bus&timerel=between&timeAt=2026-11-22T05:30:00Z&endTimeAt=2026-11-22T06:30:00Z"
        )
        sums = "type=Bus&timerel=after&timeAt=2000-01-01T00:00:00Z&aggrMethods=sum,avg&format=aggregatedValues"
        gone = "type=Bus&timerel=after&timeAt=2000-01-01T00:00:00Z&timeproperty=deletedAt"
        asked = [f"/temporal/entities?{one}" for one in (by_time, f"{by_time}&lastN=1", sums, gone)]
        before = [await house.get(one) for one in asked]
        body = {**EVER, "q": "speed>25", "aggrParams": AVERAGES}
        post = "/temporal/entityOperations/query"
        posted = (await house.ask("POST", post, body)).json()
        await past_taken(house)
        await house.ask("PATCH", f"/entities/{BUS}/attrs", {"speed": number(1)})
        assert [await within(house, one) for one in asked] == before
        assert [one["value"] for one in before[0][0]["speed"]] == [20]
        assert before[3]
        answer = await house.ask("POST", post, body, NGSILD_Snapshot=ONE)
        assert answer.json() == posted
        assert posted
        assert answer.headers["ngsild-snapshot"] == ONE


@pytest.mark.clause("5.16.1")
async def test_a_snapshot_of_the_past_holds_what_its_queries_ask_and_no_present(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        await driven(house)
        window = {"timerel": "after", "timeAt": "2026-11-22T05:30:00Z"}
        shown = await past_taken(house, {**BUSES, "temporalQ": window, "pick": ["speed"]})
        assert shown["snapshotStatus"] == "success"
        found = await within(house, f"{PAST}?{ALWAYS}")
        assert [one["value"] for one in found["speed"]] == [20, 30]
        assert "line" not in found
        assert await within(house, "/entities?type=Bus") == []


@pytest.mark.clause("5.16.1", "5.2.42")
async def test_the_status_is_that_of_both_kinds_of_queries(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await driven(house)
        trams = {"type": "Query", "entities": [{"type": "Tram"}], "temporalQ": WINDOW}
        shown = await taken(house, BUSES, snapshotTemporalQueries=[trams, OBSERVED])
        told = [one["resultStatus"] for one in shown["snapshotTemporalQueriesDetails"]]
        assert told == ["empty", "success"]
        assert shown["snapshotQueriesDetails"] == [{"resultStatus": "success"}]
        assert shown["snapshotStatus"] == "partial"
        assert (await within(house, f"/entities/{BUS}"))["speed"]["value"] == 30
        assert len((await within(house, f"{PAST}?{ALWAYS}"))["speed"]) == 3


@pytest.mark.clause("5.16.1", "5.7.4")
async def test_what_sources_tell_of_the_past_is_in_a_snapshot_with_its_instants(
    tmp_path: Path,
) -> None:
    stamps = {"createdAt": "2026-05-01T00:00:00Z", "modifiedAt": "2026-05-02T00:00:00Z"}
    seen = number(5, "2026-04-30T00:00:00Z") | {"instanceId": "urn:x:instance:1"} | stamps
    told = {"id": BUS, "type": "Bus", "speed": [seen]}
    source = Source(answers={PAST: (200, told), "/temporal/entities": (200, [told])})
    async with a_house(tmp_path) as house, sources(source):
        await registered(
            house, source, {"entities": [{"type": "Bus"}]}, operations=["queryTemporal"]
        )
        shown = await past_taken(house)
        assert shown["snapshotStatus"] == "success", shown
        asked = len(source.got)
        found = await within(house, f"{PAST}?{ALWAYS}&options=sysAttrs")
        assert found["speed"] in (seen, [seen])
        assert len(source.got) == asked


@pytest.mark.clause("5.16.1")
async def test_a_source_that_fails_makes_the_past_of_a_snapshot_partial(tmp_path: Path) -> None:
    source = Source(answers={"/temporal/entities": (500, {"type": "InternalError"})})
    async with a_house(tmp_path) as house, sources(source):
        await driven(house)
        await registered(
            house, source, {"entities": [{"type": "Bus"}]}, operations=["queryTemporal"]
        )
        (told,) = (await past_taken(house))["snapshotTemporalQueriesDetails"]
        assert (told["resultStatus"], told["problemDetails"]["code"]) == (
            "partial",
            "snapshot.sources",
        )


@pytest.mark.clause("5.16.2")
async def test_a_clone_has_the_past_as_well(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await driven(house)
        await taken(house, BUSES, snapshotTemporalQueries=[EVER])
        await past_taken(house, id="urn:x:past")
        asked = f"{PAST}?{ALWAYS}&options=sysAttrs"
        before = await within(house, asked)
        for source in (ONE, "urn:x:past"):
            members = {"type": "Snapshot", "id": f"{source}:clone"}
            answer = await house.ask("POST", f"{ALL}/{source}/clone", members)
            assert answer.status_code == 201, answer.text
            shown = await ready(house, f"{source}:clone")
            assert shown["snapshotTemporalQueriesDetails"] == [{"resultStatus": "success"}]
            await house.ask("DELETE", f"{ALL}/{source}")
            await house.city.snapshots.round()
            assert await within(house, asked, f"{source}:clone") == before


@pytest.mark.clause("5.16.1")
async def test_more_of_the_past_than_a_snapshot_holds_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling.Budget.__init__, "__defaults__", (10, 10_000, 2))
    async with a_house(tmp_path) as house:
        await driven(house)
        shown = await past_taken(house)
        (told,) = shown["snapshotTemporalQueriesDetails"]
        assert (shown["snapshotStatus"], told["resultStatus"]) == ("failure", "failure")
        assert told["problemDetails"]["code"] in ("temporal.too_many", "snapshot.size")
        assert await within(house, f"/temporal/entities?type=Bus&{ALWAYS}") == []


def _rows(tx: Any, query: str) -> list[Any]:
    return list(tx.db.execute(query))


@pytest.mark.clause("5.16.5")
async def test_nothing_of_the_past_stays_of_a_snapshot_that_is_over(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await driven(house)
        await past_taken(house)
        await house.city.store.history.seal()
        await house.ask("DELETE", f"{ALL}/{ONE}")
        await house.city.snapshots.round()
        await house.city.store.history.seal()
        for table in ("register", "remnant", "entity"):
            query = f"SELECT count(*) FROM {table} WHERE tenant LIKE '#%'"
            ((left,),) = await house.city.store.work.read(partial(_rows, query=query))
            assert left == 0, table
        with house.city.store.sealed.snapshot() as cursor:
            rows = cursor.execute("SELECT count(DISTINCT series) FROM observation").fetchall()
        assert rows == [(2,)]
        assert len((await house.get(f"{PAST}?{ALWAYS}"))["speed"]) == 3
