"""The past that is kept elsewhere (clauses 5.7.3 and 5.7.4)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.narrowing import Filters
from chengmai.broker.subscription import entity_info
from chengmai.broker.temporal import EvolutionQuery, TemporalAsk
from chengmai.ngsild.temporal import TemporalQuery
from tests.api.house import House, a_house
from tests.conformance.context_source import OWNER, Asking, Source, registered, sources

CAR = "urn:ngsi-ld:Vehicle:a"
PAST = f"/temporal/entities/{CAR}"
EVER = "timerel=after&timeAt=2020-01-01T00:00:00Z"
OPERATIONS = ["retrieveTemporal", "queryTemporal"]


def _seen(value: float, day: int, **members: Any) -> dict[str, Any]:
    at = f"2026-05-{day:02}T00:00:00Z"
    return {"type": "Property", "value": value, "observedAt": at, **members}


def _told(*speeds: dict[str, Any], name: str = "a", **more: Any) -> dict[str, Any]:
    made = {"id": f"urn:ngsi-ld:Vehicle:{name}", "type": "Vehicle", **more}
    return made | ({"speed": list(speeds)} if speeds else {})


async def _told_here(house: House, *told: dict[str, Any]) -> None:
    for one in told:
        assert (await house.ask("POST", "/temporal/entities", one)).status_code in (201, 204)


def _values(found: dict[str, Any], name: str = "speed") -> list[Any]:
    given = found[name]
    return [one["value"] for one in (given if isinstance(given, list) else [given])]


def _keeps(*told: dict[str, Any]) -> Source:
    return Source(answers={PAST: (200, told[0]), "/temporal/entities": (200, list(told))})


@pytest.mark.clause("5.7.3")
async def test_an_evolution_is_joined_from_all_holders(tmp_path: Path) -> None:
    source = _keeps(_told(_seen(1, 1), _seen(3, 3)))
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, operations=OPERATIONS)
        await _told_here(house, _told(_seen(2, 2), _seen(3, 3)))

        assert _values(await house.get(f"{PAST}?{EVER}")) == [1, 2, 3]
        (asking,) = source.got
        assert asking.parameters["timerel"] == "after"
        assert asking.parameters["timeAt"] == "2020-01-01T00:00:00Z"


@pytest.mark.clause("5.7.3")
async def test_an_evolution_that_only_a_source_has_is_found(tmp_path: Path) -> None:
    source = _keeps(_told(_seen(1, 1)))
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, operations=["queryTemporal"])

        assert _values(await house.get(PAST)) == [1]
        assert source.got[0].parameters["id"] == CAR
        assert "timerel" in source.got[0].parameters
        local = await house.ask("GET", f"{PAST}?local=true")
        assert (local.status_code, len(source.got)) == (404, 1)


@pytest.mark.clause("5.7.3", "4.11")
async def test_windows_and_last_instances_are_those_of_what_was_joined(tmp_path: Path) -> None:
    source = _keeps(_told(_seen(2, 2), _seen(4, 4), _seen(9, 9)))
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, operations=OPERATIONS)
        await _told_here(house, _told(_seen(1, 1), _seen(3, 3)))

        window = "timerel=between&timeAt=2026-05-01T00:00:00Z&endTimeAt=2026-05-05T00:00:00Z"
        assert _values(await house.get(f"{PAST}?{window}&lastN=2")) == [4, 3]
        assert source.got[0].parameters["lastN"] == "2"


@pytest.mark.clause("4.5.19", "5.7.4")
async def test_aggregates_are_those_of_what_was_joined(tmp_path: Path) -> None:
    source = _keeps(_told(_seen(300, 2)))
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, operations=OPERATIONS)
        await _told_here(house, _told(_seen(100, 1)))

        asked = f"?type=Vehicle&{EVER}&format=aggregatedValues&aggrMethods=avg"
        (found,) = await house.get(f"/temporal/entities{asked}")
        assert found["speed"]["avg"][0][0] == 200


@pytest.mark.clause("4.5.19", "6.3.10")
async def test_aggregates_need_every_page_over_time(tmp_path: Path) -> None:
    def answer(asking: Asking) -> tuple[int, Any]:
        first = asking.parameters["timeAt"].startswith("2020")
        return (206 if first else 200), _told(_seen(10 if first else 30, 1 if first else 2))

    source = Source(answers={PAST: answer})
    source.headers = lambda asking: (
        {"Content-Range": "date-time 2020-01-01T00:00:00Z-2026-05-01T00:00:00Z/*"}
        if asking.parameters["timeAt"].startswith("2020")
        else {}
    )
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, operations=OPERATIONS)

        asked = f"?{EVER}&format=aggregatedValues&aggrMethods=avg"
        assert (await house.get(PAST + asked))["speed"]["avg"][0][0] == 20
        assert source.got[1].parameters["timeAt"] == "2026-05-01T00:00:00.000001Z"


@pytest.mark.clause("6.3.10")
async def test_a_page_of_a_source_limits_the_answer_to_its_time(tmp_path: Path) -> None:
    source = Source(answers={PAST: (206, _told(_seen(1, 1), _seen(2, 2)))})
    source.headers = lambda _asking: {
        "Content-Range": "date-time 2020-01-01T00:00:00Z-2026-05-02T00:00:00Z/*"
    }
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, operations=OPERATIONS)
        await _told_here(house, _told(_seen(9, 9)))
        answer = await house.ask("GET", f"{PAST}?{EVER}")

        assert (answer.status_code, _values(answer.json())) == (206, [1, 2])
        assert answer.headers["content-range"].endswith("-2026-05-02T00:00:00Z/*")


@pytest.mark.clause("5.7.4", "5.5.9", "6.3.13")
async def test_a_query_pages_and_counts_over_all_holders(tmp_path: Path) -> None:
    there = [_told(_seen(1, 1), name="a"), _told(_seen(1, 1), name="c")]
    source = _keeps(*there)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, operations=OPERATIONS)
        await _told_here(house, _told(_seen(2, 2)), _told(_seen(1, 1), name="b"))

        asked = f"/temporal/entities?type=Vehicle&{EVER}&limit=2&count=true"
        first = await house.ask("GET", asked)
        second = await house.ask("GET", asked + "&offset=2")
        assert [one["id"][-1] for one in first.json()] == ["a", "b"]
        assert _values(first.json()[0]) == [1, 2]
        assert [one["id"][-1] for one in second.json()] == ["c"]
        assert first.headers["ngsild-results-count"] == "3"
        assert 'rel="next"' in first.headers["link"]


@pytest.mark.clause("5.2.39", "5.14.5")
async def test_it_can_be_told_who_holds_each_evolution_and_a_page_be_read_from_that(
    tmp_path: Path,
) -> None:
    source = _keeps(_told(_seen(1, 1), name="a"), _told(_seen(1, 1), name="c"))
    async with a_house(tmp_path) as house, sources(source):
        name = await registered(house, source, operations=OPERATIONS)
        await _told_here(house, _told(_seen(2, 2)), _told(_seen(1, 1), name="b"))
        core, past = house.city.contexts.core, house.city.past
        asked, filters = Asked(OWNER, core), Filters()
        query = EvolutionQuery([entity_info({"type": "Vehicle"}, core)], limit=2, count=True)
        ask = TemporalAsk(TemporalQuery("after", 0), page=30)

        holders = await past.holders(asked, query, ask, filters, most=10)
        assert [*holders.values()] == [(name, "@none"), ("@none",), (name,)]
        source.answers["/temporal/entities"] = (200, [_told(_seen(1, 1), name="late")])
        page = await past.page_among(asked, query, ask, filters, holders)
        assert [head["id"][-1] for head, _ in page.entities] == ["a", "b"]
        assert (page.total, page.more) == (3, True)
        rest = await past.page_among(asked, replace(query, offset=2), ask, filters, holders)
        assert rest.entities == []
        left = await past.holders(asked, query, ask, filters, most=10, among=holders)
        assert [*left.values()] == [("@none",), ("@none",)]


@pytest.mark.clause("5.7.4", "6.24")
async def test_a_query_by_body_hands_on_its_filters(tmp_path: Path) -> None:
    source = _keeps(_told(_seen(99, 1)))
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, operations=OPERATIONS)
        body = {
            "type": "Query",
            "entities": [{"type": "Vehicle"}],
            "q": "speed>50",
            "temporalQ": {"timerel": "before", "timeAt": "2026-06-01T00:00:00Z"},
        }
        answer = await house.ask("POST", "/temporal/entityOperations/query", body)

        assert _values(answer.json()[0]) == [99]
        handed = source.got[0].parameters
        assert (handed["q"], handed["type"], handed["timerel"]) == ("speed>50", "Vehicle", "before")


@pytest.mark.clause("5.7.4", "5.2.9")
async def test_a_source_whose_time_lies_outside_the_window_is_not_asked(tmp_path: Path) -> None:
    source = _keeps(_told(_seen(1, 1)))
    async with a_house(tmp_path) as house, sources(source):
        interval = {"startAt": "2026-01-01T00:00:00Z", "endAt": "2026-06-01T00:00:00Z"}
        await registered(house, source, operations=OPERATIONS, observationInterval=interval)

        july = "timerel=after&timeAt=2026-07-01T00:00:00Z"
        assert await house.get(f"/temporal/entities?type=Vehicle&{july}") == []
        assert source.got == []
        assert len(await house.get(f"/temporal/entities?type=Vehicle&{EVER}")) == 1


@pytest.mark.clause("4.3.6.1", "5.7.3")
async def test_only_registered_attributes_come_from_a_source(tmp_path: Path) -> None:
    source = _keeps(_told(_seen(1, 1), rpm=[_seen(3000, 1)]))
    async with a_house(tmp_path) as house, sources(source):
        information = {"entities": [{"type": "Vehicle"}], "propertyNames": ["speed"]}
        await registered(house, source, information, operations=OPERATIONS)

        assert "rpm" not in await house.get(f"{PAST}?{EVER}")
        assert source.got[0].parameters["attrs"] == "speed"


@pytest.mark.clause("4.3.6.3", "5.7.3")
async def test_the_past_of_an_exclusive_attribute_is_that_of_its_source(tmp_path: Path) -> None:
    only = _keeps(_told(_seen(1, 1)))
    other = _keeps(_told(_seen(7, 7), rpm=[_seen(3000, 1)]))
    async with a_house(tmp_path) as house, sources(only, other):
        information = {"entities": [{"id": CAR, "type": "Vehicle"}], "propertyNames": ["speed"]}
        await registered(house, only, information, operations=OPERATIONS, mode="exclusive")
        await registered(house, other, name="2", operations=OPERATIONS)

        found = await house.get(f"{PAST}?{EVER}")
        assert (_values(found), _values(found, "rpm")) == ([1], [3000])
        only.answers.clear()
        assert "speed" not in await house.get(f"{PAST}?{EVER}")


@pytest.mark.clause("6.3.17")
async def test_a_broken_source_does_not_hide_what_is_here(tmp_path: Path) -> None:
    source = Source(answers={PAST: (200, {"id": "nonsense"})})
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, operations=OPERATIONS)
        await _told_here(house, _told(_seen(1, 1)))
        answer = await house.ask("GET", f"{PAST}?{EVER}")

        assert _values(answer.json()) == [1]
        assert answer.headers["ngsild-warning"].startswith("111 ")


@pytest.mark.clause("4.5.7", "5.7.3")
async def test_the_end_of_an_attribute_at_a_source_is_told(tmp_path: Path) -> None:
    ended = {"type": "Property", "value": "urn:ngsi-ld:null", "deletedAt": "2026-05-01T00:00:00Z"}
    source = _keeps(_told(ended))
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, operations=OPERATIONS)

        found = await house.get(f"{PAST}?{EVER}&timeproperty=deletedAt&options=sysAttrs")
        assert _values(found) == ["urn:ngsi-ld:null"]
        assert "2026-05-01T00:00:00Z" in str(found)
