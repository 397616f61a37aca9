"""Use cases on surveys: define one, count answers, publish what they say."""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chengmai.assess.model import IndicatorValue
from chengmai.assess.pointing import Pointing, unknown_indicator
from chengmai.assess.records import KINDS, cleared, to_entity, unknown_target
from chengmai.assess.shipped import shipped_gazetteer
from chengmai.assess.surveys.counts import read_counts, write_counts
from chengmai.assess.surveys.model import EVERYBODY, Survey, read_survey
from chengmai.assess.surveys.ports import Audit, SurveyStore
from chengmai.assess.surveys.problems import (
    AnsweredAlready,
    AnswerInvalid,
    SurveyAnswered,
    SurveyInvalid,
    SurveyNotRunning,
    SurveyOpen,
    SurveyRunning,
    SurveyUnknown,
    TooManyAnswers,
)
from chengmai.assess.surveys.published import RESULT_TYPE, result_entity
from chengmai.assess.surveys.results import QuestionResult, results
from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.ids import urn
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import entity, name_iri, opaque, prop, rel, value_of, words
from chengmai.ngsild.model import Model
from chengmai.trust.policy import allow

TYPE = "CitizenSurvey"
MOST_SURVEYS = 1000


@dataclass(frozen=True)
class Standing:
    """A survey with what is known of it today. While it is open to all no result is shown, only `answers`."""

    survey: Survey
    answers: int
    is_running: bool
    is_published: bool
    results: tuple[QuestionResult, ...]
    table: str
    """The counts as a table; empty while it is open to all, and of open surveys altogether."""


@dataclass(frozen=True)
class Parts:
    """What the room stands on. `secret` makes marks of who has answered; it is not in the store."""

    work: Work[Tx]
    model: Model
    store: SurveyStore
    audit: Audit
    clock: Clock
    zone: ZoneInfo
    secret: bytes
    values_came: Callable[[Actor], Awaitable[None]]
    """Called after a result has become a value of an indicator."""


