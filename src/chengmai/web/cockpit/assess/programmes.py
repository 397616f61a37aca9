"""Programmes as they are printed: plans with documents, money by payer, projects, results with evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from chengmai.assess.model import Investment, Plan, Programme, Project, Result
from chengmai.assess.money import Money, Said, said
from chengmai.assess.registry import Assessed
from chengmai.web.cockpit.formats import NO_VALUE, Formats

T = TypeVar("T", Plan, Said, Project, Result)


@dataclass(frozen=True)
class Told:
    """One thing that is known, with who says so; `link` where its document has an address."""

    title: str
    what: str
    source: str
    more: str = ""
    link: str = ""


@dataclass(frozen=True)
class ProgrammeLine:
    """A programme with all that is known of it on the day."""

    id: str
    title: str
    place: str
    code: str
    scheme: str
    state: str
    days: str
    source: str
    plans: tuple[Told, ...]
    money: tuple[Told, ...]
    projects: tuple[Told, ...]
    results: tuple[Told, ...]


@dataclass(frozen=True)
class MoneyLine:
    kind: str
    finance: str
    amount: str
    programmes: int
    source: str
    is_total: bool


@dataclass(frozen=True)
class RateLine:
    title: str
    value: str
    basis: str


@dataclass(frozen=True)
class MoneyView:
    lines: tuple[MoneyLine, ...]
    rates: tuple[RateLine, ...]
    disputed: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]
    """Programme, kind with payer, and each amount with its source."""


class Programmes:
    """What belongs to each programme of a data set, found once for a page."""

    def __init__(self, found: Assessed, formats: Formats) -> None:
        self._found, self._formats = found, formats
        registry, on = found.registry, found.statistics.on
        self._plans = _by_programme(one for one in registry.plans if one.adopted_on <= on)
        self._money = _by_programme(said(registry.investments, on))
        self._projects = _by_programme(one for one in registry.projects if one.begun_on <= on)
        self._results = _by_programme(one for one in registry.results if one.value_on <= on)

    def line(self, one: Programme) -> ProgrammeLine:
        """Return a programme as it is printed."""
        words, formats = self._formats.words, self._formats
        day = self._found.statistics.now.day
        code = day.standing_for(one.place) or one.place
        days = [one.planned_on, one.started_on, one.operating_on, one.stopped_on]
        return ProgrammeLine(
            id=one.id,
            title=one.title,
            place=words.pick(day.spots[code].name) if code in day.spots else code,
            code=code,
            scheme=one.scheme or "",
            state=words(f"assess.state.{one.state(self._found.statistics.on)}"),
            days=" → ".join(formats.day(day) for day in days if day is not None),
            source=self._source(one.source, one.source_date),
            plans=tuple(self._plan(plan) for plan in self._plans[one.id]),
            money=tuple(self._amount(amount) for amount in self._money[one.id]),
            projects=tuple(self._project(project) for project in self._projects[one.id]),
            results=tuple(self._result(result) for result in self._results[one.id]),
        )

    def _plan(self, one: Plan) -> Told:
        link = one.document if one.document.startswith(("https://", "http://")) else ""
        adopted = self._formats.words("assess.adopted", day=self._formats.day(one.adopted_on))
        source = self._source(one.source, one.source_date)
        return Told(one.title, one.document, source, adopted, link)

    def _amount(self, one: Said) -> Told:
        title = f"{kind_of(one, self._formats)} · {payer_of(one.finance, self._formats)}"
        amount = amount_of(one.yuan, self._formats)
        return Told(title, amount, self._source(one.source, one.source_date))

    def _project(self, one: Project) -> Told:
        words, formats = self._formats.words, self._formats
        until = formats.day(one.finished_on) if one.finished_on else words("assess.goes_on")
        source = self._source(one.source, one.source_date)
        domain = words(f"assess.domain.{one.domain}")
        return Told(one.title, f"{formats.day(one.begun_on)} – {until}", source, domain)

    def _result(self, one: Result) -> Told:
        words, formats = self._formats.words, self._formats
        now = f"{number(one.value, formats)} {one.unit} ({formats.day(one.value_on)})"
        was = words("assess.no_baseline")
        if one.baseline is not None and one.baseline_on is not None:
            was = f"{number(one.baseline, formats)} {one.unit} ({formats.day(one.baseline_on)})"
        verdict = words(f"assess.verdict.{one.verdict}")
        domain = words(f"assess.domain.{one.domain}")
        evidence = words("assess.evidence_is", evidence=one.evidence)
        source = self._source(one.source, one.source_date)
        return Told(f"{one.title} · {domain}", f"{was} → {now}: {verdict}", source, evidence)

    def _source(self, source: str, dated: date) -> str:
        return f"{source} ({self._formats.day(dated)})"


def _by_programme(records: Iterable[T]) -> Mapping[str, list[T]]:
    found: dict[str, list[T]] = defaultdict(list)
    for one in records:
        found[one.programme].append(one)
    return found


def number(value: float, formats: Formats) -> str:
    """Return a number with at most two decimals, none where they are nought."""
    return formats.number(value, 0 if value == round(value) else 2)


def amount_of(yuan: Decimal, formats: Formats) -> str:
    """Return an amount in 万元, whatever unit it came in."""
    return formats.words("assess.ten_thousand", n=formats.number(float(yuan / 10_000), 2))


def kind_of(one: Said, formats: Formats) -> str:
    """Return whether money is planned, arrived or spent."""
    return formats.words(f"assess.money.{one.kind}")


def payer_of(finance: str | None, formats: Formats) -> str:
    """Return who pays; all together for None."""
    return formats.words(f"assess.finance.{finance or 'all'}")


def money_view(money: Money, titles: Mapping[str, str], formats: Formats) -> MoneyView:
    """Return the money of all programmes; `titles` are the names of programmes by id."""
    words = formats.words
    return MoneyView(
        tuple(
            MoneyLine(
                words(f"assess.money.{one.kind}"),
                payer_of(one.finance, formats),
                amount_of(one.yuan, formats),
                one.programmes,
                f"{_some(one.sources)} ({formats.day(one.newest)})",
                one.finance is None,
            )
            for one in money.lines
        ),
        tuple(
            RateLine(
                words(f"assess.rate.{one.kind}"),
                NO_VALUE if one.percent is None else f"{formats.number(float(one.percent), 1)}%",
                words(
                    "assess.rate_basis",
                    part=amount_of(one.part, formats),
                    whole=amount_of(one.whole, formats),
                    n=one.programmes,
                ),
            )
            for one in money.rates
        ),
        tuple(
            (
                titles.get(parts[0].programme, parts[0].programme),
                f"{kind_of(parts[0], formats)} · {payer_of(parts[0].finance, formats)}",
                tuple(
                    (amount_of(one.yuan, formats), f"{one.source} ({formats.day(one.source_date)})")
                    for one in parts
                ),
            )
            for parts in money.disputed
        ),
    )


def money_rows(investments: Iterable[Investment], on: date) -> list[tuple[object, ...]]:
    """Return what each source says of each programme as rows of a table, in yuan."""
    return [
        (one.programme, one.kind, one.finance, one.yuan, one.source, one.source_date, " ".join(one.records))
        for one in said(investments, on)
    ]  # fmt: skip


def _some(names: Sequence[str], most: int = 3) -> str:
    more = f" +{len(names) - most}" if len(names) > most else ""
    return "; ".join(names[:most]) + more
