from __future__ import annotations

from datetime import timedelta

import pytest

from chengmai.cases import CaseView, State, Step, Urgency, sentence
from chengmai.cases.model import SeenVital
from chengmai.cases.problems import (
    AnotherCaseLive,
    CaseChanged,
    CaseNotFound,
    CategoryUnknown,
    FactsInvalid,
    KeyReused,
    LocationInvalid,
    ResultMissing,
    StepNotPossible,
    StepNotYours,
    TextInvalid,
    UnitUnknown,
    WordsTooLong,
)
from chengmai.kernel.events import CaseMoved
from chengmai.ngsild.entity import value_of
from chengmai.packs.model import Limit
from tests.unit.cases.builders import (
    MONDAY,
    VITAL,
    City,
    a_category,
    a_crossing,
    a_unit,
    an_actor,
    words,
)

DESK = an_actor("duty_officer", name="Wang")
WORKER = an_actor("worker", name="Zhao")
CITIZEN = an_actor("citizen")


def a_report(city: City, *, key: str | None = None) -> CaseView:
    return city.run(city.cases.report(CITIZEN, "air", "Smoke behind the school", key=key))


def step(city: City, case_id: str, name: Step, note: str = "", by=DESK, **more) -> CaseView:  # type: ignore[no-untyped-def]
    return city.run(city.cases.take_step(case_id, name, by, note=note, **more))


def steps_of(city: City, case_id: str) -> list[str]:
    return [line.step for line in city.run(city.cases.log("city", case_id))]


# The platform opens


def test_a_crossing_opens_a_case_with_place_evidence_unit_and_deadline() -> None:
    city = City()
    city.cross(a_crossing(location={"type": "Point", "coordinates": [116.3, 39.9]}))
    [case] = city.live()
    assert (case.number, case.state, case.kind, case.level) == (
        "2026112300001",
        "opened",
        "real",
        "act",
    )
    assert (case.vital, case.area, case.unit) == (VITAL, "Haidian", "epb")
    assert case.evidence == ({"at": "2026-11-23T01:00:00Z", "value": 155.0},)
    assert case.due_at == MONDAY + timedelta(minutes=15)
    assert case.title.en == "PM2.5, Haidian"


def test_the_case_is_an_entity_of_the_model() -> None:
    city = City()
    city.cross(a_crossing())
    seen = city.model.entities["urn:ngsi-ld:CityCase:2026112300001"]
    assert value_of(seen, "caseState") == "opened"
    assert value_of(seen, "refVital") == VITAL
    assert value_of(seen, "dueAt") == "2026-11-23T01:15:00Z"
    assert value_of(seen, "responsibleUnitName") == {"zh": "epb（中）", "en": "epb"}
    assert value_of(seen, "evidence") == [{"at": "2026-11-23T01:00:00Z", "value": 155.0}]


def test_many_crossings_of_one_vital_are_one_case_and_those_of_another_a_second() -> None:
    city = City()
    city.cross(*[a_crossing(), a_crossing("predicted"), a_crossing()] * 5)
    assert len(city.live()) == 1
    city.cross(a_crossing(vital_id=VITAL.replace("Haidian", "Dongcheng")))
    assert [case.number for case in city.live()] == ["2026112300001", "2026112300002"]


def test_the_story_of_a_vital_stands_in_the_log_in_both_languages() -> None:
    city = City()
    city.cross(
        a_crossing("predicted", "watch"),
        a_crossing("predicted", "act"),
        a_crossing("real", "act"),
        a_crossing("recovered", "normal"),
        a_crossing("recovered", "normal"),
        a_crossing("real", "act"),
    )
    [case] = city.live()
    lines = city.run(city.cases.log("city", case.id))
    assert [line.step for line in lines] == [
        "open",
        "escalate",
        "predicted_became_real",
        "recovered",
        "crossed_again",
    ]
    assert case.title.zh == "预计：Haidian PM2.5（中）"
    assert [sentence(line).en for line in lines][3] == (
        "The vital sign recovered; please verify. 155 is above 150"
    )
    assert [sentence(line).zh for line in lines][3] == "体征已恢复，请核查。155 is above 150（中）"
    assert [line.n for line in lines] == [1, 2, 3, 4, 5]


def test_a_recovery_closes_nothing_and_lets_the_desk_ask_for_verification() -> None:
    city = City()
    city.cross(a_crossing(), a_crossing("recovered", "normal"))
    [case] = city.live()
    assert (case.state, case.recovered) == (State.OPENED, True)
    assert Step.HANDLE in city.cases.possible_steps(case, DESK)
    seen = step(city, case.id, Step.HANDLE, "the wind turned; readings are normal")
    assert seen.case.state is State.HANDLED


