"""Asking sources for evolutions: the window they are told, and the pages over time that they answer with."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.gathering import PAGE, Gatherer
from chengmai.broker.distribution.narrowing import Filters, Question, attributes_told
from chengmai.broker.distribution.ports import Reply
from chengmai.broker.registry.matching import Match
from chengmai.broker.temporal import MOST_INSTANCES, TemporalAsk
from chengmai.kernel.instants import parse_us
from chengmai.kernel.problems import Problem
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.evolution import Cut, Evolution, Series
from chengmai.ngsild.temporal import TemporalQuery, window_text

MOST_EVOLUTIONS = 1000
"""How many evolutions of one source go into one answer; a warning says when there were more."""
_MOST_ROUNDS = 100
_WHOLE_S = 20.0
_RANGE = re.compile(r"date-time\s+(\S+?Z)-(\S+?Z)/\S+")
_EVER = {"timerel": "after", "timeAt": "1970-01-01T00:00:00Z"}


@dataclass
class Told:
    """An evolution as one holder tells it; `cut` when it told only what lies in a page over time."""

    head: Entity
    series: Series
    cut: Cut | None = None


class PastSources:
    """Asks sources for evolutions."""

    def __init__(self, gatherer: Gatherer) -> None:
        self._gatherer = gatherer

    async def ask(
        self,
        asked: Asked,
        matches: Sequence[Match],
        ask: TemporalAsk,
        filters: Filters,
        questions: Callable[[Match], list[Question]],
    ) -> dict[str, list[tuple[Match, Told]]]:
        """Return what sources tell, by the id of the entity."""
        answers = await asyncio.gather(
            *(self._of_one(asked, one, questions(one), ask, filters) for one in matches)
        )
        made: dict[str, list[tuple[Match, Told]]] = {}
        for match, found in zip(matches, answers, strict=True):
            for entity_id, told in found.items():
                if (kept := _contributed(match, told, ask)) is not None:
                    made.setdefault(entity_id, []).append((match, kept))
        return made

    async def _of_one(
        self,
        asked: Asked,
        match: Match,
        questions: Sequence[Question],
        ask: TemporalAsk,
        filters: Filters,
    ) -> dict[str, Told]:
        found: dict[str, Told] = {}
        try:
            async with asyncio.timeout(_WHOLE_S):
                for question in questions:
                    await self._pages(asked, match, question, ask, filters, found)
        except TimeoutError:
            asked.warn(199, match.registration.id, f"it took more than {_WHOLE_S:g} s")
        return found

    async def _pages(
        self,
        asked: Asked,
        match: Match,
        question: Question,
        ask: TemporalAsk,
        filters: Filters,
        found: dict[str, Told],
    ) -> None:
        offset = 0
        while True:
            paging = {"limit": str(PAGE)} | ({"offset": str(offset)} if offset else {})
            more = paging if question.pages else {}
            page = await self._over_time(asked, match, question, ask, filters, more)
            new = {one: told for one, told in page.items() if one not in found}
            found |= new
            if not question.pages or not new or len(page) < PAGE:
                return
            if len(found) >= MOST_EVOLUTIONS:
                asked.warn(199, match.registration.id, f"only {len(found)} of its entities count")
                return
            offset += PAGE

    async def _over_time(
        self,
        asked: Asked,
        match: Match,
        question: Question,
        ask: TemporalAsk,
        filters: Filters,
        more: dict[str, str],
    ) -> dict[str, Told]:
        """Return a page of evolutions; where all instances are needed, page after page over time."""
        found: dict[str, Told] = {}
        window: TemporalQuery = ask.window
        for _ in range(_MOST_ROUNDS):
            parameters = _window(window, ask, filters, question) | more
            answered = await self._gatherer.reply(asked, match, question, parameters)
            if answered is None:
                return found
            forward, reply = answered
            cut = await self._read(asked, match, reply, forward.context, found)
            if cut is None or ask.page is not None or window.last_n is not None:
                return _cut_at(found, cut)
            # Aggregates need every instance: go on where the page ended.
            window = _from(window, cut.end_us + 1)
            if sum(len(s) for t in found.values() for s in t.series.values()) > MOST_INSTANCES:
                break
        asked.warn(199, match.registration.id, "only a part of its instances counts")
        return found

    async def _read(
        self,
        asked: Asked,
        match: Match,
        reply: Reply,
        context: Context,
        found: dict[str, Told],
    ) -> Cut | None:
        try:
            told = await self._gatherer.reader.evolutions(reply.document, context)
            cut = _range(reply)
        except Problem as problem:
            asked.warn(111, match.registration.id, problem.detail)
            return None
        for one in told:
            _add(found, one)
        return cut


def _add(found: dict[str, Told], one: Evolution) -> None:
    its = found.setdefault(one.head["id"], Told(one.head, {}))
    for name, instance in one.instances:
        its.series.setdefault(name, []).append(instance)


def _cut_at(found: dict[str, Told], cut: Cut | None) -> dict[str, Told]:
    for told in found.values():
        told.cut = cut
    return found


def _range(reply: Reply) -> Cut | None:
    match = _RANGE.match(reply.headers.get("content-range", "")) if reply.status == 206 else None
    if match is None:
        return None
    return Cut(parse_us(match.group(1)), parse_us(match.group(2)), None)


def _from(window: TemporalQuery, start_us: int) -> TemporalQuery:
    timerel = "after" if window.end_us is None else "between"
    return replace(window, timerel=timerel, start_us=start_us)


def _window(
    window: TemporalQuery, ask: TemporalAsk, filters: Filters, question: Question
) -> dict[str, str]:
    start, end = window_text(window)
    made = {"options": "sysAttrs"}
    if window.timerel is not None:
        first = end if window.timerel == "before" else start
        made |= {"timerel": window.timerel, "timeAt": first or ""}
        if window.timerel == "between":
            made["endTimeAt"] = end or ""
    elif question.pages:
        made |= _EVER  # a query must name a window
    if window.timeproperty != "observedAt":
        made["timeproperty"] = window.timeproperty
    if window.last_n is not None:
        made["lastN"] = str(window.last_n)
    if ask.datasets is not None:
        made["datasetId"] = ",".join(sorted(ask.datasets))
    return made | ({} if filters.scope_q is None else {"scopeQ": filters.scope_q})


def _contributed(match: Match, told: Told, ask: TemporalAsk) -> Told | None:
    allowed = attributes_told(match, told.head)
    kept = {
        name: found
        for name, found in told.series.items()
        if (allowed is None or name == "scope" or name in allowed)
        and (ask.attributes is None or name in ask.attributes)
    }
    return Told(told.head, kept, told.cut) if any(kept.values()) else None
