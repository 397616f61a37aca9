"""What every store of incidents promises (`incidents.ports.IncidentStore`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import apsw
import pytest

from chengmai.incidents import Incident, IncidentStore, LogLine, Member, Shown, State, Step
from chengmai.kernel.clock import FixedClock
from chengmai.store.sqlite.incidents import SqliteIncidentStore
from chengmai.store.sqlite.work import SqliteTx
from tests.unit.cases.builders import MONDAY, MemoryWork, words


class Bench:
    """One adapter with an open transaction."""

    def __init__(self, store: IncidentStore, tx: Any) -> None:
        self.store, self.tx = store, tx


def sqlite() -> Bench:
    work = MemoryWork(FixedClock(MONDAY), "0150_incidents.sql")
    return Bench(SqliteIncidentStore(), SqliteTx(work.db, MONDAY))


@pytest.fixture(params=[sqlite])
def bench(request: pytest.FixtureRequest) -> Bench:
    make: Callable[[], Bench] = request.param
    return make()


def an_incident(name: str = "i1", *vitals: str, minutes: int = 0, **changes: Any) -> Incident:
    members = tuple(
        Member(
            vital=vital,
            sign="env/rain",
            group="env/rain",
            title=words("rain"),
            area="East",
            level="act",
            reason=words("wet"),
            since=MONDAY,
        )
        for vital in vitals or ("v1",)
    )
    made = Incident(
        tenant="city",
        id=name,
        number=name,
        nature="event",
        title=words("rain"),
        level="act",
        since=MONDAY + timedelta(minutes=minutes),
        members=members,
    )
    return made.model_copy(update=changes)


def a_line(n: int = 1, **changes: Any) -> LogLine:
    line = LogLine(
        tenant="city",
        incident_id="i1",
        n=n,
        at=MONDAY,
        by_id="usr_1",
        by_name="李",
        step=Step.COMMENT,
        note="看过了",
        facts={"a": [1, {"b": None}]},
    )
    return line.model_copy(update=changes)


def test_an_incident_comes_back_as_it_was_put(bench: Bench) -> None:
    made = an_incident(because=(words("wet"),), apart=("i2",), raised="act")
    bench.store.put(bench.tx, made)
    assert bench.store.get(bench.tx, "city", "i1") == made
    assert bench.store.get(bench.tx, "other", "i1") is None


def test_an_incident_read_twice_is_as_it_was_put_last(bench: Bench) -> None:
    bench.store.put(bench.tx, an_incident("i1", "v1"))
    assert bench.store.get(bench.tx, "city", "i1") == an_incident("i1", "v1")
    bench.store.put(bench.tx, an_incident("i1", "v1", "v2"))
    assert bench.store.get(bench.tx, "city", "i1") == an_incident("i1", "v1", "v2")
    assert bench.store.get(bench.tx, "city", "i1") == an_incident("i1", "v1", "v2")


def test_the_open_incident_of_a_vital_sign_is_found_and_an_ended_one_is_not(bench: Bench) -> None:
    bench.store.put(bench.tx, an_incident("i1", "v1", "v2"))
    assert bench.store.open_of_vital(bench.tx, "city", "v2", "event") is not None
    assert bench.store.open_of_vital(bench.tx, "city", "v2", "fault") is None
    assert bench.store.open_of_vital(bench.tx, "other", "v2", "event") is None
    bench.store.put(bench.tx, an_incident("i1", "v1", "v2", state=State.ENDED, ended_at=MONDAY))
    assert bench.store.open_of_vital(bench.tx, "city", "v2", "event") is None


def test_a_member_that_left_is_found_no_more(bench: Bench) -> None:
    bench.store.put(bench.tx, an_incident("i1", "v1", "v2"))
    bench.store.put(bench.tx, an_incident("i1", "v1"))
    assert bench.store.open_of_vital(bench.tx, "city", "v2", "event") is None


def test_recent_gives_the_open_and_the_lately_ended_the_oldest_first(bench: Bench) -> None:
    over = {"state": State.ENDED, "ended_at": MONDAY + timedelta(hours=1)}
    bench.store.put(bench.tx, an_incident("i3", "v3", minutes=3))
    bench.store.put(bench.tx, an_incident("i1", "v1", minutes=1, **over))
    bench.store.put(bench.tx, an_incident("i2", "v2", minutes=2, state=State.MERGED))
    names = [one.id for one in bench.store.recent(bench.tx, "city", "event", MONDAY)]
    assert names == ["i1", "i3"]
    later = bench.store.recent(bench.tx, "city", "event", MONDAY + timedelta(hours=2))
    assert [one.id for one in later] == ["i3"]


def test_a_page_is_the_newest_first_with_the_number_of_all(bench: Bench) -> None:
    for n in range(3):
        bench.store.put(bench.tx, an_incident(f"i{n}", f"v{n}", minutes=n))
    found, total = bench.store.page(bench.tx, "city", [State.OPEN], limit=2, offset=1)
    assert ([one.id for one in found], total) == (["i1", "i0"], 3)


def test_the_log_is_in_order_and_only_added_to(bench: Bench) -> None:
    bench.store.append(bench.tx, a_line(1))
    bench.store.append(bench.tx, a_line(2, step=Step.RAISE, reason="spreading", key="k"))
    assert [line.n for line in bench.store.log(bench.tx, "city", "i1")] == [1, 2]
    assert bench.store.log(bench.tx, "city", "i1")[0] == a_line(1)
    with pytest.raises(apsw.ConstraintError):
        bench.store.append(bench.tx, a_line(2))
    found = bench.store.line_by_key(bench.tx, "city", "usr_1", "k")
    assert found is not None
    assert found.step is Step.RAISE
    assert bench.store.line_by_key(bench.tx, "other", "usr_1", "k") is None
    assert bench.store.steps_since(bench.tx, "city", MONDAY) == {"comment": 1, "raise_level": 1}


def test_numbers_of_a_day_have_no_gaps(bench: Bench) -> None:
    numbers = [bench.store.next_number(bench.tx, "city", day) for day in ("a", "a", "b")]
    assert numbers == [1, 2, 1]


def test_what_was_held_keeps_since_when_and_is_shown_once(bench: Bench) -> None:
    later, latest = MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=2)
    for one in (
        Shown("p", "a", "watch", None, MONDAY),
        Shown("p", "a", "watch", later),
        Shown("p", "a", "watch", latest),
    ):
        bench.store.keep_shown(bench.tx, "city", one)
    (kept,) = bench.store.known_to(bench.tx, "city", "p", ["a", "b"])
    assert kept == Shown("p", "a", "watch", later, MONDAY)
    assert bench.store.known_to(bench.tx, "city", "q", ["a"]) == []
    assert bench.store.shown(bench.tx, "city", later, "p") == [kept]
    assert bench.store.shown(bench.tx, "city", latest) == []
