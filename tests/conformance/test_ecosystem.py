"""Entities and requests in the forms that tutorials and published data models use, written anew here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import House, a_house, a_station, created
from tests.api.receiver import Receiver, a_receiver

TANK = "urn:ngsi-ld:RainTank:east-1"
TERMS = "https://terms.test/rain.jsonld"
CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"
DOCUMENT = (
    '{"@context": {"RainTank": "https://terms.test/RainTank", "level": "https://terms.test/level",'
    ' "servedBy": {"@id": "https://terms.test/servedBy", "@type": "@id"},'
    ' "stage": "https://terms.test/stage", "high": "https://terms.test/high"}}'
)


def a_tank(**members: Any) -> dict[str, Any]:
    """Return a tank in every kind of attribute, as a data model's example shows one."""
    made: dict[str, Any] = {
        "id": TANK,
        "type": "RainTank",
        "address": {
            "type": "Property",
            "value": {"type": "PostalAddress", "streetAddress": "江湾路 7", "postalCode": "310000"},
        },
        "installedOn": {
            "type": "Property",
            "value": {"@type": "DateTime", "@value": "2026-01-05T08:00:00Z"},
        },
        "level": {
            "type": "Property",
            "value": 0.4,
            "unitCode": "MTR",
            "observedAt": "2026-11-22T07:00:00Z",
            "accuracy": {"type": "Property", "value": 0.01},
        },
        "location": {
            "type": "GeoProperty",
            "value": {"type": "Point", "coordinates": [120.15, 30.28]},
        },
        "name": {"type": "LanguageProperty", "languageMap": {"zh": "东一号蓄水池", "en": "East 1"}},
        "servedBy": {
            "type": "Relationship",
            "object": ["urn:ngsi-ld:Pump:1", "urn:ngsi-ld:Pump:2"],
        },
        "stage": {"type": "VocabProperty", "vocab": ["high"]},
        "tags": {"type": "Property", "value": ["rain"]},
    }
    return made | members


def a_house_with_terms(folder: Path) -> Any:
    """Return a house that has the tank's terms on its machine."""
    document = folder / "rain.jsonld"
    document.write_text(DOCUMENT, encoding="utf-8")
    return a_house(folder / "city", contexts={TERMS: document})


@pytest.mark.clause("5.6.1", "5.7.1", "5.5.7")
@pytest.mark.parametrize("context", [TERMS, [TERMS, CORE], [CORE, TERMS]])
async def test_an_example_with_its_context_is_read_back_as_it_was_sent(
    tmp_path: Path, context: Any
) -> None:
    async with a_house_with_terms(tmp_path) as house:
        made = await house.ask("POST", "/entities", a_tank() | {"@context": context}, ld=True)
        assert made.status_code == 201, made.text
        link = f'<{TERMS}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
        assert await house.get(f"/entities/{TANK}", Link=link) == a_tank()


@pytest.mark.clause("6.3.5")
async def test_a_link_whose_last_quote_is_missing_is_understood(tmp_path: Path) -> None:
    async with a_house_with_terms(tmp_path) as house:
        link = f'<{TERMS}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json'
        await house.ask("POST", "/entities", a_tank(), Link=link)
        assert await house.get("/entities?type=https://terms.test/RainTank&options=keyValues")


@pytest.mark.clause("4.5.5")
async def test_two_relationships_without_datasets_are_told_to_be_a_list(tmp_path: Path) -> None:
    pumps = [{"type": "Relationship", "object": f"urn:ngsi-ld:Pump:{n}"} for n in (1, 2)]
    async with a_house(tmp_path) as house:
        response = await house.ask("POST", "/entities", a_tank(servedBy=pumps))
        assert response.status_code == 400
        assert response.json()["param"] == "servedBy"
        assert '"object": [' in response.json()["fix"]


