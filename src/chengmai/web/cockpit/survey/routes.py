"""Surveys for everybody: nobody signs in, nothing of a person is kept but a mark that they have answered."""

from __future__ import annotations

from starlette.responses import Response

from chengmai.kernel.problems import NotFound, Problem
from chengmai.web.cockpit.assess.survey_lines import question_views
from chengmai.web.cockpit.errors import describe
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.visit import Visit, link


async def show(visit: Visit) -> Response:
    found = await visit.desk.surveys.open_surveys(visit.desk.passer_by())
    lines = [
        (
            link("survey", one.id),
            visit.words.pick(one.title),
            one.source,
            visit.formats.day(one.ends),
        )
        for one in found
    ]
    return visit.page("survey/list.html", surveys=lines)


async def one(visit: Visit) -> Response:
    return await _one(visit)


async def _one(visit: Visit, wrong: Problem | None = None) -> Response:
    survey, result = await visit.desk.surveys.to_answer(
        visit.desk.passer_by(), visit.param("survey_id")
    )
    said = describe(wrong, visit.words) if wrong is not None else None
    today = visit.formats.local(visit.formats.now).date()
    return visit.page(
        "survey/page.html",
        said.status if said else 200,
        survey=survey,
        title=visit.words.pick(survey.title),
        ends=visit.formats.day(survey.ends),
        is_running=survey.is_running(today),
        is_done=visit.asked("done") == "1",
        questions=question_views(result.results, visit.formats) if result else [],
        wrong=said,
        chosen={**visit.form},
        missing=str(wrong.param or "") if wrong is not None else "",
    )


async def answer(visit: Visit) -> Response:
    """Count one answer; what was chosen comes back where something is missing."""
    survey_id, form = visit.param("survey_id"), visit.form
    peer = visit.request.client
    try:
        await visit.desk.surveys.answer(
            visit.desk.passer_by(),
            survey_id,
            {name[2:]: value for name, value in form.items() if name.startswith("q.")},
            stratum=form.get("stratum", ""),
            who=visit.viewer.id if visit.viewer else f"browser {visit.browser}",
            address=peer.host if peer else "",
        )
    except NotFound:
        raise
    except Problem as problem:
        return await _one(visit, problem)
    return visit.redirect(link("survey", survey_id) + "?done=1")


SCREENS = (
    Screen("/survey", show, None),
    Screen("/survey/{survey_id}", one, None),
    Screen("/survey/{survey_id}", answer, None, methods=("POST",)),
)
