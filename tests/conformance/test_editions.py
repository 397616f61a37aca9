"""Which edition of the standard a client understands (clauses 4.3.6.8 and 6.3.6)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.house import a_house, created

ENTITY = {"id": "urn:x:1", "type": "T", "kind": {"type": "VocabProperty", "vocab": "bus"}}


@pytest.mark.clause("4.3.6.8", "6.3.6")
async def test_an_entity_is_amended_for_an_earlier_edition_and_the_answer_says_so(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, ENTITY)
        for path in ("/entities/urn:x:1", "/entities?type=T"):
            answer = await house.ask("GET", path, Prefer="ngsi-ld=1.5")
            assert (answer.status_code, answer.headers["preference-applied"]) == (
                203,
                "ngsi-ld=1.5",
            )
            (found,) = answer.json() if isinstance(answer.json(), list) else [answer.json()]
            assert found["kind"] == {"type": "Property", "value": "bus"}
        native = await house.ask("GET", "/entities/urn:x:1", Prefer="ngsi-ld=1.9")
        assert (native.status_code, native.json()["kind"]["type"]) == (200, "VocabProperty")


@pytest.mark.clause("6.3.6")
@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("ngsi-ld=1.6", "ngsi-ld=1.6"),
        ("NGSI-LD=1.6", "ngsi-ld=1.6"),
        ('ngsi-ld="1.6"', "ngsi-ld=1.6"),
        ("respond-async, ngsi-ld=1.6.1;q=0.1", "ngsi-ld=1.6"),
        ("ngsi-ld=1.12", "ngsi-ld=1.9"),
        ("ngsi-ld=2.0", None),
        ("ngsi-ld=soon", None),
        ("respond-async", None),
    ],
)
async def test_the_preference_is_read_as_http_writes_it(
    tmp_path: Path, prefer: str, applied: str | None
) -> None:
    async with a_house(tmp_path) as house:
        answer = await house.ask("GET", "/types", Prefer=prefer)
        assert (answer.status_code, answer.headers.get("preference-applied")) == (200, applied)
