from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengmai.kernel.problems import Forbidden
from chengmai.trust import Head, verify
from chengmai.trust.audit import AuditRecord, chained, genesis, hash_of
from tests.unit.trust.builders import AUDITOR, House, an_actor

START = genesis("city")


def a_chain(length: int, tenant: str = "city") -> list[AuditRecord]:
    records: list[AuditRecord] = []
    head = genesis(tenant)
    for n in range(length):
        record = chained(
            head,
            at_us=1_000_000 * n,
            tenant=tenant,
            actor="usr_1",
            action="entities.write",
            object_id=f"urn:ngsi-ld:X:{n}",
            detail=json.dumps({"n": n}),
            request_id=f"r{n}",
        )
        records.append(record)
        head = Head(record.seq, record.hash)
    return records


def places(records: list[AuditRecord]) -> list[int]:
    return [one.position for one in verify(records, START)]


CHAIN = a_chain(30)
END = Head(CHAIN[-1].seq, CHAIN[-1].hash)
positions = st.integers(0, len(CHAIN) - 1)
members = st.sampled_from(sorted(AuditRecord._fields))


def altered(record: AuditRecord, member: str) -> AuditRecord:
    value: Any = getattr(record, member)
    changed: dict[str, Any] = {member: value + 1 if isinstance(value, int) else value + "0"}
    return record._replace(**changed)


def test_a_whole_chain_is_whole() -> None:
    assert verify(CHAIN, START, END) == []
    assert verify([], START, START) == []


def test_a_part_is_checked_from_a_head_kept_earlier() -> None:
    assert verify(CHAIN[10:], Head(CHAIN[9].seq, CHAIN[9].hash), END) == []


@given(positions, members)
@settings(max_examples=300)
def test_a_changed_record_is_found_where_it_is(at: int, member: str) -> None:
    tampered = [*CHAIN[:at], altered(CHAIN[at], member), *CHAIN[at + 1 :]]
    assert places(tampered)[0] == at


@given(positions, st.sampled_from(["actor", "action", "object", "detail", "at_us"]))
@settings(max_examples=200)
def test_a_record_changed_with_its_hash_made_anew_is_found_at_the_next(
    at: int, member: str
) -> None:
    forged = altered(CHAIN[at], member)
    forged = forged._replace(hash=hash_of(forged))
    tampered = [*CHAIN[:at], forged, *CHAIN[at + 1 :]]
    found = [one.position for one in verify(tampered, START, END)]
    assert found == [min(at + 1, len(CHAIN) - 1)]


@given(st.integers(0, len(CHAIN) - 2), st.integers(1, 10))
@settings(max_examples=200)
def test_records_cut_out_of_the_middle_are_found_where_they_were(at: int, many: int) -> None:
    after = min(at + many, len(CHAIN) - 1)
    assert places([*CHAIN[:at], *CHAIN[after:]]) == [at]


@given(st.integers(0, len(CHAIN) - 1))
def test_a_chain_cut_off_at_its_end_is_found_by_who_kept_the_head(keep: int) -> None:
    assert [one.why for one in verify(CHAIN[:keep], START, END)] == ["head"]


@given(positions, positions)
@settings(max_examples=200)
def test_two_records_in_each_other_s_place_are_found(one: int, other: int) -> None:
    tampered = list(CHAIN)
    tampered[one], tampered[other] = tampered[other], tampered[one]
    found = places(tampered)
    assert (found == []) == (one == other)
    if found:
        assert found[0] == min(one, other)


@given(positions, positions)
@settings(max_examples=200)
def test_an_inserted_record_is_found_where_it_stands_or_behind_it(at: int, copied: int) -> None:
    tampered = [*CHAIN[:at], CHAIN[copied], *CHAIN[at:]]
    assert places(tampered)[0] in (at, at + 1)


@given(positions)
def test_a_forged_record_that_links_to_the_chain_is_found_behind_it(at: int) -> None:
    before = Head(CHAIN[at].seq, CHAIN[at].hash)
    forged = chained(
        before,
        at_us=1,
        tenant="city",
        actor="x",
        action="y",
        object_id="z",
        detail="{}",
        request_id="",
    )
    tampered = [*CHAIN[: at + 1], forged, *CHAIN[at + 1 :]]
    found = [one.position for one in verify(tampered, START, END)]
    assert found[0] == at + 2 if at + 1 < len(CHAIN) else at + 1


def test_the_chain_of_another_tenant_does_not_pass_for_this_one() -> None:
    assert places(a_chain(3, "other"))[0] == 0


# The trail


def write(house: House, lines: int, tenant: str = "city") -> None:
    by = an_actor("worker", tenant=tenant)
    for n in range(lines):
        house.run(
            house.work.write(lambda tx, n=n: house.audit.line(tx, by, "a.b", "o", {"数": n}))  # type: ignore[misc]
        )


def test_every_tenant_has_its_own_chain() -> None:
    house = House()
    write(house, 2)
    write(house, 1, "other")
    write(house, 1)
    assert [line.seq for line in house.trail()] == [1, 2, 3]
    assert house.run(house.audit.check(AUDITOR)) == []
    assert house.run(house.audit.check(an_actor("auditor", tenant="other"))) == []


def test_lines_of_one_transaction_follow_each_other_and_are_undone_with_it() -> None:
    house = House()
    by = an_actor("worker")

    def two(tx: Any, *, fail: bool) -> None:
        house.audit.line(tx, by, "a.b", "1", {})
        house.audit.line(tx, by, "a.b", "2", {})
        if fail:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        house.run(house.work.write(lambda tx: two(tx, fail=True)))
    house.run(house.work.write(lambda tx: two(tx, fail=False)))
    assert [(line.seq, line.object) for line in house.trail()] == [(1, "1"), (2, "2")]
    assert house.run(house.audit.check(AUDITOR)) == []


@pytest.mark.parametrize(
    ("tampering", "seqs"),
    [
        ("UPDATE audit SET actor = 'usr_other' WHERE seq = 700", [700]),
        ("UPDATE audit SET detail = '[]' WHERE seq = 1001", [1001]),
        ("DELETE FROM audit WHERE seq = 1000", [1001]),
        ("DELETE FROM audit WHERE seq <= 3", [4]),
    ],
)
def test_tampering_with_the_table_is_found(tampering: str, seqs: list[int]) -> None:
    house = House()
    by = an_actor("worker")

    def many(tx: Any) -> None:
        for n in range(1005):
            house.audit.line(tx, by, "a.b", str(n), {})

    house.run(house.work.write(many))
    head = house.run(house.audit.head(AUDITOR))
    assert house.run(house.audit.check(AUDITOR, head)) == []
    house.work.db.execute(tampering)
    found = house.run(house.audit.check(AUDITOR, head))
    assert [one.seq for one in found] == seqs


def test_a_table_cut_off_at_its_end_is_found_with_the_head() -> None:
    house = House()
    write(house, 3)
    head = house.run(house.audit.head(AUDITOR))
    house.work.db.execute("DELETE FROM audit WHERE seq = 3")
    assert house.run(house.audit.check(AUDITOR)) == []
    assert [one.why for one in house.run(house.audit.check(AUDITOR, head))] == ["head"]


def test_only_auditors_read_the_trail() -> None:
    house = House()
    for role in ("admin", "manager", "system"):
        with pytest.raises(Forbidden):
            house.run(house.audit.read(an_actor(role)))