def test_after_the_case_is_closed_a_new_crossing_opens_a_new_one() -> None:
    city = City()
    city.cross(a_crossing())
    first = city.live()[0].id
    close(city, first)
    city.cross(a_crossing())
    assert city.live()[0].id != first


def test_a_closed_case_is_not_reopened_beside_a_live_one_of_its_vital() -> None:
    city = City()
    city.cross(a_crossing())
    first = city.live()[0].id
    close(city, first)
    city.cross(a_crossing())
    with pytest.raises(AnotherCaseLive):
        step(city, first, Step.REOPEN, "it came back")


def test_what_undoes_the_crossing_undoes_the_case() -> None:
    city = City()

    def fail(_tx: object, _event: CaseMoved) -> None:
        raise RuntimeError("the disk is full")

    city.events.subscribe(CaseMoved, fail)
    with pytest.raises(RuntimeError):
        city.cross(a_crossing())
    assert city.live() == []


# People


def close(city: City, case_id: str) -> CaseView:
    step(city, case_id, Step.DISPATCH)
    step(city, case_id, Step.HANDLE, "stopped the source", WORKER)
    return step(city, case_id, Step.VERIFY_PASS)


def test_a_report_goes_the_whole_way_to_closed() -> None:
    city = City()
    case_id = a_report(city).case.id
    step(city, case_id, Step.OPEN)
    closed = close(city, case_id)
    assert closed.case.state is State.CLOSED
    assert steps_of(city, case_id) == ["report", "open", "dispatch", "handle", "verify_pass"]
    assert value_of(city.model.entities[case_id], "caseState") == "closed"
    assert [move.state for move in city.moves][-1] == "closed"


def test_a_log_line_says_who_in_which_role_and_what() -> None:
    city = City()
    case_id = a_report(city).case.id
    step(city, case_id, Step.REJECT, "not in our city")
    line = city.run(city.cases.log("city", case_id))[-1]
    assert (line.by_id, line.by_name, line.by_role) == (DESK.id, "Wang", "duty_officer")
    assert (line.from_state, line.to_state) == (State.REPORTED, State.REJECTED)
    assert sentence(line).zh == "不受理：not in our city"
    assert line.facts["late"] is False


def test_a_refused_step_leaves_no_trace() -> None:
    city = City()
    case_id = a_report(city).case.id
    for name, note, problem in [
        (Step.DISPATCH, "", StepNotPossible),
        (Step.REJECT, "   ", Exception),
    ]:
        with pytest.raises(problem):
            step(city, case_id, name, note)
    with pytest.raises(StepNotYours):
        step(city, case_id, Step.OPEN, by=WORKER)
    assert steps_of(city, case_id) == ["report"]


def test_handling_needs_words_about_the_result() -> None:
    city = City()
    city.cross(a_crossing())
    case_id = city.live()[0].id
    step(city, case_id, Step.DISPATCH)
    with pytest.raises(ResultMissing):
        step(city, case_id, Step.HANDLE, by=WORKER)


def test_the_same_request_sent_twice_happens_once() -> None:
    city = City()
    first, again = a_report(city, key="k1"), a_report(city, key="k1")
    assert first.case.id == again.case.id
    step(city, first.case.id, Step.OPEN, key="k2")
    assert step(city, first.case.id, Step.OPEN, key="k2").case.state is State.OPENED
    assert steps_of(city, first.case.id) == ["report", "open"]


def test_a_key_used_for_another_request_is_refused() -> None:
    city = City()
    case_id = a_report(city).case.id
    step(city, case_id, Step.OPEN, key="k")
    with pytest.raises(KeyReused):
        step(city, case_id, Step.DISPATCH, key="k")


def test_a_decision_on_an_old_version_is_refused() -> None:
    city = City()
    case = a_report(city).case
    step(city, case.id, Step.COMMENT, "I know the place")
    with pytest.raises(CaseChanged):
        step(city, case.id, Step.OPEN, expecting=case.version)
    assert step(city, case.id, Step.OPEN, expecting=case.version + 1).case.version == 3


def test_the_dispatcher_may_choose_another_unit() -> None:
    city = City(a_unit("epb"), a_unit("roads"))
    case_id = a_report(city).case.id
    step(city, case_id, Step.OPEN)
    with pytest.raises(UnitUnknown):
        step(city, case_id, Step.DISPATCH, facts={"unit": "ghost"})
    assert step(city, case_id, Step.DISPATCH, facts={"unit": "roads"}).case.unit == "roads"


