"""Subscriptions are listed in pages and counted (clause 5.8.4), and every error of theirs is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import a_house


def a_subscription(name: str, **members: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": f"urn:ngsi-ld:Subscription:{name}",
        "type": "Subscription",
        "entities": [{"type": "Nothing"}],
        "notification": {"endpoint": {"uri": "http://127.0.0.1:9/"}},
    }
    return made | members


@pytest.mark.clause("5.8.4", "6.3.10", "6.3.13")
async def test_subscriptions_come_in_pages_and_are_counted(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        assert await house.get("/subscriptions") == []
        for name in "abc":
            response = await house.ask("POST", "/subscriptions", a_subscription(name))
            assert response.status_code == 201
        page = await house.ask("GET", "/subscriptions?limit=2&count=true")
        assert len(page.json()) == 2
        assert page.headers["NGSILD-Results-Count"] == "3"
        assert 'rel="next"' in page.headers["Link"]
        rest = await house.get("/subscriptions?limit=2&offset=2")
        ids = {one["id"] for one in [*page.json(), *rest]}
        assert ids == {f"urn:ngsi-ld:Subscription:{name}" for name in "abc"}
        counted = await house.ask("GET", "/subscriptions?limit=0&count=true")
        assert (counted.json(), counted.headers["NGSILD-Results-Count"]) == ([], "3")


@pytest.mark.clause("5.8.1", "5.8.2", "5.8.3", "5.8.5", "6.3.2")
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", "/subscriptions", a_subscription("a"), 409, "AlreadyExists"),
        ("POST", "/subscriptions", {"type": "Subscription"}, 400, "BadRequestData"),
        ("POST", "/subscriptions", a_subscription("b", entities=[]), 400, "BadRequestData"),
        ("POST", "/subscriptions", a_subscription("b", q="a=="), 400, "BadRequestData"),
        ("POST", "/subscriptions", a_subscription("b", throttling=-1), 400, "BadRequestData"),
        ("POST", "/subscriptions", a_subscription("b", expiresAt="soon"), 400, "BadRequestData"),
        ("POST", "/subscriptions", b"[", 400, "InvalidRequest"),
        ("PATCH", "/subscriptions/urn:x:none", {"isActive": False}, 404, "ResourceNotFound"),
        ("PATCH", "/subscriptions/no-uri", {"isActive": False}, 400, "BadRequestData"),
        ("GET", "/subscriptions/urn:x:none", None, 404, "ResourceNotFound"),
        ("GET", "/subscriptions/no-uri", None, 400, "BadRequestData"),
        ("DELETE", "/subscriptions/urn:x:none", None, 404, "ResourceNotFound"),
        ("DELETE", "/subscriptions/no-uri", None, 400, "BadRequestData"),
    ],
)
async def test_what_is_wrong_with_a_subscription_is_told(
    tmp_path: Path, method: str, path: str, body: Any, status: int, kind: str
) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", "/subscriptions", a_subscription("a"))
        response = await house.ask(method, path, body)
        assert response.status_code == status, response.text
        assert response.json()["type"].endswith(f"/{kind}")
        assert len(await house.get("/subscriptions")) == 1


@pytest.mark.clause("6.3.10")
async def test_links_to_other_pages_keep_the_order_of_what_was_asked(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        for name in ("a", "b", "c"):
            await house.ask("POST", "/subscriptions", a_subscription(name))
        page = await house.ask("GET", "/subscriptions?limit=1&offset=1", Accept="application/json")
        before = (
            '</ngsi-ld/v1/subscriptions?limit=1&offset=0>; rel="prev"; type="application/ld+json"'
        )
        assert before in page.headers["Link"]
