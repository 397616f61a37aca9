"""Surveys behind the screens: one by telephone with a result, one that anybody may answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chengmai.assess.surveys.counts import read_counts, write_counts
from chengmai.assess.surveys.model import Survey, read_survey
from chengmai.assess.surveys.problems import AnswerInvalid, SurveyUnknown
from chengmai.assess.surveys.results import results
from chengmai.assess.surveys.service import Standing
from chengmai.kernel.actors import Actor
from tests.unit.assess.surveys import EAST, WEST, a_survey, counts

OPEN = {"is_open": True, "mode": "online", "sampling": "self_selected", "id": "open"}
DAYS = {"begins": "2026-01-01", "ends": "2030-12-31", "place": "330100"}


@dataclass
class FakeSurveys:
    """`hostile` is the title of the surveys and who asks; `answers` keeps what was answered."""

    hostile: str = ""
    empty: bool = False
    answers: list[Mapping[str, str]] = field(default_factory=list)

    def _made(self) -> Standing:
        said = {"source": self.hostile, "zh": self.hostile} if self.hostile else {}
        survey = read_survey(a_survey(strata=[EAST, WEST], population=None, **said))
        lines = [("east", "q1", "yes", 90), ("west", "q1", "no", 30), ("west", "q1", "na", 2)]
        known = {} if self.empty else read_counts(survey, counts(*lines))
        found = results(survey, known) if known else ()
        return Standing(survey, 122, False, bool(known), found, write_counts(survey, known))

    async def surveys(self, actor: Actor) -> list[Standing]:
        return [] if self.empty else [self._made()]

    async def survey(self, actor: Actor, survey_id: str) -> Standing:
        if survey_id != "exp2018":
            raise SurveyUnknown(survey_id)
        return self._made()

    async def define(self, by: Actor, text: str) -> Survey:
        return read_survey(text)

    async def import_counts(self, by: Actor, survey_id: str, text: str) -> Standing:
        return self._made()

    async def publish(self, by: Actor, survey_id: str) -> Standing:
        return self._made()

    async def open_surveys(self, actor: Actor) -> list[Survey]:
        return [] if self.empty else [(await self.to_answer(actor, "open"))[0]]

    async def to_answer(self, actor: Actor, survey_id: str) -> tuple[Survey, Standing | None]:
        if survey_id != "open":
            raise SurveyUnknown(survey_id)
        said = {"source": self.hostile, "zh": self.hostile} if self.hostile else {}
        strata = {"strata": [EAST, WEST], "population": None}
        return read_survey(a_survey(**(OPEN | DAYS | strata | said))), None

    async def answer(
        self,
        actor: Actor,
        survey_id: str,
        choices: Mapping[str, str],
        *,
        stratum: str = "",
        who: str,
        address: str,
    ) -> None:
        if not stratum:
            raise AnswerInvalid("say where you live", "stratum")
        self.answers.append({**choices, "stratum": stratum, "who": who})
