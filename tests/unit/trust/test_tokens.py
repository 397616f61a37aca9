from __future__ import annotations

from datetime import timedelta

import pytest

from chengmai.kernel.actors import Actor
from chengmai.trust import NewToken
from chengmai.trust.problems import (
    ExpiryInvalid,
    NameInvalid,
    RolesInvalid,
    TokenNotFound,
    TokenRefused,
)
from tests.unit.trust.builders import ADMIN, NOON, House, an_actor


def a_token(house: House, **more: object) -> NewToken:
    return house.run(house.tokens.create_token("meter", ["partner"], by=ADMIN, **more))  # type: ignore[arg-type]


def who(house: House, secret: str) -> Actor:
    return house.run(house.tokens.actor_of_token(f"Bearer {secret}"))


def test_a_machine_is_known_by_its_token() -> None:
    house = House()
    made = a_token(house)
    assert who(house, made.secret) == Actor(made.token.id, "city", frozenset({"partner"}), "meter")
    assert made.secret.startswith("cm_")


def test_the_secret_is_neither_stored_nor_shown() -> None:
    house = House()
    made = a_token(house)
    secret = made.secret.partition(".")[2]
    assert len(secret) == 43  # 256 bits
    stored = str(list(house.work.db.execute("SELECT * FROM api_token")))
    assert secret not in stored + repr(made) + repr(house.run(house.tokens.list_tokens(ADMIN)))


def test_a_revoked_token_stops_at_once() -> None:
    house = House()
    made = a_token(house)
    who(house, made.secret)
    for _ in range(2):
        assert house.run(house.tokens.revoke_token(made.token.id, by=ADMIN)).revoked_at == NOON
    with pytest.raises(TokenRefused):
        who(house, made.secret)


def test_a_token_expires_also_while_it_is_remembered() -> None:
    house = House()
    made = a_token(house, expires_at=NOON + timedelta(seconds=30))
    who(house, made.secret)
    house.clock.advance(timedelta(seconds=30))
    with pytest.raises(TokenRefused):
        who(house, made.secret)


def test_what_another_process_revoked_stops_within_a_minute() -> None:
    house = House()
    made = a_token(house)
    who(house, made.secret)
    house.work.db.execute("UPDATE api_token SET revoked_us = 1")
    house.clock.advance(timedelta(seconds=60))
    with pytest.raises(TokenRefused):
        who(house, made.secret)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer x",
        "Basic cm_a.b",
        "Bearer cm_.",
        "Bearer \ud800",
        f"Bearer cm_{'0' * 26}.{'a' * 43}",
    ],
)
def test_any_other_header_is_refused(header: str) -> None:
    house = House()
    a_token(house)
    with pytest.raises(TokenRefused):
        house.run(house.tokens.actor_of_token(header))


def test_the_secret_of_one_token_does_not_open_another() -> None:
    house = House()
    one, other = a_token(house), a_token(house)
    mixed = f"{one.secret.partition('.')[0]}.{other.secret.partition('.')[2]}"
    with pytest.raises(TokenRefused):
        who(house, mixed)


def test_what_is_wrong_with_a_new_token_is_said() -> None:
    house = House()
    with pytest.raises(NameInvalid):
        house.run(house.tokens.create_token(" ", ["partner"], by=ADMIN))
    with pytest.raises(RolesInvalid):
        house.run(house.tokens.create_token("x", ["system"], by=ADMIN))
    with pytest.raises(ExpiryInvalid):
        a_token(house, expires_at=NOON)


def test_tokens_of_another_tenant_are_not_there() -> None:
    house = House()
    made = a_token(house)
    stranger = an_actor("admin", tenant="other")
    assert house.run(house.tokens.list_tokens(stranger)) == []
    with pytest.raises(TokenNotFound):
        house.run(house.tokens.revoke_token(made.token.id, by=stranger))