class SurveyService:
    """Surveys of all tenants. Days are those of the city's zone."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._pace = _Pace()

    async def define(self, by: Actor, text: str) -> Survey:
        """Take in a survey as a JSON package; raises `SurveyInvalid` or `SurveyAnswered`.

        A survey of a known id is changed; once there are answers its questions stay.
        """
        allow(by, "assess.manage")
        survey = read_survey(text)

        def write(tx: Tx) -> Survey:
            self._check_place(tx, by.tenant, survey.place)
            self._check_indicators(tx, by.tenant, survey)
            before = self._find(tx, by.tenant, survey.id)
            counts = self._parts.store.counts(tx, by.tenant, survey.id)
            if before is not None and counts and not survey.asks_the_same(before):
                raise SurveyAnswered(survey.id)
            if before is None and len(self._all(tx, by.tenant)) >= MOST_SURVEYS:
                raise SurveyInvalid(
                    Text(
                        zh=f"已有 {MOST_SURVEYS} 个调查",
                        en=f"there are {MOST_SURVEYS} surveys already",
                    ),
                    "survey",
                )
            self._parts.model.put(tx, _survey_entity(survey), by=by, note="survey define")
            return survey

        return await self._parts.work.write(write)

    async def surveys(self, actor: Actor) -> list[Standing]:
        """Return all surveys, the newest first."""
        allow(actor, "assess.read")
        today = self.today()
        found = await self._parts.work.read(
            lambda tx: [
                self._standing(tx, actor.tenant, s, today) for s in self._all(tx, actor.tenant)
            ]
        )
        return sorted(found, key=lambda one: (one.survey.begins, one.survey.id), reverse=True)

    async def survey(self, actor: Actor, survey_id: str) -> Standing:
        """Return a survey with what is known of it; raises `SurveyUnknown`."""
        allow(actor, "assess.read")
        today = self.today()
        return await self._parts.work.read(
            lambda tx: self._standing(
                tx, actor.tenant, self._known(tx, actor.tenant, survey_id), today
            )
        )

    async def import_counts(self, by: Actor, survey_id: str, text: str) -> Standing:
        """Take in counts of answers in place of all before, and publish what they say.

        Raises `SurveyUnknown`, `SurveyOpen` or `CountsInvalid`.
        """
        allow(by, "assess.manage")
        today = self.today()

        def write(tx: Tx) -> Standing:
            survey = self._known(tx, by.tenant, survey_id)
            if survey.is_open:
                raise SurveyOpen(survey_id)
            counts = read_counts(survey, text)
            self._parts.store.replace(tx, by.tenant, survey_id, counts)
            detail = {"answers": sum(counts.values())}
            self._parts.audit.line(tx, by, "surveys.counts", urn(TYPE, survey_id), detail)
            self._publish(tx, by, survey)
            return self._standing(tx, by.tenant, survey, today)

        return await self._published(by, write)

    async def publish(self, by: Actor, survey_id: str) -> Standing:
        """Publish what the answers to an open survey say, and forget who answered.

        Raises `SurveyUnknown`, or `SurveyRunning` until the day after the last.
        """
        allow(by, "assess.manage")
        today = self.today()

        def write(tx: Tx) -> Standing:
            survey = self._known(tx, by.tenant, survey_id)
            if survey.is_open and today <= survey.ends:
                raise SurveyRunning(survey_id, survey.ends.isoformat())
            self._publish(tx, by, survey)
            self._parts.store.forget_marks(tx, by.tenant, survey_id)
            return self._standing(tx, by.tenant, survey, today)

        return await self._published(by, write)

    async def _published(self, by: Actor, write: Callable[[Tx], Standing]) -> Standing:
        standing = await self._parts.work.write(write)
        await self._parts.values_came(by)
        return standing

    async def open_surveys(self, actor: Actor) -> list[Survey]:
        """Return the surveys that anybody may answer today."""
        allow(actor, "surveys.answer")
        today = self.today()
        found = await self._parts.work.read(lambda tx: self._all(tx, actor.tenant))
        return [one for one in found if one.is_open and one.is_running(today)]

    async def to_answer(self, actor: Actor, survey_id: str) -> tuple[Survey, Standing | None]:
        """Return an open survey, with its result once that is published; raises `SurveyUnknown`."""
        allow(actor, "surveys.answer")
        today = self.today()

        def read(tx: Tx) -> tuple[Survey, Standing | None]:
            survey = self._known(tx, actor.tenant, survey_id)
            if not survey.is_open or today < survey.begins:
                raise SurveyUnknown(survey_id)
            standing = self._standing(tx, actor.tenant, survey, today)
            return survey, standing if standing.is_published else None

        return await self._parts.work.read(read)

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
        """Count one answer of `who`, of whom a keyed hash is kept until the result is published.

        Raises `TooManyAnswers`, `SurveyUnknown`, `SurveyNotRunning`, `AnswerInvalid` or `AnsweredAlready`.
        """
        allow(actor, "surveys.answer")
        self._pace.take(self._mark(actor.tenant, "address", address), self._parts.clock.now())
        today = self.today()

        def write(tx: Tx) -> None:
            survey = self._known(tx, actor.tenant, survey_id)
            if not survey.is_open:
                raise SurveyUnknown(survey_id)
            if not survey.is_running(today):
                raise SurveyNotRunning(survey_id)
            lives = _checked(survey, choices, stratum)
            if not self._parts.store.mark(
                tx, actor.tenant, survey_id, self._mark(actor.tenant, survey_id, who)
            ):
                raise AnsweredAlready
            self._parts.store.add(tx, actor.tenant, survey_id, lives, choices)
            self._parts.audit.line(tx, actor, "surveys.answer", urn(TYPE, survey_id), {})

        await self._parts.work.write(write)

    def today(self) -> date:
        """Return the present day of the city."""
        return self._parts.clock.now().astimezone(self._parts.zone).date()

    def _mark(self, tenant: str, survey: str, who: str) -> str:
        message = "\0".join((tenant, survey, who)).encode(errors="replace")
        return hmac.new(self._parts.secret, message, hashlib.sha256).hexdigest()

    def _standing(self, tx: Tx, tenant: str, survey: Survey, today: date) -> Standing:
        counts = self._parts.store.counts(tx, tenant, survey.id)
        first = survey.questions[0].id
        answers = sum(n for (_, question, _), n in counts.items() if question == first)
        is_hidden = survey.is_open and today <= survey.ends
        published = self._parts.model.get(tx, tenant, urn(RESULT_TYPE, survey.id))
        return Standing(
            survey,
            answers,
            survey.is_running(today),
            published is not None,
            () if is_hidden or not counts else results(survey, counts),
            "" if survey.is_open else write_counts(survey, counts),
        )

    def _publish(self, tx: Tx, by: Actor, survey: Survey) -> None:
        found = results(survey, self._parts.store.counts(tx, by.tenant, survey.id))
        made = result_entity(survey, found, tx.now)
        self._parts.model.put(tx, made, by=by, note="survey publish")
        for one in found:
            if one.question.indicator and one.estimate is not None:
                self._put_value(tx, by, survey, one)
            else:
                gone = urn(KINDS["values"].entity_type, _value_id(survey, one))
                self._parts.model.remove(tx, by.tenant, gone, by=by, note="survey publish")

    def _put_value(self, tx: Tx, by: Actor, survey: Survey, one: QuestionResult) -> None:
        kind, found = KINDS["values"], one.estimate
        assert found is not None
        assert one.question.indicator is not None
        value = IndicatorValue(
            id=_value_id(survey, one),
            place=survey.place,
            indicator=one.question.indicator,
            on=survey.ends,
            value=round(found.value, 4),
            sample=found.n,
            low=round(min(found.low, found.value), 4),
            high=round(max(found.high, found.value), 4),
            survey=survey.id,
            doubt=" ".join(one.doubts) or None,
            evidence=urn(RESULT_TYPE, survey.id),
            source=survey.source,
            source_date=survey.ends,
        )
        made = to_entity(kind, value)
        before = self._parts.model.get(tx, by.tenant, made["id"])
        if before is not None:
            for term, instance in cleared(kind, value, before).items():
                made[name_iri(term)] = [instance]
        self._parts.model.put(tx, made, by=by, note="survey publish")

    def _check_place(self, tx: Tx, tenant: str, place: str) -> None:
        own = self._parts.model.get(tx, tenant, urn("AdministrativeDivision", place))
        if own is None and place not in shipped_gazetteer():
            raise SurveyInvalid(unknown_target("place", place), "place")

    def _check_indicators(self, tx: Tx, tenant: str, survey: Survey) -> None:
        pointing = Pointing(self._parts.model, tx, tenant)
        for index, one in enumerate(survey.questions):
            if one.indicator is not None and not pointing.defines(one.indicator):
                raise SurveyInvalid(
                    unknown_indicator(one.indicator), f"questions.{index}.indicator"
                )

    def _known(self, tx: Tx, tenant: str, survey_id: str) -> Survey:
        found = self._find(tx, tenant, survey_id)
        if found is None:
            raise SurveyUnknown(survey_id)
        return found

    def _find(self, tx: Tx, tenant: str, survey_id: str) -> Survey | None:
        found = self._parts.model.get(tx, tenant, urn(TYPE, survey_id))
        return None if found is None else _survey_of(found)

    def _all(self, tx: Tx, tenant: str) -> list[Survey]:
        found = self._parts.model.find(tx, tenant, TYPE, limit=MOST_SURVEYS)
        made = (_survey_of(one) for one in found)
        return [one for one in made if one is not None]


def _value_id(survey: Survey, one: QuestionResult) -> str:
    return f"sv-{survey.id}-{one.question.id}"


def _survey_entity(survey: Survey) -> Any:
    return entity(
        urn(TYPE, survey.id),
        TYPE,
        surveyId=prop(survey.id),
        name=words(survey.title.as_language_map()),
        refPlace=rel(urn("AdministrativeDivision", survey.place)),
        begins=prop(survey.begins.isoformat()),
        ends=prop(survey.ends.isoformat()),
        mode=prop(survey.mode),
        sampling=prop(survey.sampling),
        isOpen=prop(survey.is_open),
        definition=opaque(survey.model_dump(mode="json")),
    )


def _survey_of(found: Any) -> Survey | None:
    """Return the survey that an entity is, or None: somebody else may have written it."""
    try:
        survey = Survey.model_validate(value_of(found, "definition"))
    except ValueError:
        return None
    return survey if found["id"] == urn(TYPE, survey.id) else None


def _checked(survey: Survey, choices: Mapping[str, str], stratum: str) -> str:
    """Return the stratum of an answer to every question; raises `AnswerInvalid`."""
    for question in survey.questions:
        if choices.get(question.id) not in {one.id for one in question.options}:
            raise AnswerInvalid(f"question {question.id} has no such answer", question.id)
    if unknown := set(choices) - {one.id for one in survey.questions}:
        raise AnswerInvalid(f"there is no question {min(unknown)}", "question")
    lives = stratum or EVERYBODY
    if lives not in survey.stratum_ids():
        raise AnswerInvalid("say where you live", "stratum")
    return lives


class _Pace:
    """Answers by address, in this process: an office may answer from one address, a machine may not."""

    MOST_ADDRESSES = 10_000
    MOST_ANSWERS = 30
    WINDOW = timedelta(minutes=10)

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def take(self, address: str, now: datetime) -> None:
        since, count = self._seen.pop(address, (now, 0))
        if now >= since + self.WINDOW:
            since, count = now, 0
        self._seen[address] = (since, count + 1)
        while len(self._seen) > self.MOST_ADDRESSES:
            self._seen.popitem(last=False)
        if count >= self.MOST_ANSWERS:
            raise TooManyAnswers(max(1, int((since + self.WINDOW - now).total_seconds())))
