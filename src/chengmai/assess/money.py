"""Money of programmes: planned, arrived and spent, by who pays. Pure; the day is an argument.

Amounts of one programme, kind and payer are added where one source gives them. Where two sources give
different sums both stay side by side, and neither goes into a total; where they agree the sum counts once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, get_args

from chengmai.assess.model import Investment

Kind = Literal["planned", "arrived", "spent"]
Finance = Literal["public", "enterprise", "bank", "bond", "other"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FINANCES: tuple[Finance, ...] = get_args(Finance)
_COMPARED: tuple[tuple[Kind, Kind], ...] = (("arrived", "planned"), ("spent", "arrived"))
_NOTHING = Decimal(0)


@dataclass(frozen=True)
class Said:
    """What one source says of a programme: an amount of one kind from one payer, until a day."""

    programme: str
    kind: Kind
    finance: Finance
    yuan: Decimal
    source: str
    source_date: date
    records: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """A sum over programmes of what is known of one kind; `finance` is None for all payers together."""

    kind: Kind
    finance: Finance | None
    yuan: Decimal
    programmes: int
    sources: tuple[str, ...]
    newest: date


@dataclass(frozen=True)
class Rate:
    """How much of one kind another kind is, over the programmes of which both are known without dispute."""

    kind: Kind
    of: Kind
    part: Decimal
    whole: Decimal
    programmes: int

    @property
    def percent(self) -> Decimal | None:
        """None of nothing. It may be more than 100: who spends more than was planned."""
        return None if self.whole == 0 else self.part / self.whole * 100


@dataclass(frozen=True)
class Money:
    """What is known of the money on a day."""

    lines: tuple[Line, ...]
    rates: tuple[Rate, ...]
    disputed: tuple[tuple[Said, ...], ...]
    """Amounts of one programme, kind and payer on which sources differ, beside each other."""


def money_of(investments: Iterable[Investment], on: date) -> Money:
    """Return the money of programmes until a day."""
    agreed, disputed = _settled(said(investments, on))
    return Money(tuple(_lines(agreed)), tuple(_rates(agreed, disputed)), tuple(disputed))


def said(investments: Iterable[Investment], on: date) -> list[Said]:
    """Return what each source says, amounts of one source added; nothing of after the day."""
    found: dict[tuple[str, Kind, Finance, str], list[Investment]] = defaultdict(list)
    for one in investments:
        if one.on <= on:
            found[one.programme, one.kind, one.finance, one.source].append(one)
    return [
        Said(
            programme,
            kind,
            finance,
            sum((one.yuan for one in parts), _NOTHING),
            source,
            max(one.source_date for one in parts),
            tuple(sorted(one.id for one in parts)),
        )
        for (programme, kind, finance, source), parts in sorted(found.items())
    ]


def _settled(all_said: Sequence[Said]) -> tuple[list[Said], list[tuple[Said, ...]]]:
    """Return what counts, and what is disputed."""
    together: dict[tuple[str, Kind, Finance], list[Said]] = defaultdict(list)
    for one in all_said:
        together[one.programme, one.kind, one.finance].append(one)
    agreed: list[Said] = []
    disputed: list[tuple[Said, ...]] = []
    for parts in together.values():
        if len({one.yuan for one in parts}) == 1:
            agreed.append(max(parts, key=lambda one: (one.source_date, one.source)))
        else:
            disputed.append(tuple(parts))
    return agreed, disputed


def _lines(agreed: Sequence[Said]) -> Iterable[Line]:
    for kind in KINDS:
        of_kind = [one for one in agreed if one.kind == kind]
        payers = {one.finance for one in of_kind}
        for finance in (one for one in FINANCES if one in payers):
            yield _line(kind, finance, [one for one in of_kind if one.finance == finance])
        if of_kind:
            yield _line(kind, None, of_kind)


def _line(kind: Kind, finance: Finance | None, parts: Sequence[Said]) -> Line:
    return Line(
        kind,
        finance,
        sum((one.yuan for one in parts), _NOTHING),
        len({one.programme for one in parts}),
        tuple(sorted({one.source for one in parts})),
        max(one.source_date for one in parts),
    )


def _rates(agreed: Sequence[Said], disputed: Sequence[Sequence[Said]]) -> Iterable[Rate]:
    sums: dict[Kind, dict[str, Decimal]] = {kind: defaultdict(Decimal) for kind in KINDS}
    for one in agreed:
        sums[one.kind][one.programme] += one.yuan
    doubted = {(parts[0].programme, parts[0].kind) for parts in disputed}
    for kind, of in _COMPARED:
        rate = _rate(kind, of, sums, doubted)
        if rate.programmes:
            yield rate


def _rate(
    kind: Kind,
    of: Kind,
    sums: Mapping[Kind, Mapping[str, Decimal]],
    doubted: set[tuple[str, Kind]],
) -> Rate:
    both = [
        one
        for one in sums[kind]
        if one in sums[of] and (one, kind) not in doubted and (one, of) not in doubted
    ]
    part, whole = (sum((sums[k][one] for one in both), _NOTHING) for k in (kind, of))
    return Rate(kind, of, part, whole, len(both))
