"""Surveys of citizens: define one, take in counts, publish the result, see how sure it is."""

from __future__ import annotations

import json

from starlette.responses import Response

from chengmai.assess.surveys.published import document
from chengmai.assess.surveys.service import Standing
from chengmai.trust.policy import may
from chengmai.web.cockpit.access import VITALS
from chengmai.web.cockpit.assess.exports import twin
from chengmai.web.cockpit.assess.survey_lines import question_views
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.tables import Table
from chengmai.web.cockpit.texts import Words
from chengmai.web.cockpit.twins import as_json
from chengmai.web.cockpit.visit import Visit, link

_TEMPLATE = {
    "id": "experience",
    "zh": "市民体验调查",
    "en": "Survey of citizens",
    "place": "330100",
    "begins": "2026-12-01",
    "ends": "2026-12-31",
    "mode": "phone",
    "sampling": "random",
    "is_open": False,
    "population": 10000,
    "min_sample": 385,
    "widest": 5,
    "source": "",
    "questions": [
        {
            "id": "q1",
            "zh": "您对本市的公共服务总体满意吗？",
            "en": "Are you satisfied with public services on the whole?",
            "indicator": "M1",
            "options": [
                {"id": "yes", "zh": "满意", "en": "satisfied", "points": 100},
                {"id": "no", "zh": "不满意", "en": "not satisfied", "points": 0},
                {"id": "na", "zh": "不清楚", "en": "do not know"},
            ],
        }
    ],
}
"""What the form offers to be changed: an invented survey."""


async def show(visit: Visit) -> Response:
    found = await visit.desk.surveys.surveys(visit.actor)
    return visit.page(
        "assess/surveys.html",
        surveys=[_line(one, visit) for one in found],
        may_manage=may(visit.actor, "assess.manage"),
        pattern=json.dumps(_TEMPLATE, ensure_ascii=False, indent=1),
    )


def _line(one: Standing, visit: Visit) -> dict[str, object]:
    survey, formats = one.survey, visit.formats
    return {
        "id": survey.id,
        "title": visit.words.pick(survey.title),
        "place": survey.place,
        "days": f"{formats.day(survey.begins)} – {formats.day(survey.ends)}",
        "mode": visit.words(f"survey.mode.{survey.mode}"),
        "answers": one.answers,
        "state": _state(one, visit.words),
    }


def _state(one: Standing, words: Words) -> str:
    if one.is_published:
        return words("survey.state.published")
    return words("survey.state.running") if one.is_running else words("survey.state.waiting")


async def one(visit: Visit) -> Response:
    return await _one(visit)


async def _one(visit: Visit, message: str = "") -> Response:
    found = await visit.desk.surveys.survey(visit.actor, visit.param("survey_id"))
    survey = found.survey
    return visit.page(
        "assess/survey.html",
        line=_line(found, visit),
        survey=survey,
        questions=question_views(found.results, visit.formats),
        table=found.table,
        sampling=visit.words(f"survey.sampling.{survey.sampling}"),
        definition=json.dumps(survey.model_dump(mode="json"), ensure_ascii=False, indent=1),
        may_manage=may(visit.actor, "assess.manage"),
        may_publish=survey.is_open and not found.is_running and found.answers > 0,
        message=message,
    )


async def one_json(visit: Visit) -> Response:
    found = await visit.desk.surveys.survey(visit.actor, visit.param("survey_id"))
    return as_json(
        {
            "survey": found.survey.model_dump(mode="json"),
            "answers": found.answers,
            "published": found.is_published,
            "results": [document(result) for result in found.results],
        }
    )


_RESULT = (
    *("survey", "question", "stratum", "n", "value", "low", "high", "method", "doubts"),
    *("indicator", "source", "on"),
)


async def one_table(visit: Visit) -> Table:
    """Return a line for each question and for each stratum that may be shown."""
    found = await visit.desk.surveys.survey(visit.actor, visit.param("survey_id"))
    survey, rows = found.survey, []
    for result in (document(one) for one in found.results):
        said = (result["indicator"], survey.source, survey.ends)
        for part in ({**result, "id": ""}, *result["strata"]):
            ends = (part["value"], part["low"], part["high"])
            doubts = " ".join(result["doubts"])
            rows.append(
                (
                    *(survey.id, result["question"], part["id"], part["n"], *ends),
                    *(result["method"], doubts, *said),
                )
            )
    limits = visit.words(
        "survey.limits_are",
        least=survey.min_sample,
        widest=survey.widest,
        cell=survey.smallest_cell,
    )
    notes = [
        f"{visit.words('assess.source')}: {survey.source}",
        f"N = {survey.people or '–'} · {visit.words(f'survey.sampling.{survey.sampling}')}",
        f"{visit.words('survey.limits')}: {limits}",
        visit.words("survey.method_note"),
    ]
    return Table(f"survey-{survey.id}", visit.words.pick(survey.title), _RESULT, rows, notes)


async def all_json(visit: Visit) -> Response:
    found = await visit.desk.surveys.surveys(visit.actor)
    return as_json(
        [
            {
                "survey": one.survey.model_dump(mode="json"),
                "answers": one.answers,
                "published": one.is_published,
            }
            for one in found
        ]
    )


async def all_table(visit: Visit) -> Table:
    found = await visit.desk.surveys.surveys(visit.actor)
    header = ("id", "title", "place", "begins", "ends", "mode", "sampling", "answers", "published")
    rows = [
        (
            *(one.survey.id, visit.words.pick(one.survey.title), one.survey.place),
            *(one.survey.begins, one.survey.ends, one.survey.mode, one.survey.sampling),
            *(one.answers, "yes" if one.is_published else "no"),
        )
        for one in found
    ]
    return Table(
        "surveys", visit.words("survey.title"), header, rows, [visit.words("survey.about")]
    )


async def define(visit: Visit) -> Response:
    """Take in a survey that was pasted, and show it."""
    made = await visit.desk.surveys.define(visit.actor, visit.form.get("survey", ""))
    return visit.redirect(link("assessment", "surveys", made.id))


async def counts(visit: Visit) -> Response:
    """Take in counts that were filled in, and show what they say."""
    survey_id = visit.param("survey_id")
    found = await visit.desk.surveys.import_counts(
        visit.actor, survey_id, visit.form.get("table", "")
    )
    return await _one(visit, visit.words("survey.counted", n=found.answers))


async def publish(visit: Visit) -> Response:
    await visit.desk.surveys.publish(visit.actor, visit.param("survey_id"))
    return await _one(visit, visit.words("survey.now_published"))


_ONE = "/assessment/surveys/{survey_id}"
SCREENS = (
    Screen("/assessment/surveys", show, VITALS),
    Screen("/assessment/surveys.json", all_json, VITALS, quiet=True),
    twin("/assessment/surveys", all_table, "csv"),
    twin("/assessment/surveys", all_table, "xlsx"),
    Screen("/assessment/surveys/define", define, VITALS, methods=("POST",)),
    Screen(_ONE + "/data.json", one_json, VITALS, quiet=True),
    twin(_ONE + "/data", one_table, "csv"),
    twin(_ONE + "/data", one_table, "xlsx"),
    Screen(_ONE + "/counts", counts, VITALS, methods=("POST",)),
    Screen(_ONE + "/publish", publish, VITALS, methods=("POST",)),
    Screen(_ONE, one, VITALS),
)
