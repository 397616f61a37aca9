"""Which items of frameworks answer to each other, as a table: one framework against all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from chengmai.assess.catalogue import catalogue
from chengmai.assess.frameworks.crosswalk import INDICATORS, Line, crosswalk
from chengmai.assess.frameworks.model import Framework
from chengmai.assess.problems import FrameworkUnknown
from chengmai.kernel.texts import Text
from chengmai.web.cockpit.access import VITALS
from chengmai.web.cockpit.assess.exports import twin
from chengmai.web.cockpit.assess.score_lines import Answer, answer
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.tables import Table
from chengmai.web.cockpit.twins import as_json
from chengmai.web.cockpit.visit import Visit


@dataclass(frozen=True)
class CrossLine:
    """An item with what answers to it in each of the other frameworks, in the order of the columns."""

    id: str
    title: str
    is_group: bool
    indicator: str
    cells: tuple[tuple[Answer, ...], ...]


async def show(visit: Visit) -> Response:
    base, frameworks, lines = await _read(visit)
    others = [one for one in frameworks if one.id != base]
    wanted = visit.asked("q", at_most=60).casefold()
    found = [line for line in _lines(lines, others, visit) if _fits(line, wanted)]
    answered = [line for line in found if any(line.cells)]
    show_all = visit.asked("all") == "yes"
    bases = [(one.id, visit.words.pick(one.title)) for one in frameworks]
    return visit.page(
        "assess/crosswalk.html",
        base=base,
        bases=[*bases, (INDICATORS, visit.words("assess.indicators"))],
        columns=[(one.id, visit.words.pick(one.title)) for one in others],
        lines=found if show_all else answered,
        answered=len(answered),
        all=len(found),
        show_all=show_all,
        q=visit.asked("q", at_most=60),
    )


async def data_json(visit: Visit) -> Response:
    """Answer the items of a framework with what answers to each."""
    base, _, lines = await _read(visit)
    return as_json(
        {
            "framework": base,
            "items": [
                {
                    "id": line.id,
                    "title": _title(line),
                    "indicator": line.indicator.id if line.indicator else None,
                    "answers": [
                        {
                            "framework": link.framework,
                            "id": link.node.id,
                            "title": link.node.title,
                            "how": link.how,
                            "by": link.by,
                            "trust": link.trust,
                        }
                        for links in line.links.values()
                        for link in links
                    ],
                }
                for line in lines
            ],
        }
    )


HEADER = (
    *("framework", "id", "title", "indicator", "other_framework", "other_id", "other_title"),
    *("how", "by", "trust"),
)


async def table(visit: Visit) -> Table:
    """Return one line for each pair of items that answer to each other."""
    base, frameworks, lines = await _read(visit)
    rows = [
        (
            *(base, line.id, visit.words.pick(_title(line))),
            *(line.indicator.id if line.indicator else "", link.framework, link.node.id),
            *(visit.words.pick(link.node.title), link.how, link.by, link.trust),
        )
        for line in lines
        for links in line.links.values()
        for link in links
    ]
    sources = [f"{visit.words.pick(one.title)}: {one.source}" for one in frameworks]
    notes = [visit.words("assess.crosswalk.note"), *sources]
    return Table("crosswalk", visit.words("assess.crosswalk"), HEADER, rows, notes)


async def _read(visit: Visit) -> tuple[str, list[Framework], list[Line]]:
    frameworks = await visit.desk.frameworks.frameworks(visit.actor)
    known = [*(one.id for one in frameworks), INDICATORS]
    usual = next((one for one in frameworks if one.has_weights), frameworks[0])
    base = visit.asked("framework", at_most=40) or usual.id
    if base not in known:
        raise FrameworkUnknown(base, known)
    return base, frameworks, crosswalk(base, frameworks, catalogue())


def _title(line: Line) -> Text:
    if line.node is not None:
        return line.node.title
    name = line.indicator.name if line.indicator else line.id
    return Text(zh=name, en=name)


def _lines(lines: Sequence[Line], others: Sequence[Framework], visit: Visit) -> list[CrossLine]:
    titles = {one.id: visit.words.pick(one.title) for one in others}
    return [
        CrossLine(
            line.id,
            visit.words.pick(_title(line)),
            line.node is not None and bool(line.node.children),
            line.indicator.id if line.indicator else "",
            tuple(
                tuple(answer(link, titles, visit.formats) for link in line.links.get(other.id, ()))
                for other in others
            ),
        )
        for line in lines
    ]


def _fits(line: CrossLine, wanted: str) -> bool:
    return not wanted or any(
        wanted in text.casefold() for text in (line.id, line.title, line.indicator)
    )


SCREENS = (
    Screen("/assessment/crosswalk", show, VITALS),
    Screen("/assessment/crosswalk.json", data_json, VITALS, quiet=True),
    twin("/assessment/crosswalk", table, "csv"),
    twin("/assessment/crosswalk", table, "xlsx"),
)
