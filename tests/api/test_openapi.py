"""The description of the API is complete, is given to whoever asks, and is kept by the API."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import schemathesis
from schemathesis.generation import GenerationMode

from chengmai.web.api.openapi import PATH_OF_DOCUMENT, openapi
from chengmai.web.api.openapi.operations import OPERATIONS
from chengmai.web.api.openapi.parameters import QUERY
from chengmai.web.api.routes import PREFIX, ROUTES
from tests.api.exploring import an_explorer
from tests.api.house import a_house

EXAMPLES = int(os.environ.get("EXAMPLES", "6"))
"""How many requests of each sort are made of each operation; more find more, and take longer."""


def test_every_operation_and_every_parameter_is_described() -> None:
    offered = {(method, "/".join(path)) for path, methods in ROUTES.items() for method in methods}
    assert sorted(offered - OPERATIONS.keys()) == [], "see web/api/openapi/operations.py"
    named = {
        name
        for methods in ROUTES.values()
        for route in methods.values()
        for name in route.parameters
    }
    assert sorted(named - QUERY.keys()) == [], "see web/api/openapi/parameters.py"


def test_the_description_is_openapi() -> None:
    schemathesis.openapi.from_dict(openapi()).validate()


async def test_the_description_is_given_to_whoever_asks(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        response = await house.client.get(PATH_OF_DOCUMENT)
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/json"
        assert response.json() == openapi()
        assert (await house.client.post(PATH_OF_DOCUMENT)).status_code == 405


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_made_from_the_description_is_our_fault(
    tmp_path: Path, mode: GenerationMode
) -> None:
    with an_explorer(tmp_path) as explorer:
        found = explorer.all_problems(EXAMPLES, mode)
        assert found == []
        assert {200, 400, 404} <= explorer.statuses.keys()
        print(f"\n{mode}: {dict(sorted(explorer.statuses.items()))}")


def test_the_prefix_of_every_path_is_that_of_the_standard() -> None:
    assert all(path.startswith(PREFIX) for path in openapi()["paths"])
