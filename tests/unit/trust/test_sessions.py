from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from chengmai.trust import TrustSettings
from chengmai.trust.problems import (
    CsrfRefused,
    SessionEnded,
    SignInFailed,
    TooManyAttempts,
)
from tests.unit.trust.builders import ADMIN, PASSWORD, House


def fail(house: House, times: int, name: str = "li", address: str = "::1") -> None:
    for _ in range(times):
        with pytest.raises(SignInFailed):
            house.sign_in(name, "wrong password", address)


def test_a_session_belongs_to_who_signed_in() -> None:
    house = House()
    account = house.add("li", "duty_officer", "worker")
    signed = house.sign_in(" LI ")
    assert house.who(signed.token) == account.actor == signed.actor
    assert account.actor.roles == {"duty_officer", "worker"}


def test_neither_the_token_nor_the_password_is_stored_or_shown() -> None:
    house = House()
    account = house.add()
    signed = house.sign_in()
    stored = "".join(
        str(row)
        for table in ("account", "session", "audit")
        for row in house.work.db.execute(f"SELECT * FROM {table}")
    )
    for secret in (signed.token, PASSWORD, signed.csrf):
        assert secret not in stored
        assert secret not in repr(signed) + repr(account)
    assert account.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("li", "wrong password"),
        ("nobody", PASSWORD),
        ("\ud800", PASSWORD),
        ("li", PASSWORD + "x" * 300),
        ("li", "\ud800"),
        ("li", ""),
    ],
)
def test_every_failure_has_the_same_answer(name: str, password: str) -> None:
    house = House()
    house.add()
    with pytest.raises(SignInFailed) as problem:
        house.sign_in(name, password)
    assert problem.value.facts == {"attempts": 5, "minutes": 60}


def test_a_disabled_account_has_that_answer_too() -> None:
    house = House()
    account = house.add()
    house.run(house.accounts.set_disabled(account.id, True, by=ADMIN))
    fail(house, 1)
    with pytest.raises(SignInFailed):
        house.sign_in()


def test_five_failures_lock_the_account_for_an_hour() -> None:
    house = House()
    house.add()
    fail(house, 5)
    with pytest.raises(SignInFailed):
        house.sign_in()
    house.clock.advance(timedelta(minutes=60))
    house.sign_in()


def test_guesses_at_the_same_moment_are_counted_like_guesses_in_a_row() -> None:
    house = House()
    house.add()

    async def guess() -> list[object]:
        words = [*(f"wrong password {n}" for n in range(5)), PASSWORD]
        tries = [house.sessions.sign_in("li", word, f"10.0.0.{n}") for n, word in enumerate(words)]
        return list(await asyncio.gather(*tries, return_exceptions=True))

    assert [type(answer) for answer in house.run(guess())] == [SignInFailed] * 6


def test_four_failures_and_a_success_begin_anew() -> None:
    house = House()
    house.add()
    for _ in range(2):
        fail(house, 4)
        house.sign_in()


def test_an_administrator_unlocks() -> None:
    house = House()
    account = house.add()
    fail(house, 5)
    house.run(house.accounts.unlock(account.id, by=ADMIN))
    house.sign_in()


def test_one_address_is_slowed_down_whatever_names_it_tries() -> None:
    house = House(TrustSettings(failures_per_address=3))
    house.add()
    for name in ("a1", "b1", "c1"):
        fail(house, 1, name, address="10.0.0.1")
    with pytest.raises(TooManyAttempts) as problem:
        house.sign_in(address="10.0.0.1")
    assert problem.value.retry_after_s == 600
    house.sign_in(address="10.0.0.2")
    house.clock.advance(timedelta(minutes=10))
    house.sign_in(address="10.0.0.1")


def test_a_session_that_is_not_used_ends() -> None:
    house = House()
    house.add()
    token = house.sign_in().token
    house.who(token)
    house.clock.advance(timedelta(minutes=60))
    with pytest.raises(SessionEnded):
        house.who(token)


def test_a_session_that_is_used_goes_on_until_its_absolute_end() -> None:
    house = House()
    house.add()
    token = house.sign_in().token
    for _ in range(15):
        house.clock.advance(timedelta(minutes=31))
        house.who(token)
    house.clock.advance(timedelta(minutes=16))
    with pytest.raises(SessionEnded):
        house.who(token)


@pytest.mark.parametrize("token", ["", "x", "\ud800", "a" * 10_000])
def test_a_token_of_no_session_is_refused(token: str) -> None:
    with pytest.raises(SessionEnded):
        House().who(token)


def test_signing_out_ends_the_session_at_once() -> None:
    house = House()
    house.add()
    token = house.sign_in().token
    house.who(token)
    house.run(house.sessions.sign_out(token))
    with pytest.raises(SessionEnded):
        house.who(token)
    house.run(house.sessions.sign_out(token))


def test_disabling_a_password_change_and_other_roles_take_effect_at_once() -> None:
    house = House()
    account = house.add()
    token = house.sign_in().token
    house.who(token)
    house.run(house.accounts.set_roles(account.id, ["worker"], by=ADMIN))
    assert house.who(token).roles == {"worker"}
    house.run(house.accounts.reset_password(account.id, by=ADMIN, password="another good one"))
    with pytest.raises(SessionEnded):
        house.who(token)
    token = house.sign_in(password="another good one").token
    house.who(token)
    house.run(house.accounts.set_disabled(account.id, True, by=ADMIN))
    with pytest.raises(SessionEnded):
        house.who(token)


def test_old_sessions_are_forgotten_when_somebody_signs_in() -> None:
    house = House()
    house.add()
    house.sign_in()
    house.clock.advance(timedelta(hours=9))
    house.sign_in()
    assert house.work.db.execute("SELECT count(*) FROM session").fetchone() == (1,)


def test_a_form_needs_the_csrf_token_of_its_session() -> None:
    house = House()
    house.add()
    mine, other = house.sign_in(), house.sign_in()
    house.sessions.check_csrf(mine.token, mine.csrf)
    assert house.sessions.csrf_of(mine.token) == mine.csrf
    for wrong in (other.csrf, "", "\ud800"):
        with pytest.raises(CsrfRefused):
            house.sessions.check_csrf(mine.token, wrong)


def test_signing_in_and_failing_to_are_in_the_trail_without_names() -> None:
    house = House()
    account = house.add("liwei")
    fail(house, 1, "liwei")
    fail(house, 1, "stranger")
    house.sign_in("liwei")
    lines = house.trail()[1:]
    assert [(line.action, line.object) for line in lines] == [
        ("session.refused", account.id),
        ("session.refused", "unknown"),
        ("session.started", account.id),
    ]
    assert not any("liwei" in str(line) or "stranger" in str(line) for line in lines)
