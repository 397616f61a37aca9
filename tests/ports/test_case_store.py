"""What every store of cases promises (`cases.ports.CaseStore`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chengmai.cases import CaseStore, LogLine, State, Step
from chengmai.cases.model import LIVE, CaseLoad
from chengmai.kernel.clock import FixedClock
from chengmai.store.sqlite.cases import SqliteCaseStore
from chengmai.store.sqlite.work import SqliteTx
from tests.unit.cases.builders import MONDAY, VITAL, MemoryWork, a_case


class Bench:
    """One adapter with an open transaction."""

    def __init__(self, store: CaseStore, tx: Any) -> None:
        self.store, self.tx = store, tx


def sqlite() -> Bench:
    work = MemoryWork(FixedClock(MONDAY), "0010_cases.sql")
    return Bench(SqliteCaseStore(), SqliteTx(work.db, MONDAY))


@pytest.fixture(params=[sqlite])
def bench(request: pytest.FixtureRequest) -> Bench:
    make: Callable[[], Bench] = request.param
    return make()


def a_line(n: int = 1, **changes: Any) -> LogLine:
    line = LogLine(
        tenant="city",
        case_id="c1",
        n=n,
        at=MONDAY,
        by_id="usr_1",
        by_name="李",
        by_role="duty_officer",
        step=Step.COMMENT,
        from_state=State.OPENED,
        to_state=State.OPENED,
        note="看过了",
        facts={"a": [1, {"b": None}]},
        key=None,
    )
    return line.model_copy(update=changes)


def test_a_case_comes_back_as_it_was_put(bench: Bench) -> None:
    case = a_case(
        vital=VITAL,
        evidence=({"value": 1.5},),
        location={"type": "Point", "coordinates": [1.0, 2.0]},
    )
    bench.store.put(bench.tx, case)
    assert bench.store.get(bench.tx, "city", case.id) == case


def test_putting_again_replaces(bench: Bench) -> None:
    bench.store.put(bench.tx, a_case())
    changed = a_case(State.CLOSED, version=2, unit="roads")
    bench.store.put(bench.tx, changed)
    assert bench.store.get(bench.tx, "city", changed.id) == changed
    assert bench.store.count(bench.tx, "city") == {State.CLOSED: 1}


def test_tenants_do_not_see_each_other(bench: Bench) -> None:
    bench.store.put(bench.tx, a_case(vital=VITAL))
    bench.store.append(bench.tx, a_line(key="k"))
    assert bench.store.get(bench.tx, "other", a_case().id) is None
    assert bench.store.live_of_vital(bench.tx, "other", VITAL) is None
    assert bench.store.of_vital(bench.tx, "other", VITAL, 10) == []
    assert bench.store.queue(bench.tx, "other", LIVE, None, limit=10, offset=0) == []
    assert bench.store.count(bench.tx, "other") == {}
    assert bench.store.log(bench.tx, "other", "c1") == []
    assert bench.store.line_by_key(bench.tx, "other", "usr_1", "k") is None


def test_only_a_case_that_has_not_ended_is_live(bench: Bench) -> None:
    for state in State:
        bench.store.put(bench.tx, a_case(state, id="c", vital=VITAL))
        found = bench.store.live_of_vital(bench.tx, "city", VITAL)
        assert (found is not None) == (state in LIVE)
    assert len(bench.store.of_vital(bench.tx, "city", VITAL, 10)) == 1


def test_the_queue_goes_by_deadline_then_the_latest_moved(bench: Bench) -> None:
    hour = timedelta(hours=1)
    for case_id, state, due, since in [
        ("late", State.OPENED, MONDAY - hour, MONDAY),
        ("soon", State.HANDLED, MONDAY + hour, MONDAY),
        ("closed_first", State.CLOSED, None, MONDAY),
        ("closed_last", State.CLOSED, None, MONDAY + hour),
    ]:
        bench.store.put(bench.tx, a_case(state, id=case_id, due_at=due, stage_since=since))
    everything = bench.store.queue(bench.tx, "city", tuple(State), None, limit=9, offset=0)
    assert [case.id for case in everything] == ["late", "soon", "closed_last", "closed_first"]
    part = bench.store.queue(bench.tx, "city", tuple(State), None, limit=2, offset=1)
    assert [case.id for case in part] == ["soon", "closed_last"]


def test_the_queue_and_the_count_can_be_of_one_unit(bench: Bench) -> None:
    for case_id, unit in [("a", "epb"), ("b", "roads"), ("c", "roads")]:
        bench.store.put(bench.tx, a_case(id=case_id, unit=unit))
    found = bench.store.queue(bench.tx, "city", LIVE, "roads", limit=9, offset=0)
    assert {case.id for case in found} == {"b", "c"}
    assert bench.store.count(bench.tx, "city", "roads") == {State.OPENED: 2}


def test_numbers_count_from_one_for_each_tenant_and_day(bench: Bench) -> None:
    numbers = [
        bench.store.next_number(bench.tx, tenant, day)
        for tenant, day in [("a", "1"), ("a", "1"), ("b", "1"), ("a", "2"), ("a", "1")]
    ]
    assert numbers == [1, 2, 1, 1, 3]


def test_the_log_comes_back_in_order_as_it_was_written(bench: Bench) -> None:
    lines = [a_line(n) for n in (1, 2, 3)]
    for line in (lines[1], lines[0], lines[2]):
        bench.store.append(bench.tx, line)
    bench.store.append(bench.tx, a_line(case_id="c2", from_state=None))
    assert bench.store.log(bench.tx, "city", "c1") == lines
    assert bench.store.log(bench.tx, "city", "c2")[0].from_state is None


def test_a_line_is_never_overwritten(bench: Bench) -> None:
    bench.store.append(bench.tx, a_line(note="first"))
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        bench.store.append(bench.tx, a_line(note="second"))
    assert bench.store.log(bench.tx, "city", "c1")[0].note == "first"


def test_a_line_is_found_by_the_key_of_the_actor_who_wrote_it(bench: Bench) -> None:
    bench.store.append(bench.tx, a_line(key="k"))
    assert bench.store.line_by_key(bench.tx, "city", "usr_1", "k") == a_line(key="k")
    assert bench.store.line_by_key(bench.tx, "city", "usr_2", "k") is None
    assert bench.store.line_by_key(bench.tx, "city", "usr_1", "other") is None


def test_the_load_counts_live_overdue_opened_and_handled_cases(bench: Bench) -> None:
    now, late = MONDAY, MONDAY - timedelta(hours=1)
    for name, state, due in (
        ("1", State.DISPATCHED, late),
        ("2", State.DISPATCHED, now + timedelta(hours=1)),
        ("3", State.HANDLED, late),
        ("4", State.CLOSED, None),
    ):
        bench.store.put(bench.tx, a_case(state).model_copy(update={"id": name, "due_at": due}))
    for n, step, at, facts in (
        (1, Step.OPEN, now - timedelta(days=31), {}),
        (2, Step.OPEN, now - timedelta(days=2), {}),
        (3, Step.HANDLE, now - timedelta(days=1), {"late": False}),
        (4, Step.HANDLE, now - timedelta(days=1), {"late": True}),
    ):
        bench.store.append(bench.tx, a_line(n, step=step, at=at, facts=facts))
    load = bench.store.load(bench.tx, "city", now, now - timedelta(days=30))
    assert load == CaseLoad(live=3, overdue=1, opened=1, handled=2, in_time=1, days=30)
    nothing = bench.store.load(bench.tx, "other", now, now - timedelta(days=30))
    assert nothing == CaseLoad(live=0, overdue=0, opened=0, handled=0, in_time=0, days=1)


def test_the_load_says_for_how_many_days_a_young_city_has_cases(bench: Bench) -> None:
    bench.store.append(bench.tx, a_line(1, step=Step.OPEN, at=MONDAY - timedelta(hours=60)))
    assert bench.store.load(bench.tx, "city", MONDAY, MONDAY - timedelta(days=30)).days == 2.5


def test_the_live_case_of_a_sensor_is_not_that_of_its_vital_sign(bench: Bench) -> None:
    bench.store.put(bench.tx, a_case(vital=None, sensor=VITAL))
    found = bench.store.live_of_sensor(bench.tx, "city", VITAL)
    assert found is not None
    assert bench.store.live_of_vital(bench.tx, "city", VITAL) is None
    bench.store.put(bench.tx, a_case(State.CLOSED, vital=None, sensor=VITAL))
    assert bench.store.live_of_sensor(bench.tx, "city", VITAL) is None
