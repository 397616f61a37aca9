"""Surveys in a real city: counts and open answers, results with history, scores that carry the interval."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chengmai.assess.surveys.problems import (
    AnsweredAlready,
    AnswerInvalid,
    CountsInvalid,
    SurveyAnswered,
    SurveyInvalid,
    SurveyNotRunning,
    SurveyOpen,
    SurveyRunning,
    SurveyUnknown,
    TooManyAnswers,
)
from chengmai.kernel.actors import Actor
from chengmai.trust.problems import ActionNotAllowed
from tests.api.house import House, a_house
from tests.unit.assess.surveys import EAST, WEST, a_question, a_survey, counts

MANAGER = Actor("usr_m", "city", frozenset({"manager"}), "Chen")
DUTY = Actor("usr_d", "city", frozenset({"duty_officer"}), "Li")
PUBLIC = Actor("public", "city", frozenset({"public"}), "public")
GOOD = counts(("all", "q1", "yes", 320), ("all", "q1", "no", 80), ("all", "q1", "na", 10))
FEW = counts(("all", "q1", "yes", 30), ("all", "q1", "no", 10))
DAY = date(2018, 12, 31)
OPEN: dict[str, Any] = {
    "id": "open",
    "mode": "online",
    "sampling": "self_selected",
    "is_open": True,
    "begins": "2026-11-01",
    "ends": "2026-11-30",
}
RESULT = "urn:ngsi-ld:SurveyResult:exp2018"


async def counted(house: House, table: str = GOOD, **survey: Any) -> None:
    made = await house.city.surveys.define(MANAGER, a_survey(**survey))
    await house.city.surveys.import_counts(MANAGER, made.id, table)


async def answer(house: House, who: str, choice: str = "yes", **more: Any) -> None:
    said = {"who": who, "address": who} | more
    await house.city.surveys.answer(PUBLIC, "open", {"q1": choice}, **said)


async def test_a_result_is_an_entity_with_its_interval_and_who_made_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await counted(house)
        entity = await house.get(f"/entities/{RESULT}?options=keyValues")
        (found,) = entity["results"]["json"] if "json" in entity["results"] else entity["results"]
        assert (found["n"], found["value"], found["method"]) == (400, 80, "Wilson")
        assert (round(found["low"], 2), round(found["high"], 2)) == (75.92, 83.54)
        assert entity["refPlace"] == "urn:ngsi-ld:AdministrativeDivision:330100"
        lines = [(one.actor, one.action) for one in await house.audit()]
        assert ("usr_m", "surveys.counts") in lines
        assert await house.broken() == []


async def test_new_counts_leave_the_old_result_in_the_history(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await counted(house)
        house.clock.advance(timedelta(hours=1))
        await house.city.surveys.import_counts(MANAGER, "exp2018", FEW)
        path = f"/temporal/entities/{RESULT}?timerel=before&timeAt=2030-01-01T00:00:00Z"
        past = await house.get(path + "&timeproperty=modifiedAt&attrs=results")
        assert [one["json"][0]["n"] for one in past["results"]] == [400, 40]


async def test_the_interval_of_a_survey_goes_into_the_total(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await counted(house)
        board = await house.city.frameworks.board(MANAGER, "nsc-2018", DAY)
        scored = board.scores["330100"]
        # By hand: 40 marks × 80 %, 75.92 %, 83.54 %.
        assert [str(one) for one in (scored.total, scored.low, scored.high)] == [
            "32.00",
            "30.37",
            "33.42",
        ]
        assert scored.part("M1").got == scored.total


async def test_too_small_a_sample_is_shown_and_not_scored(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await counted(house, FEW)
        board = await house.city.frameworks.board(MANAGER, "nsc-2018", DAY)
        assert board.scores["330100"].part("M1").got is None
        beside = board.overlay.aside["330100"]["M1"]
        assert board.overlay.doubts(beside) == ["too_small", "too_wide"]
        await house.city.surveys.import_counts(MANAGER, "exp2018", GOOD)
        board = await house.city.frameworks.board(MANAGER, "nsc-2018", DAY)
        assert str(board.scores["330100"].total) == "32.00"


async def test_a_framework_may_say_that_a_small_sample_is_enough(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await counted(house, FEW)
        (shipped,) = (
            one for one in await house.city.frameworks.frameworks(MANAGER) if one.id == "nsc-2018"
        )
        package = json.loads(shipped.model_dump_json(by_alias=True))
        package["children"][0]["survey"] = {"least": 30, "widest": 20}
        await house.city.frameworks.take_in(MANAGER, json.dumps(package))
        board = await house.city.frameworks.board(MANAGER, "nsc-2018", DAY)
        assert str(board.scores["330100"].total) == "30.00"
        package["children"][0]["survey"]["least"] = 50
        await house.city.frameworks.take_in(MANAGER, json.dumps(package))
        board = await house.city.frameworks.board(MANAGER, "nsc-2018", DAY)
        assert board.scores["330100"].part("M1").got is None


async def test_an_earlier_good_result_counts_beside_a_later_poor_one(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await counted(house)
        later = {"id": "later", "begins": "2018-09-01", "ends": "2018-09-30"}
        await counted(house, FEW, **later)
        board = await house.city.frameworks.board(MANAGER, "nsc-2018", DAY)
        assert board.values["330100"]["M1"].value == 80
        assert board.overlay.aside["330100"]["M1"].value == 75


async def test_a_result_that_may_no_longer_be_shown_feeds_nothing(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await counted(house)
        await house.city.surveys.import_counts(MANAGER, "exp2018", counts(("all", "q1", "yes", 4)))
        board = await house.city.frameworks.board(MANAGER, "nsc-2018", DAY)
        assert "330100" not in board.scores
        entity = await house.get(f"/entities/{RESULT}")
        assert entity["results"]["json"][0]["value"] is None


async def test_open_answers_are_counted_once_and_hidden_until_the_end(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        rooms = house.city.surveys
        await rooms.define(MANAGER, a_survey(**OPEN))
        for number in range(24):
            await answer(house, f"browser {number}", "yes" if number % 3 else "no")
        with pytest.raises(AnsweredAlready):
            await answer(house, "browser 3", "no")
        standing = await rooms.survey(MANAGER, "open")
        assert (standing.answers, standing.results, standing.table) == (24, (), "")
        with pytest.raises(SurveyRunning):
            await rooms.publish(MANAGER, "open")
        assert (await rooms.to_answer(PUBLIC, "open"))[1] is None
        house.clock.advance(timedelta(days=9))
        with pytest.raises(SurveyNotRunning):
            await answer(house, "browser 99")
        standing = await rooms.publish(MANAGER, "open")
        (found,) = standing.results
        assert found.given == {"yes": 16, "no": 8, "na": 0}
        assert found.doubts == ("self_selected", "too_small", "too_wide")
        shown = (await rooms.to_answer(PUBLIC, "open"))[1]
        assert shown is not None
        assert shown.is_published


async def test_nothing_joins_an_answer_to_who_gave_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.city.surveys.define(MANAGER, a_survey(**OPEN))
        await answer(house, "browser of Wu", address="203.0.113.9")
        rows = await house.city.store.work.read(
            lambda tx: (
                tx.db.execute("SELECT * FROM survey_mark").fetchall()
                + tx.db.execute("SELECT * FROM survey_count").fetchall()
            )
        )
        told = " ".join(str(cell) for row in rows for cell in row)
        line = next(one for one in await house.audit() if one.action == "surveys.answer")
        assert (line.actor, line.detail) == ("public", "{}")
        # Neither can stand in a hexadecimal digest by chance.
        for secret in ("browser of Wu", "Wu", "203.0.113.9"):
            assert secret not in told + line.detail + line.object
        house.clock.advance(timedelta(days=9))
        await house.city.surveys.publish(MANAGER, "open")
        left = await house.city.store.work.read(
            lambda tx: tx.db.execute("SELECT COUNT(*) FROM survey_mark").fetchone()
        )
        assert left[0] == 0


async def test_a_machine_at_one_address_is_slowed_down(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.city.surveys.define(MANAGER, a_survey(**OPEN))
        for number in range(30):
            await answer(house, f"browser {number}", address="203.0.113.9")
        with pytest.raises(TooManyAnswers) as caught:
            await answer(house, "browser 30", address="203.0.113.9")
        assert caught.value.retry_after_s == 600
        await answer(house, "browser 30", address="203.0.113.10")
        house.clock.advance(timedelta(minutes=10))
        await answer(house, "browser 31", address="203.0.113.9")


@pytest.mark.parametrize(
    ("choices", "stratum"),
    [({}, "east"), ({"q1": "maybe"}, "east"), ({"q1": "yes", "q9": "yes"}, "east"),
     ({"q1": "yes"}, ""), ({"q1": "yes"}, "north")],
)  # fmt: skip
async def test_an_answer_that_was_not_asked_for_is_refused(
    tmp_path: Path, choices: dict[str, str], stratum: str
) -> None:
    async with a_house(tmp_path) as house:
        package = a_survey(**OPEN, strata=[EAST, WEST], population=None)
        await house.city.surveys.define(MANAGER, package)
        with pytest.raises(AnswerInvalid):
            await house.city.surveys.answer(
                PUBLIC, "open", choices, stratum=stratum, who="w", address="a"
            )
        assert (await house.city.surveys.survey(MANAGER, "open")).answers == 0


async def test_questions_stay_once_there_are_answers(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await counted(house)
        with pytest.raises(SurveyAnswered):
            await house.city.surveys.define(
                MANAGER, a_survey(questions=[a_question(), a_question("q2")])
            )
        await house.city.surveys.define(MANAGER, a_survey(min_sample=500))
        found = await house.city.surveys.survey(MANAGER, "exp2018")
        assert found.results[0].doubts == ("too_small",)


async def test_what_cannot_be_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        rooms = house.city.surveys
        with pytest.raises(SurveyInvalid) as caught:
            await rooms.define(MANAGER, a_survey(place="999999"))
        assert caught.value.param == "place"
        await rooms.define(MANAGER, a_survey())
        with pytest.raises(CountsInvalid):
            await rooms.import_counts(MANAGER, "exp2018", GOOD + "all,q1,maybe,3\n")
        assert (await rooms.survey(MANAGER, "exp2018")).answers == 0
        await rooms.define(MANAGER, a_survey(**OPEN))
        with pytest.raises(SurveyOpen):
            await rooms.import_counts(MANAGER, "open", GOOD)
        for unknown in ("none", "a b", "x" * 500):
            with pytest.raises(SurveyUnknown):
                await rooms.survey(MANAGER, unknown)


async def test_who_may_not_manage_changes_nothing_and_tenants_are_apart(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        rooms = house.city.surveys
        await rooms.define(MANAGER, a_survey(**OPEN))
        for actor in (DUTY, PUBLIC):
            with pytest.raises(ActionNotAllowed):
                await rooms.define(actor, a_survey())
            with pytest.raises(ActionNotAllowed):
                await rooms.publish(actor, "open")
        with pytest.raises(ActionNotAllowed):
            await rooms.survey(PUBLIC, "open")
        with pytest.raises(ActionNotAllowed):
            await rooms.answer(MANAGER, "open", {"q1": "yes"}, who="w", address="a")
        other = Actor("public", "other", frozenset({"public"}), "public")
        assert await rooms.open_surveys(other) == []
        with pytest.raises(SurveyUnknown):
            await rooms.answer(other, "open", {"q1": "yes"}, who="w", address="a")


async def test_anybody_answers_over_http_once(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.city.surveys.define(MANAGER, a_survey(**OPEN))
        client: httpx2.AsyncClient = house.client
        assert "/survey/open" in (await client.get("/survey")).text
        page = await client.get("/survey/open")
        token = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert token is not None
        form = {"csrf": token[1], "q.q1": "yes"}
        first = await client.post("/survey/open", data=form)
        assert (first.status_code, first.headers["location"]) == (303, "/survey/open?done=1")
        assert (await client.post("/survey/open", data=form)).status_code == 409
        assert (await house.city.surveys.survey(MANAGER, "open")).answers == 1


async def test_nobody_writes_a_result_over_the_api(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await counted(house)
        wrong = {"results": {"type": "Property", "value": 100}}
        assert (await house.ask("PATCH", f"/entities/{RESULT}/attrs", wrong)).status_code == 403
        made = {"id": "urn:ngsi-ld:CitizenSurvey:x", "type": "CitizenSurvey"}
        assert (await house.ask("POST", "/entities", made)).status_code == 403
