"""The result of a survey as an entity: what may be shown to everybody, with how it was worked out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chengmai.assess.surveys.estimates import Estimate
from chengmai.assess.surveys.model import Survey
from chengmai.assess.surveys.results import QuestionResult
from chengmai.kernel.ids import urn
from chengmai.ngsild.entity import Entity, entity, opaque, prop, rel, words

RESULT_TYPE = "SurveyResult"


def result_entity(survey: Survey, found: Sequence[QuestionResult], at: datetime) -> Entity:
    """Return the entity of a result; earlier results stay in its history."""
    return entity(
        urn(RESULT_TYPE, survey.id),
        RESULT_TYPE,
        surveyId=prop(survey.id),
        refSurvey=rel(urn("CitizenSurvey", survey.id)),
        refPlace=rel(urn("AdministrativeDivision", survey.place)),
        name=words(survey.title.as_language_map()),
        source=prop(survey.source),
        results=opaque([document(one) for one in found], at=at),
    )


def document(one: QuestionResult) -> dict[str, Any]:
    """Return the result of a question as JSON; hidden strata say only that they are."""
    return {
        "question": one.question.id,
        "indicator": one.question.indicator,
        "n": one.n if one.estimate is not None else None,
        "unsure": one.unsure if one.estimate is not None else None,
        **_numbers(one.estimate),
        "method": one.estimate.method if one.estimate else None,
        "population": one.estimate.population if one.estimate else None,
        "doubts": list(one.doubts),
        "given": dict(one.given),
        "strata": [
            {"id": part.stratum.id, "n": part.n, "hidden": part.n is None} | _numbers(part.estimate)
            for part in one.strata
        ],
    }


def _numbers(found: Estimate | None) -> dict[str, float | None]:
    if found is None:
        return {"value": None, "low": None, "high": None}
    return {
        "value": round(found.value, 4),
        "low": round(found.low, 4),
        "high": round(found.high, 4),
    }
