from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.trust import Account, Token, TrustSettings
from chengmai.trust.problems import NameInvalid, PasswordRefused, RolesInvalid
from chengmai.trust.rules import (
    after_attempt,
    after_success,
    check_password,
    checked_name,
    checked_roles,
    csrf_of,
    digest,
    is_good,
    readable_secret,
    same,
    shown_name,
    sign_in_name,
    split_bearer,
)
from tests.unit.trust.builders import NOON

SETTINGS = TrustSettings()
MINUTE = timedelta(minutes=1)


def an_account(failures: int = 0) -> Account:
    roles = frozenset({"worker"})
    return Account("usr_1", "city", "li", "Li", roles, "hash", NOON, failures=failures)


@pytest.mark.parametrize(
    "password", ["short", "123456789", "", "x" * 257, "lilililili", "aaaaaaaaaaaa", "ZhangSanFeng"]
)
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(PasswordRefused):
        check_password(password, "zhangsanfeng", SETTINGS)


@pytest.mark.parametrize("password", ["correct horse", "一二三四五六七八九十", "0123456789"])
def test_length_is_enough_and_no_composition_is_asked(password: str) -> None:
    check_password(password, "li", SETTINGS)


@pytest.mark.parametrize(
    ("typed", "name"), [(" Li.Wei ", "li.wei"), ("ＬＩ", "li"), ("李伟", "李伟")]
)
def test_a_name_is_compared_in_one_form(typed: str, name: str) -> None:
    assert checked_name(typed) == name


@pytest.mark.parametrize(
    "typed", ["", "x", "a b", "<b>", "a" * 65, "a" * 10_000, "\ud800a", "a\x00b", ".a"]
)
def test_a_name_of_the_wrong_form_is_refused(typed: str) -> None:
    with pytest.raises(NameInvalid):
        checked_name(typed)


@pytest.mark.parametrize("text", ["", " ", "a\nb", "\ud800", "x" * 101])
def test_a_name_people_cannot_read_is_refused(text: str) -> None:
    with pytest.raises(NameInvalid):
        shown_name(text)


@given(st.text())
def test_no_name_is_a_traceback(text: str) -> None:
    name = sign_in_name(text)
    assert name is None or sign_in_name(name) == name


@pytest.mark.parametrize(
    "roles", [[], ["root"], ["system"], ["worker", "root"], ["admin", "auditor"]]
)
def test_roles_that_cannot_be_given_are_refused(roles: list[str]) -> None:
    with pytest.raises(RolesInvalid):
        checked_roles(roles)


def test_an_account_is_locked_by_the_fifth_attempt_for_an_hour() -> None:
    account = an_account()
    for n in range(1, 6):
        account = after_attempt(account, NOON, SETTINGS)
        assert account.is_locked(NOON) is (n == 5)
    assert account.is_locked(NOON + 59 * MINUTE)
    assert not account.is_locked(NOON + 60 * MINUTE)


def test_after_the_lock_one_failure_does_not_lock_again() -> None:
    locked = after_attempt(an_account(failures=4), NOON, SETTINGS)
    again = after_attempt(locked, NOON + 60 * MINUTE, SETTINGS)
    assert (again.failures, again.locked_until) == (1, None)


def test_a_success_forgets_the_failures() -> None:
    assert after_success(after_attempt(an_account(4), NOON, SETTINGS)) == an_account()


def test_a_token_is_good_until_it_expires_or_is_revoked() -> None:
    token = Token("tok_1", "city", "t", frozenset({"partner"}), digest("s"), NOON, "usr_1")
    assert is_good(token, "s", NOON)
    assert not is_good(token, "x", NOON)
    brief = Token(**vars(token) | {"expires_at": NOON + MINUTE})
    assert is_good(brief, "s", NOON)
    assert not is_good(brief, "s", NOON + MINUTE)
    assert not is_good(Token(**vars(token) | {"revoked_at": NOON}), "s", NOON)


@given(st.text())
def test_any_header_is_split_or_refused(header: str) -> None:
    assert split_bearer(header) is None
    assert split_bearer(f"Bearer cm_{header}") is None


def test_our_own_header_is_split() -> None:
    assert split_bearer(f"bearer  cm_{'0' * 26}.{'a' * 43} ") == (f"tok_{'0' * 26}", "a" * 43)


@given(st.text(), st.text())
def test_texts_are_compared_as_they_are(one: str, other: str) -> None:
    assert same(one, one)
    assert csrf_of(one) == csrf_of(one)
    if one.encode(errors="replace") != other.encode(errors="replace"):
        assert not same(one, other)
        assert csrf_of(one) != csrf_of(other)


def test_a_secret_to_copy_has_groups_of_five() -> None:
    assert readable_secret(bytes(range(25))) == "01234-56789-ABCDE-FGHJK-MNPQR"
