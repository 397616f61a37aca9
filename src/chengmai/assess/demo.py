"""What a demo city is furnished with: an invented registry, values of cities, and a survey of citizens.

Everything lies in a country of its own (`XA`, a code that ISO 3166-1 leaves to its users) and names its source
as made up, so that none of it stands among real places.
"""

from __future__ import annotations

import re
from datetime import date
from importlib import resources

from chengmai.assess.service import SHEETS, AssessService
from chengmai.assess.surveys.service import SurveyService
from chengmai.kernel.actors import Actor

PLACE = "XA.maicheng"
"""The demo city among the invented places."""
SURVEY = "experience"
TABLES = ("programmes", "plans", "investments", "projects", "results", "checks", SHEETS)
_DATA = resources.files("chengmai.assess") / "data" / "demo"
_WRITTEN = date(2026, 7, 1)
"""What was invented ends the day before."""
_DAY = re.compile(r"\b(20\d\d)(-\d\d-\d\d)\b")


async def furnish(assess: AssessService, surveys: SurveyService, by: Actor) -> bool:
    """Give a city whose registry is empty an invented one; return whether it was.

    Days move on by whole years, so that the newest records are never older than a year and a half.
    """
    if (await assess.registry(by)).programmes:
        return False
    years = years_since(assess.today())
    await assess.import_table(by, "places", _text("places.csv", 0))
    await assess.take_in_country(by, _text("country.json", 0))
    for kind in TABLES:
        await assess.import_table(by, kind, _text(f"{kind}.csv", years))
    await surveys.define(by, _text("survey.json", years))
    await surveys.import_counts(by, SURVEY, _text("counts.csv", 0))
    return True


def years_since(today: date) -> int:
    """Return by how many years the invented days move on."""
    passed = today.year - _WRITTEN.year
    return max(0, passed - (today < _WRITTEN.replace(year=today.year)))


def moved_on(text: str, years: int) -> str:
    """Return a text whose days are so many years later."""
    return _DAY.sub(lambda found: f"{int(found[1]) + years}{found[2]}", text)


def _text(name: str, years: int) -> str:
    return moved_on((_DATA / name).read_text("utf-8"), years)
