"""How kinds of attributes stand in the two temporal representations (clauses 4.5.6 to 4.5.9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import a_house, number

E = "urn:ngsi-ld:Vehicle:1"
ONE, TWO = "2026-11-22T06:00:00Z", "2026-11-22T07:00:00Z"
AFTER = "timerel=after&timeAt=2026-01-01T00:00:00Z"


def at(instant: str, **members: Any) -> dict[str, Any]:
    return {**members, "observedAt": instant}


EVOLUTION: dict[str, Any] = {
    "id": E,
    "type": "Vehicle",
    "speed": [number(50, ONE), number(60, TWO)],
    "driver": [
        at(ONE, type="Relationship", object="urn:x:ann"),
        at(TWO, type="Relationship", object="urn:x:bo"),
    ],
    "label": [at(ONE, type="LanguageProperty", languageMap={"zh": "车", "en": "car"})],
    "axes": [at(ONE, type="ListProperty", valueList=[1, 2])],
    "use": [at(ONE, type="VocabProperty", vocab="private")],
    "raw": [at(ONE, type="JsonProperty", json={"a": None})],
}


def plain(instances: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return instances without the ids that the broker gave them."""
    return [{k: v for k, v in one.items() if k != "instanceId"} for one in instances]


@pytest.mark.clause("4.5.6", "4.5.7", "4.5.8", "5.6.11", "5.7.3")
async def test_instances_come_back_whole_and_with_an_id(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("POST", "/temporal/entities", EVOLUTION)
        assert response.status_code == 201
        assert response.headers["Location"] == f"/ngsi-ld/v1/temporal/entities/{E}"
        shown = await house.get(f"/temporal/entities/{E}?{AFTER}")
        names = set(EVOLUTION) - {"id", "type"}
        assert {name for name in shown if isinstance(shown[name], list | dict)} >= names
        for name in names:
            listed = shown[name] if isinstance(shown[name], list) else [shown[name]]
            assert all(one["instanceId"] for one in listed)
            got = sorted(plain(listed), key=lambda one: str(one["observedAt"]))
            assert got == EVOLUTION[name], name


@pytest.mark.clause("4.5.9", "6.3.12")
async def test_values_come_as_pairs_with_their_instants(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        assert (await house.ask("POST", "/temporal/entities", EVOLUTION)).status_code == 201
        shown = await house.get(f"/temporal/entities/{E}?{AFTER}&format=temporalValues")
        pairs = {
            ("speed", "values"): [[50, ONE], [60, TWO]],
            ("driver", "objects"): [["urn:x:ann", ONE], ["urn:x:bo", TWO]],
            ("label", "languageMaps"): [[{"languageMap": {"zh": "车", "en": "car"}}, ONE]],
            ("axes", "valueLists"): [[[1, 2], ONE]],
            ("use", "vocabs"): [[{"vocab": "private"}, ONE]],
            ("raw", "jsons"): [[{"json": {"a": None}}, ONE]],
        }
        for (name, member), expected in pairs.items():
            assert sorted(shown[name][member], key=lambda pair: pair[1]) == expected, name


@pytest.mark.clause("5.6.12", "5.6.13", "5.6.14", "5.6.15", "5.6.16")
async def test_the_past_is_told_changed_and_taken_back(tmp_path: Path) -> None:
    path = f"/temporal/entities/{E}"
    async with a_house(tmp_path) as house:
        assert (await house.ask("POST", "/temporal/entities", EVOLUTION)).status_code == 201
        more = {"speed": [number(55, "2026-11-22T06:30:00Z")]}
        assert (await house.ask("POST", f"{path}/attrs", more)).status_code == 204
        speeds = (await house.get(f"{path}?{AFTER}&attrs=speed"))["speed"]
        assert sorted(one["value"] for one in speeds) == [50, 55, 60]
        (middle,) = (one["instanceId"] for one in speeds if one["value"] == 55)
        instance = f"{path}/attrs/speed/{middle}"
        assert (await house.ask("PATCH", instance, {"speed": number(56)})).status_code == 204
        assert (await house.ask("DELETE", f"{path}/attrs/driver")).status_code == 204
        shown = await house.get(f"{path}?{AFTER}&format=temporalValues")
        assert {pair[0] for pair in shown["speed"]["values"]} == {50, 56, 60}
        assert "driver" not in shown
        assert (await house.ask("DELETE", instance)).status_code == 204
        assert (await house.ask("DELETE", instance)).status_code == 404
        assert (await house.ask("DELETE", path)).status_code == 204
        assert (await house.ask("GET", path)).status_code == 404
