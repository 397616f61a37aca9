"""What every store of identity and audit promises (`trust.service.TrustStore`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chengmai.kernel.clock import FixedClock
from chengmai.store.sqlite.trust import SqliteTrustStore
from chengmai.store.sqlite.work import SqliteTx
from chengmai.trust import Account, Head, Token, TrustStore
from chengmai.trust.audit import AuditRecord, chained, genesis
from chengmai.trust.model import Session
from tests.unit.cases.builders import MemoryWork
from tests.unit.trust.builders import NOON

HOUR = timedelta(hours=1)
DOUBLE = r"(?i)unique|duplicate"


class Bench:
    """One adapter with an open transaction."""

    def __init__(self, store: TrustStore, tx: Any) -> None:
        self.store, self.tx = store, tx


def sqlite() -> Bench:
    work = MemoryWork(FixedClock(NOON), "0011_trust.sql")
    return Bench(SqliteTrustStore(), SqliteTx(work.db, NOON))


@pytest.fixture(params=[sqlite])
def bench(request: pytest.FixtureRequest) -> Bench:
    make: Callable[[], Bench] = request.param
    return make()


def an_account(account_id: str = "usr_1", name: str = "李伟", **changes: Any) -> Account:
    roles = frozenset({"worker", "partner"})
    return replace(Account(account_id, "city", name, "Li Wei", roles, "hash", NOON), **changes)


def a_session(digest: str = "d1", **changes: Any) -> Session:
    return replace(Session(digest, "city", "usr_1", NOON, NOON, "::1"), **changes)


def a_token(token_id: str = "tok_1", **changes: Any) -> Token:
    roles = frozenset({"partner"})
    return replace(Token(token_id, "city", "meter", roles, "d", NOON, "usr_1"), **changes)


def a_record(after: Head, tenant: str = "city") -> AuditRecord:
    return chained(
        after,
        at_us=5,
        tenant=tenant,
        actor="u",
        action="a.b",
        object_id="o",
        detail="{}",
        request_id="",
    )


def test_an_account_comes_back_by_id_and_by_name(bench: Bench) -> None:
    account = an_account()
    bench.store.put_account(bench.tx, account)
    assert bench.store.account(bench.tx, "city", "usr_1") == account
    assert bench.store.account_named(bench.tx, "city", "李伟") == account
    assert bench.store.account(bench.tx, "other", "usr_1") is None
    assert bench.store.account_named(bench.tx, "other", "李伟") is None


def test_putting_an_account_again_replaces_it(bench: Bench) -> None:
    bench.store.put_account(bench.tx, an_account())
    changed = an_account(
        disabled=True, failures=5, locked_until=NOON + HOUR, roles=frozenset({"admin"})
    )
    bench.store.put_account(bench.tx, changed)
    assert bench.store.accounts(bench.tx, "city") == [changed]


def test_a_name_is_there_once_a_tenant(bench: Bench) -> None:
    bench.store.put_account(bench.tx, an_account())
    bench.store.put_account(bench.tx, an_account(tenant="other"))
    with pytest.raises(Exception, match=DOUBLE):
        bench.store.put_account(bench.tx, an_account("usr_2"))


def test_accounts_are_listed_by_name(bench: Bench) -> None:
    for account_id, name in [("u1", "b"), ("u2", "a")]:
        bench.store.put_account(bench.tx, an_account(account_id, name))
    assert [account.name for account in bench.store.accounts(bench.tx, "city")] == ["a", "b"]


def test_attempts_of_strangers_can_be_counted_again_and_again(bench: Bench) -> None:
    assert bench.store.strangers(bench.tx, "city") == 0
    for _ in range(2):
        bench.store.count_stranger(bench.tx, "city", NOON)
    assert bench.store.strangers(bench.tx, "city") == 2


def test_a_session_comes_back_and_only_its_last_use_changes(bench: Bench) -> None:
    bench.store.put_session(bench.tx, a_session())
    bench.store.put_session(bench.tx, a_session(seen_at=NOON + HOUR))
    assert bench.store.session(bench.tx, "d1") == a_session(seen_at=NOON + HOUR)
    assert bench.store.session(bench.tx, "d2") is None


def test_sessions_end_one_by_one_by_account_and_by_age(bench: Bench) -> None:
    for session in [
        a_session("d1"),
        a_session("d2"),
        a_session("d3", account_id="usr_2"),
        a_session("d4", account_id="usr_2", started_at=NOON - HOUR),
        a_session("d5", tenant="other", started_at=NOON - HOUR),
    ]:
        bench.store.put_session(bench.tx, session)

    def left() -> list[str]:
        return [d for d in ("d1", "d2", "d3", "d4", "d5") if bench.store.session(bench.tx, d)]

    assert bench.store.end_session(bench.tx, "city", "d1") is True
    assert bench.store.end_session(bench.tx, "city", "d1") is False
    assert bench.store.end_session(bench.tx, "city", "d5") is False
    assert left() == ["d2", "d3", "d4", "d5"]
    bench.store.forget_sessions(bench.tx, "city", NOON)
    assert left() == ["d2", "d3", "d5"]
    bench.store.end_sessions_of(bench.tx, "city", "usr_2")
    assert left() == ["d2", "d5"]


def test_a_token_comes_back_and_can_be_revoked(bench: Bench) -> None:
    bench.store.put_token(bench.tx, a_token(expires_at=NOON + HOUR))
    assert bench.store.token(bench.tx, "tok_1") == a_token(expires_at=NOON + HOUR)
    bench.store.put_token(bench.tx, a_token(revoked_at=NOON))
    assert bench.store.token(bench.tx, "tok_1") == a_token(revoked_at=NOON)
    assert bench.store.token(bench.tx, "tok_2") is None


def test_tokens_are_listed_by_age_and_tenant(bench: Bench) -> None:
    bench.store.put_token(bench.tx, a_token("tok_2", created_at=NOON + HOUR))
    bench.store.put_token(bench.tx, a_token("tok_9"))
    bench.store.put_token(bench.tx, a_token("tok_5", tenant="other"))
    assert [token.id for token in bench.store.tokens(bench.tx, "city")] == ["tok_9", "tok_2"]


def test_the_chain_comes_back_in_order_and_has_a_head(bench: Bench) -> None:
    assert bench.store.head(bench.tx, "city") is None
    records: list[AuditRecord] = []
    head = genesis("city")
    for _ in range(3):
        record = a_record(head)
        bench.store.append(bench.tx, record)
        records.append(record)
        head = Head(record.seq, record.hash)
        assert bench.store.head(bench.tx, "city") == head
    assert bench.store.read(bench.tx, "city", 0, 10) == records
    assert bench.store.read(bench.tx, "city", 1, 1) == [records[1]]
    assert bench.store.read(bench.tx, "other", 0, 10) == []


def test_a_record_is_never_overwritten(bench: Bench) -> None:
    bench.store.append(bench.tx, a_record(genesis("city")))
    bench.store.append(bench.tx, a_record(genesis("other"), "other"))
    with pytest.raises(Exception, match=DOUBLE):
        bench.store.append(bench.tx, a_record(genesis("city")))
