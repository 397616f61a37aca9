"""Who may: credentials, roles, tenants, and the line that every change leaves."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chengmai.kernel.actors import Actor
from chengmai.trust.policy import ASSIGNABLE_ROLES, POLICY
from chengmai.web.api.routes import ROUTES
from tests.api.house import STATION, a_house, a_station, created, number

EVERY_OPERATION = [
    ("/" + "/".join("urn:x:1" if part == "*" else part for part in pattern), method, route.action)
    for pattern, methods in ROUTES.items()
    for method, route in methods.items()
]


@pytest.mark.parametrize(
    "credentials",
    [
        "",
        "Bearer",
        "Bearer x",
        "Basic YWRtaW46YWRtaW4=",
        "Bearer cm_01ARZ3NDEKTSV4RRFFQ69G5FAV." + "A" * 43,
        "Bearer " + "A" * 10_000,
        "Bearer cm_\u00e9",
    ],
)
async def test_nobody_comes_in_without_good_credentials(tmp_path: Path, credentials: str) -> None:
    async with a_house(tmp_path) as house:
        headers = {b"Authorization": credentials.encode("latin-1")} if credentials else {}
        for path, method, _ in EVERY_OPERATION:
            response = await house.client.request(method, f"/ngsi-ld/v1{path}", headers=headers)
            assert response.status_code == 401, (method, path)
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
            assert response.json()["status"] == 401


async def test_a_token_ends_when_it_is_revoked_or_expires(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        admin = Actor("sys:tests", "city", frozenset({"admin"}), "tests")
        tokens = house.city.trust.tokens
        revoked = await tokens.create_token("revoked", ["manager"], by=admin)
        soon = house.clock.now() + timedelta(minutes=5)
        expires = await tokens.create_token("expires", ["manager"], by=admin, expires_at=soon)
        for made in (revoked, expires):
            assert (await house.ask("GET", "/types", token=made.secret)).status_code == 200
        await tokens.revoke_token(revoked.token.id, by=admin)
        house.clock.advance(timedelta(minutes=6))
        for made in (revoked, expires):
            assert (await house.ask("GET", "/types", token=made.secret)).status_code == 401


@pytest.mark.parametrize("role", sorted(ASSIGNABLE_ROLES))
async def test_a_role_may_what_the_table_says_and_nothing_else(tmp_path: Path, role: str) -> None:
    async with a_house(tmp_path) as house:
        token = await house.token(role)
        for path, method, action in EVERY_OPERATION:
            response = await house.ask(method, path, token=token)
            if action in POLICY[role]:
                assert response.status_code not in (401, 403), (method, path)
            else:
                assert response.status_code == 403, (method, path)
                assert response.json()["type"].endswith("/InvalidRequest")


async def test_a_role_without_the_right_changes_nothing(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        officer = await house.token("duty_officer")
        tries = [
            ("POST", "/entities", a_station("urn:x:2")),
            ("PATCH", f"/entities/{STATION}/attrs", {"pm25": number(1)}),
            ("DELETE", f"/entities/{STATION}", None),
            ("POST", "/entityOperations/upsert", [a_station(pm25=number(1))]),
        ]
        for method, path, body in tries:
            assert (await house.ask(method, path, body, token=officer)).status_code == 403
        assert await house.get(f"/entities/{STATION}", token=officer) == a_station()
        assert len(await house.get("/entities?type=AirQualityObserved")) == 1


@pytest.mark.clause("4.14", "5.5.10")
async def test_another_tenant_sees_and_touches_nothing(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        subscription = {
            "id": "urn:x:sub",
            "type": "Subscription",
            "entities": [{"type": "AirQualityObserved"}],
            "notification": {"endpoint": {"uri": "http://127.0.0.1:9/"}},
        }
        assert (await house.ask("POST", "/subscriptions", subscription)).status_code == 201
        other = await house.token("manager", tenant="other")
        for path in ("/entities?type=AirQualityObserved", "/subscriptions"):
            assert await house.get(path, token=other) == []
        assert (await house.get("/types", token=other))["typeList"] == []
        for method, path, body in (
            ("GET", f"/entities/{STATION}", None),
            ("GET", f"/temporal/entities/{STATION}", None),
            ("DELETE", f"/entities/{STATION}", None),
            ("PATCH", f"/entities/{STATION}", {"pm25": number(1)}),
            ("GET", "/subscriptions/urn:x:sub", None),
            ("PATCH", "/subscriptions/urn:x:sub", {"isActive": False}),
            ("DELETE", "/subscriptions/urn:x:sub", None),
        ):
            response = await house.ask(method, path, body, token=other)
            assert response.status_code == 404, (method, path)
        same_id = a_station(pm25=number(1))
        assert (await house.ask("POST", "/entities", same_id, token=other)).status_code == 201
        assert await house.get(f"/entities/{STATION}") == a_station()
        assert await house.broken(tenant="other") == []


@pytest.mark.clause("6.3.14")
async def test_the_tenant_header_may_not_contradict_the_credentials(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        wrong = await house.ask("GET", "/types", NGSILD_Tenant="other")
        assert wrong.status_code == 400
        assert wrong.json()["param"] == "NGSILD-Tenant"
        assert (await house.ask("GET", "/types", NGSILD_Tenant="city")).status_code == 200


async def test_every_change_leaves_a_line_and_nothing_else_does(tmp_path: Path) -> None:
    entity = {"id": "urn:x:1", "type": "T", "a": number(1), "b": number(1)}
    subscription: dict[str, Any] = {
        "id": "urn:x:sub",
        "type": "Subscription",
        "entities": [{"type": "Nothing"}],
        "notification": {"endpoint": {"uri": "http://127.0.0.1:9/"}},
    }
    changes: list[tuple[str, str, Any, str]] = [
        ("POST", "/entities", entity, "entity.create"),
        ("POST", "/entities/urn:x:1/attrs", {"c": number(2)}, "entity.append"),
        ("PATCH", "/entities/urn:x:1/attrs", {"a": number(2)}, "entity.update"),
        ("PATCH", "/entities/urn:x:1/attrs/a", {"value": 3}, "attribute.update"),
        ("PATCH", "/entities/urn:x:1", {"a": {"value": 4}}, "entity.merge"),
        ("DELETE", "/entities/urn:x:1/attrs/c", None, "attribute.delete"),
        ("PUT", "/entities/urn:x:1", entity, "entity.replace"),
        ("POST", "/entityOperations/upsert", [entity], "entity.upsert"),
        ("DELETE", "/entities/urn:x:1", None, "entity.delete"),
        ("POST", "/subscriptions", subscription, "subscription.create"),
        ("PATCH", "/subscriptions/urn:x:sub", {"isActive": False}, "subscription.update"),
        ("DELETE", "/subscriptions/urn:x:sub", None, "subscription.delete"),
    ]
    async with a_house(tmp_path) as house:
        before = len(await house.audit())
        for method, path, body, _ in changes:
            response = await house.ask(method, path, body)
            assert response.status_code < 300, (method, path, response.text)
            await house.ask("GET", "/entities?type=T")
            await house.ask("DELETE", "/entities/urn:x:none")
        lines = (await house.audit())[before:]
        assert [line.action for line in lines] == [action for *_, action in changes]
        assert [line.object for line in lines] == ["urn:x:1"] * 9 + ["urn:x:sub"] * 3
        assert {line.actor[:4] for line in lines} == {"tok_"}
        assert '"attributes":["a"]' in lines[2].detail
        assert await house.broken() == []


async def test_a_tampered_line_is_found(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())

        def tamper(tx: Any) -> None:
            tx.db.execute("UPDATE audit SET object = 'urn:x:other' WHERE seq = 2")

        await house.city.store.work.write(tamper)
        assert [(one.seq, one.why) for one in await house.broken()] == [(2, "changed")]