@pytest.mark.clause("4.5.2", "4.5.3")
@pytest.mark.parametrize(
    ("member", "fix"),
    [
        ({"type": "Geoproperty", "value": {}}, "write GeoProperty"),
        ({"type": "RelationShip", "object": "urn:a:b"}, "write Relationship"),
        ({"type": "Property ", "value": 1}, "write Property"),
        ({"type": "PostalAddress", "postalCode": "310000"}, "wrap an object that is a value"),
    ],
)
async def test_a_kind_that_is_misspelt_is_refused_with_the_one_meant(
    tmp_path: Path, member: dict[str, Any], fix: str
) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("POST", "/entities", a_tank(extra=member))
        assert response.status_code == 400
        assert response.json()["param"] == "extra.type"
        assert response.json()["fix"].startswith(fix)


@pytest.mark.clause("5.6.1", "4.8")
async def test_stamps_and_ids_that_an_example_carries_are_the_brokers_to_give(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        await created(
            house, a_tank(createdAt="2017-01-01T01:20:00Z", modifiedAt="2017-05-04T12:30:00Z")
        )
        shown = await house.get(f"/entities/{TANK}?options=sysAttrs")
        assert shown["createdAt"].startswith("2026-11-22")


@pytest.mark.clause("5.6.17", "6.5.3.4")
async def test_merging_key_values_keeps_the_kind_of_every_attribute(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_tank())
        patch = {
            "level": 0.9,
            "address": {"postalCode": "310001"},
            "servedBy": "urn:ngsi-ld:Pump:3",
            "name": "East One",
            "location": {"type": "Point", "coordinates": [120.2, 30.3]},
            "depth": 3,
        }
        path = f"/entities/{TANK}"
        for query in ("options=keyValues&lang=en", "format=simplified&lang=en"):
            response = await house.ask("PATCH", f"{path}?{query}", patch)
            assert response.status_code == 204, response.text
        shown = await house.get(path)
        assert shown["level"] == a_tank()["level"] | {"value": 0.9}
        assert shown["address"]["value"] == a_tank()["address"]["value"] | {"postalCode": "310001"}
        assert shown["servedBy"] == {"type": "Relationship", "object": "urn:ngsi-ld:Pump:3"}
        assert shown["name"]["languageMap"] == {"zh": "东一号蓄水池", "en": "East One"}
        assert shown["location"]["type"] == "GeoProperty"
        assert shown["location"]["value"]["coordinates"] == [120.2, 30.3]
        assert shown["depth"] == {"type": "Property", "value": 3}


@pytest.mark.clause("5.6.17")
async def test_merging_a_text_without_a_language_gives_the_one_for_none(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_tank())
        await house.ask("PATCH", f"/entities/{TANK}?options=keyValues", {"name": "East One"})
        shown = await house.get(f"/entities/{TANK}?attrs=name")
        assert shown["name"]["languageMap"]["@none"] == "East One"


@pytest.mark.clause("5.6.17")
async def test_merging_key_values_removes_what_is_null(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_tank())
        patch = {"level": "urn:ngsi-ld:null", "tags": None}
        await house.ask("PATCH", f"/entities/{TANK}?options=keyValues", patch)
        assert not {"level", "tags"} & set(await house.get(f"/entities/{TANK}"))


@pytest.mark.clause("5.6.17", "6.3.2")
@pytest.mark.parametrize(
    ("patch", "param"), [({"servedBy": "no target"}, "servedBy"), ({"location": 5}, "location")]
)
async def test_merging_a_value_that_the_stored_kind_cannot_have_is_refused(
    tmp_path: Path, patch: dict[str, Any], param: str
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_tank())
        response = await house.ask("PATCH", f"/entities/{TANK}?options=keyValues", patch)
        assert response.status_code == 400
        assert response.json()["param"].endswith(param)
        assert await house.get(f"/entities/{TANK}") == a_tank()


@pytest.mark.clause("5.6.17", "6.5.3.4")
async def test_merging_says_when_it_was_observed_where_that_was_said_before(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_tank())
        query = "options=keyValues&observedAt=2026-11-22T07:30:00Z"
        await house.ask("PATCH", f"/entities/{TANK}?{query}", {"level": 0.5, "tags": ["full"]})
        shown = await house.get(f"/entities/{TANK}")
        assert shown["level"]["observedAt"] == "2026-11-22T07:30:00Z"
        assert "observedAt" not in shown["tags"]
        mine = {"level": {"value": 0.6, "observedAt": "2026-11-22T07:40:00Z"}}
        await house.ask("PATCH", f"/entities/{TANK}?observedAt=2026-11-22T07:50:00Z", mine)
        shown = await house.get(f"/entities/{TANK}")
        assert shown["level"]["observedAt"] == "2026-11-22T07:40:00Z"
        wrong = await house.ask("PATCH", f"/entities/{TANK}?observedAt=yesterday", {"level": 1})
        assert wrong.status_code == 400


@pytest.mark.clause("4.9", "5.8.6")
async def test_a_subscription_whose_q_is_percent_encoded_means_the_same(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        for number, quote in enumerate(['"', "%22"]):
            made = await house.ask("POST", "/subscriptions", _served_by(quote, receiver, number))
            assert made.status_code == 201, made.text
        await created(house, a_station(ownedBy={"type": "Relationship", "object": "urn:o:1"}))
        assert {one.path for one in await receiver.wait_for(2)} == {"/0", "/1"}


def _served_by(quote: str, receiver: Receiver, number: int) -> dict[str, Any]:
    return {
        "type": "Subscription",
        "entities": [{"type": "AirQualityObserved"}],
        "q": f"ownedBy=={quote}urn:o:1{quote}",
        "notification": {"endpoint": {"uri": receiver.url(f"/{number}")}},
    }


@pytest.mark.clause("4.9", "5.7.2")
async def test_a_query_by_post_may_be_percent_encoded_too(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        for q, found in [("areaServed==%22东城区%22", 1), ("areaServed==%22西城区%22", 0)]:
            body = {"type": "Query", "entities": [{"type": "AirQualityObserved"}], "q": q}
            answer = await house.ask("POST", "/entityOperations/query", body)
            assert len(answer.json()) == found


@pytest.mark.clause("6.2")
@pytest.mark.parametrize(
    ("path", "allow", "patch"),
    [
        ("/entities/", "DELETE, GET, HEAD, OPTIONS, POST", None),
        (
            f"/entities/{TANK}",
            "DELETE, GET, HEAD, OPTIONS, PATCH, PUT",
            "application/json, application/ld+json, application/merge-patch+json",
        ),
        (
            f"/entities/{TANK}/attrs",
            "OPTIONS, PATCH, POST",
            "application/json, application/ld+json",
        ),
    ],
)
async def test_a_resource_says_what_may_be_done_to_it(
    tmp_path: Path, path: str, allow: str, patch: str | None
) -> None:
    async with a_house(tmp_path) as house:
        answer = await house.ask("OPTIONS", path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["allow"] == allow
        assert answer.headers.get("accept-patch") == patch


async def _options(house: House, path: str, **how: Any) -> int:
    return (await house.ask("OPTIONS", path, **how)).status_code


@pytest.mark.clause("6.2", "6.3.2")
async def test_what_may_be_done_is_not_told_to_strangers_nor_of_what_is_not_there(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        assert await _options(house, "/entities", token="") == 401
        assert await _options(house, "/nothing") == 404


@pytest.mark.clause("4.5.20")
async def test_a_vocab_property_may_have_the_name_of_an_earlier_edition(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_tank(stage={"type": "VocabularyProperty", "vocab": "high"}))
        shown = await house.get(f"/entities/{TANK}?attrs=stage")
        assert shown["stage"] == {"type": "VocabProperty", "vocab": "high"}


@pytest.mark.clause("4.15", "5.7.1")
@pytest.mark.parametrize(
    ("lang", "told"), [("fr", ("@none", "东一号")), ("en;q=0.5, fr", ("en", "East 1"))]
)
async def test_a_text_says_of_which_language_it_is_also_when_of_none(
    tmp_path: Path, lang: str, told: tuple[str, str]
) -> None:
    async with a_house(tmp_path) as house:
        name = {"type": "LanguageProperty", "languageMap": {"@none": "东一号", "en": "East 1"}}
        await created(house, a_tank(name=name))
        shown = await house.get(f"/entities/{TANK}?lang={lang}")
        assert (shown["name"]["lang"], shown["name"]["value"]) == told
