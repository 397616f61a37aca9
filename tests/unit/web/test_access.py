"""Where a page stands: the entry of the rail and the section it belongs to."""

from __future__ import annotations

import pytest

from chengmai.web.cockpit.access import RAIL, SECTIONS, VITALS, place_of


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", ("desk", "")),
        ("/cases/new", ("report", "")),
        ("/cases/urn:x", ("cases", "")),
        ("/vitals/urn:x/back", ("vitals", "vitals")),
        ("/domains/power", ("vitals", "vitals")),
        ("/rules/commands", ("vitals", "rules")),
        ("/assessment/places", ("vitals", "assessment")),
        ("/rulesnot", ("", "")),
        ("/help", ("", "")),
    ],
)
def test_a_page_stands_below_the_nearest_entry(path: str, place: tuple[str, str]) -> None:
    assert place_of(path) == place


def test_who_sees_vital_signs_sees_their_sections() -> None:
    assert {entry.key: entry.roles for entry in RAIL}["vitals"] == VITALS
    assert len(dict(SECTIONS)) == len(SECTIONS)
