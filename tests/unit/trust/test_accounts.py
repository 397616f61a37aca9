from __future__ import annotations

import pytest

from chengmai.kernel.problems import Forbidden
from chengmai.trust.problems import (
    AccountNotFound,
    LastAdministrator,
    NameInvalid,
    NameTaken,
    PasswordRefused,
    RolesInvalid,
    SignInNeeded,
)
from tests.unit.trust.builders import ADMIN, PASSWORD, House, an_actor


def test_the_first_start_makes_one_administrator_and_says_the_password_once() -> None:
    house = House()
    secret = house.run(house.accounts.ensure_first_admin())
    assert secret is not None
    assert house.run(house.accounts.ensure_first_admin()) is None
    assert house.sign_in("admin", secret).actor.roles == {"admin"}


def test_with_any_account_there_is_no_first_administrator() -> None:
    house = House()
    house.add()
    assert house.run(house.accounts.ensure_first_admin()) is None


def test_an_account_gets_a_password_made_for_it() -> None:
    house = House()
    made = house.run(house.accounts.add_account("wang", ["worker"], by=ADMIN, display_name="王"))
    assert made.secret is not None
    assert house.sign_in("wang", made.secret).actor.name == "王"
    assert made.secret not in repr(made)


def test_two_accounts_do_not_share_a_name_in_one_tenant() -> None:
    house = House()
    house.add("li")
    with pytest.raises(NameTaken):
        house.add("Li")
    house.add("li", by=an_actor("admin", tenant="other"))


def test_what_is_wrong_with_a_new_account_is_said() -> None:
    house = House()
    for name, roles, password, problem in [
        ("a b", ["worker"], PASSWORD, NameInvalid),
        ("li", ["admin", "auditor"], PASSWORD, RolesInvalid),
        ("li", ["worker"], "short", PasswordRefused),
    ]:
        with pytest.raises(problem):
            house.run(house.accounts.add_account(name, roles, by=ADMIN, password=password))
    assert house.run(house.accounts.list_accounts(ADMIN)) == []


@pytest.mark.parametrize(
    "role", ["duty_officer", "manager", "worker", "auditor", "citizen", "system"]
)
def test_only_administrators_manage_accounts(role: str) -> None:
    house = House()
    by = an_actor(role)
    for awaited in (
        house.accounts.add_account("x1", ["worker"], by=by),
        house.accounts.list_accounts(by),
        house.accounts.set_roles("usr_1", ["worker"], by=by),
        house.accounts.set_disabled("usr_1", True, by=by),
        house.accounts.unlock("usr_1", by=by),
        house.accounts.reset_password("usr_1", by=by),
        house.tokens.create_token("t", ["partner"], by=by),
        house.tokens.list_tokens(by),
        house.tokens.revoke_token("tok_1", by=by),
    ):
        with pytest.raises(Forbidden):
            house.run(awaited)


def test_accounts_of_another_tenant_are_not_there() -> None:
    house = House()
    account = house.add()
    stranger = an_actor("admin", tenant="other")
    assert house.run(house.accounts.list_accounts(stranger)) == []
    with pytest.raises(AccountNotFound):
        house.run(house.accounts.set_disabled(account.id, True, by=stranger))


def test_the_last_administrator_stays() -> None:
    house = House()
    boss, second = house.add("boss", "admin"), house.add("second", "admin")
    house.run(house.accounts.set_disabled(second.id, True, by=boss.actor))
    with pytest.raises(LastAdministrator):
        house.run(house.accounts.set_disabled(boss.id, True, by=boss.actor))
    with pytest.raises(LastAdministrator):
        house.run(house.accounts.set_roles(boss.id, ["worker"], by=boss.actor))
    house.run(house.accounts.set_disabled(second.id, False, by=boss.actor))
    house.run(house.accounts.set_roles(boss.id, ["worker"], by=boss.actor))


def test_one_changes_one_s_own_password_knowing_the_old_one() -> None:
    house = House()
    me = house.add().actor
    with pytest.raises(PasswordRefused):
        house.run(house.accounts.change_password(me, "not it at all", "a brand new one"))
    with pytest.raises(PasswordRefused):
        house.run(house.accounts.change_password(me, PASSWORD, "short"))
    house.run(house.accounts.change_password(me, PASSWORD, "a brand new one"))
    house.sign_in("li", "a brand new one")
    with pytest.raises(SignInNeeded):
        house.run(house.accounts.change_password(an_actor("worker"), "x", "y"))


def test_every_change_of_an_account_is_in_the_trail() -> None:
    house = House()
    account = house.add()
    house.run(house.accounts.set_roles(account.id, ["worker", "partner"], by=ADMIN))
    house.run(house.accounts.set_disabled(account.id, True, by=ADMIN))
    house.run(house.accounts.reset_password(account.id, by=ADMIN))
    lines = house.trail()
    assert [line.action for line in lines] == [
        "account.added",
        "account.roles",
        "account.disabled",
        "account.password",
    ]
    assert {(line.actor, line.object) for line in lines} == {(ADMIN.id, account.id)}
    assert lines[1].detail == '{"roles":["partner","worker"]}'
