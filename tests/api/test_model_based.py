"""Any sequence of changes leaves what the same changes leave of a plain dictionary."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.house import House, a_house

Town = dict[str, dict[str, Any]]
Step = tuple[str, str, dict[str, Any]]

_ids = st.sampled_from(["a", "b", "c"])
_values = st.one_of(
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.booleans(),
    st.lists(st.integers(0, 9), min_size=1, max_size=3),
)
_attributes = st.dictionaries(st.sampled_from(["p", "q", "r"]), _values, max_size=3)
_steps: st.SearchStrategy[Step] = st.tuples(
    st.sampled_from(["create", "append", "keep", "update", "replace", "delete", "delete_one"]),
    _ids,
    _attributes,
)


def _expected(town: Town, step: Step) -> int:
    """Change the dictionary as the standard says; return the status that tells so."""
    what, name, attributes = step
    known = town.get(name)
    if what == "create":
        if known is not None:
            return 409
        town[name] = dict(attributes)
        return 201
    if known is None:
        return 404
    if what in ("append", "update"):
        known |= attributes
    elif what == "replace":
        town[name] = dict(attributes)
    elif what == "delete":
        del town[name]
    elif what == "delete_one":
        return 204 if known.pop(next(iter(attributes), "p"), None) is not None else 404
    else:
        fitting = {key: value for key, value in attributes.items() if key not in known}
        known |= fitting
        return 204 if fitting == attributes else 207
    return 204


async def _done(house: House, prefix: str, step: Step) -> int:
    what, name, values = step
    entity_id = f"urn:x:{prefix}:{name}"
    body = {key: {"type": "Property", "value": value} for key, value in values.items()}
    whole = {"id": entity_id, "type": f"T{prefix}", **body}
    path = f"/entities/{entity_id}"
    match what:
        case "create":
            response = await house.ask("POST", "/entities", whole)
        case "append":
            response = await house.ask("POST", f"{path}/attrs", body)
        case "keep":
            response = await house.ask("POST", f"{path}/attrs?options=noOverwrite", body)
        case "update":
            response = await house.ask("PATCH", f"{path}/attrs", body)
        case "replace":
            response = await house.ask("PUT", path, whole)
        case "delete":
            response = await house.ask("DELETE", path)
        case _:
            response = await house.ask("DELETE", f"{path}/attrs/{next(iter(values), 'p')}")
    return response.status_code


async def _shown(house: House, prefix: str) -> Town:
    shown = {}
    for entity in await house.get(f"/entities?type=T{prefix}&options=keyValues"):
        alone = await house.get(f"/entities/{entity['id']}?options=keyValues")
        assert alone == entity
        name = entity.pop("id").rpartition(":")[2]
        del entity["type"]
        shown[name] = entity
    return shown


async def _agrees(house: House, prefix: str, steps: list[Step]) -> None:
    town: Town = {}
    for step in steps:
        expected = _expected(town, step)
        assert await _done(house, prefix, step) == expected, step
        assert await _shown(house, prefix) == town, step


def test_a_sequence_of_changes_agrees_with_a_dictionary(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        opened = a_house(tmp_path)
        house = runner.run(opened.__aenter__())
        count = 0

        @settings(max_examples=60, deadline=None)
        @given(steps=st.lists(_steps, max_size=12))
        def agree(steps: list[Step]) -> None:
            nonlocal count
            count += 1
            runner.run(_agrees(house, f"n{count}", steps))

        try:
            agree()
            assert runner.run(house.broken()) == []
        finally:
            runner.run(opened.__aexit__(None, None, None))