def test_wrong_reports_are_refused_with_the_field_that_is_wrong() -> None:
    city = City()
    with pytest.raises(CategoryUnknown) as problem:
        city.run(city.cases.report(CITIZEN, "ghost", "x"))
    assert problem.value.facts["known"] == ["air"]
    for title in ["", "  ", "a\x00b", "\ud800"]:
        with pytest.raises(TextInvalid):
            city.run(city.cases.report(CITIZEN, "air", title))
    with pytest.raises(WordsTooLong):
        city.run(city.cases.report(CITIZEN, "air", "x" * 300))
    with pytest.raises(StepNotYours):
        city.run(city.cases.report(an_actor("auditor"), "air", "x"))


@pytest.mark.parametrize(
    "coordinates", [[181, 0], [0, 91], ["1", 2], [1], [True, False], [float("nan"), 0], None]
)
def test_a_place_that_is_not_on_the_earth_is_refused(coordinates: object) -> None:
    city = City()
    with pytest.raises(LocationInvalid):
        city.run(
            city.cases.report(
                CITIZEN, "air", "x", location={"type": "Point", "coordinates": coordinates}
            )
        )


def test_facts_that_are_not_json_or_too_many_are_refused() -> None:
    city = City()
    case_id = a_report(city).case.id
    with pytest.raises(FactsInvalid):
        step(city, case_id, Step.COMMENT, "x", facts={"a": object()})
    with pytest.raises(WordsTooLong):
        step(city, case_id, Step.COMMENT, "x", facts={"a": "b" * 20_000})


# Reading


def test_the_queue_is_ordered_by_deadline_and_counts_all() -> None:
    city = City(
        slow=a_category(),
        fast=a_category(id="fast", handle_within=Limit(amount=1, unit="urgent_hour")),
    )
    ids = [city.run(city.cases.report(DESK, name, name)).case.id for name in ("slow", "fast")]
    for case_id in ids:
        step(city, case_id, Step.OPEN)
        step(city, case_id, Step.DISPATCH)
    page = city.run(city.cases.queue("city", limit=1))
    assert [view.case.id for view in page.items] == [ids[1]]
    assert page.total == 2
    assert city.run(city.cases.queue("city", state=State.CLOSED)).total == 0
    assert city.run(city.cases.counts("city"))[State.DISPATCHED] == 2


def test_overdue_is_seen_at_the_moment_of_reading() -> None:
    city = City()
    case_id = a_report(city).case.id
    lights = []
    for minutes in (11, 2, 3):
        city.wait(minutes=minutes)
        lights.append(city.run(city.cases.get("city", case_id)).urgency)
    assert lights == [Urgency.GREEN, Urgency.YELLOW, Urgency.RED]


def test_another_tenant_sees_nothing() -> None:
    city = City()
    case_id = a_report(city).case.id
    for awaited in (city.cases.get("other", case_id), city.cases.log("other", case_id)):
        with pytest.raises(CaseNotFound):
            city.run(awaited)
    assert city.run(city.cases.queue("other")).total == 0


def test_the_cases_of_a_vital_are_found() -> None:
    city = City()
    city.cross(a_crossing())
    assert [v.case.vital for v in city.run(city.cases.of_vital("city", VITAL))] == [VITAL]


def test_numbers_begin_again_each_day_of_the_city() -> None:
    city = City()
    assert a_report(city).case.number == "2026112300001"
    city.wait(hours=15)  # Tuesday 00:00 in Shanghai, still Monday in UTC
    assert a_report(city).case.number == "2026112400001"


# A person opens a case about a vital sign


def a_seen_vital(**changes: object) -> SeenVital:
    known: dict[str, object] = {
        "vital": VITAL,
        "title": words("PM2.5"),
        "category": "air",
        "area": "Haidian",
        "level": "watch",
        "reason": words("75 is above 60"),
        "evidence": ({"at": "2026-11-23T01:00:00Z", "value": 75.0},),
    }
    return SeenVital(**known | changes)  # type: ignore[arg-type]


def test_a_person_opens_a_case_about_a_vital_with_its_readings() -> None:
    city = City()
    case = city.run(city.cases.report_vital(DESK, a_seen_vital())).case
    assert (case.state, case.kind, case.vital, case.level) == ("reported", "person", VITAL, "watch")
    assert case.evidence == ({"at": "2026-11-23T01:00:00Z", "value": 75.0},)
    assert case.reason is not None
    assert case.reason.en == "75 is above 60"


def test_a_vital_with_a_live_case_gets_no_second_one_from_a_person() -> None:
    city = City()
    city.cross(a_crossing())
    [live] = city.live()
    assert city.run(city.cases.report_vital(DESK, a_seen_vital())).case.id == live.id
    assert len(city.live()) == 1


def test_a_vital_whose_category_nobody_knows_still_reaches_a_person() -> None:
    city = City()
    case = city.run(city.cases.report_vital(DESK, a_seen_vital(category=None))).case
    assert case.category == "unsorted"
