"""View models of the assessment: figures as lines, with definition, source and kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from chengmai.assess.figures import Figure, rounded
from chengmai.assess.gazetteer import CHINA
from chengmai.assess.groups import Frame, PlaceGroup, Tier
from chengmai.assess.problems import GroupsOverlap
from chengmai.assess.registry import Assessed
from chengmai.assess.statistics import Branch, Cell, Rank
from chengmai.assess.words import conclusions, top
from chengmai.web.cockpit.assess.cartogram import TileView, cartogram
from chengmai.web.cockpit.formats import NO_VALUE, Formats

RANKED = 10


@dataclass(frozen=True)
class FigureLine:
    id: str
    kind: str
    title: str
    value: str
    of: str
    definition: str
    source: str
    on: str
    because: str


@dataclass(frozen=True)
class CellLine:
    """A group, a sum of groups that share no place, or all; `note` says how it may be added."""

    group: str
    cells: tuple[tuple[str, str, str], ...]
    note: str = ""


@dataclass(frozen=True)
class Ranking:
    title: str
    tier: str
    lines: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True)
class Overview:
    """What the page of a data set shows; `topics` hold published figures that are about one thing."""

    data: str
    on: str
    before: str
    is_empty: bool
    sentences: tuple[str, ...]
    computed: tuple[FigureLine, ...]
    topics: tuple[tuple[FigureLine, ...], ...]
    tiers: tuple[str, ...]
    matrix: tuple[CellLine, ...]
    rankings: tuple[Ranking, ...]
    newly: tuple[str, ...]
    newly_count: int
    phases: tuple[tuple[str, str], ...]
    tiles: tuple[TileView, ...]
    left_out: tuple[tuple[str, str], ...]
    query: str
    known: str
    known_day: date | None
    country: str
    countries: tuple[tuple[str, str], ...]


def compared_groups(assessed: Assessed) -> list[PlaceGroup]:
    """Return the groups whose growth is compared."""
    return [group for group in assessed.statistics.frame.groups if group.is_compared]


def level_name(level: str, frame: Frame, formats: Formats) -> str:
    """Return what a level is called in a country."""
    words = formats.words
    return (
        words.pick(frame.levels[level]) if level in frame.levels else words(f"assess.level.{level}")
    )


def computed_figures(assessed: Assessed) -> list[Figure]:
    """Return the key figures that come from the registry; none from an empty one."""
    if assessed.statistics.source is None:
        return []
    found = assessed.statistics
    tiers = found.frame.tiers
    figures = [found.count(), found.growth()]
    figures += [found.count(tier) for tier in tiers]
    figures += found.coverages()
    for tier in tiers:
        if tier.is_compared:
            figures += [found.growth(tier, group) for group in compared_groups(assessed)]
            figures.append(found.share(tier))
    return figures


def overview(assessed: Assessed, formats: Formats) -> Overview:
    """Return everything the first page shows."""
    found, words = assessed.statistics, formats.words
    tiers = list(found.frame.tiers)
    groups = compared_groups(assessed)
    newly = found.newly()
    key = [one for one in computed_figures(assessed) if not _is_in_matrix(one)]
    ranks = found.provinces()
    return Overview(
        data=assessed.data,
        on=found.on.isoformat(),
        before=found.before.isoformat(),
        is_empty=assessed.is_empty and not assessed.registry.figures,
        sentences=tuple(words.pick(one) for one in conclusions(found, groups)),
        computed=tuple(figure_line(one, formats) for one in key),
        topics=topics(assessed.registry.figures, formats, assessed),
        tiers=tuple(words.pick(tier.title) for tier in tiers),
        matrix=tuple(_matrix(assessed, groups, formats)),
        rankings=tuple(_ranking(assessed, tier, formats) for tier in tiers if tier.is_compared),
        newly=tuple(words.pick(spot.name) for spot in newly[:RANKED]),
        newly_count=len(newly),
        phases=tuple(
            (words(f"assess.state.{state}"), formats.number(number))
            for state, number in found.phases().items()
        ),
        tiles=() if assessed.is_empty else cartogram(ranks, query_of(assessed), formats),
        left_out=tuple(
            (one.entity_id, words.pick(one.why)) for one in assessed.registry.left_out[:50]
        ),
        query=query_of(assessed),
        known=assessed.known.isoformat() if assessed.known else "",
        known_day=assessed.known,
        country=assessed.country,
        countries=countries_of(assessed, formats),
    )


def countries_of(assessed: Assessed, formats: Formats) -> tuple[tuple[str, str], ...]:
    """Return the countries to choose from, each with its name."""
    found = assessed.registry.countries()
    return tuple((code, formats.words.pick(title)) for code, title in found.items())


def query_of(assessed: Assessed) -> str:
    """Return the part of an address that names data set and days."""
    found = assessed.statistics
    more = "" if found.frame.country == CHINA else f"&country={found.frame.country}"
    if assessed.known is not None:
        more += f"&known={assessed.known}"
    return f"data={assessed.data}&on={found.on}&before={found.before}{more}"


def _is_in_matrix(figure: Figure) -> bool:
    return figure.id.startswith("growth.") and not figure.id.startswith("growth.all")


def figure_line(figure: Figure, formats: Formats) -> FigureLine:
    """Return a figure as it is printed."""
    words, source = formats.words, figure.source
    of = words.pick(figure.denominator_title) if figure.denominator_title else ""
    if figure.numerator is not None and of:
        of = f"{formats.number(figure.numerator)} · {of}"
    return FigureLine(
        id=figure.id,
        kind=figure.kind,
        title=words.pick(figure.title),
        value=written(figure, formats),
        of=of,
        definition=words.pick(figure.definition),
        source=f"{source.name} ({formats.day(source.dated)})" if source else "",
        on=formats.day(figure.on),
        because=words.pick(figure.because) if figure.because else "",
    )


def written(figure: Figure, formats: Formats) -> str:
    """Return the value with its unit, `≥` before a lower bound."""
    if figure.items:
        return " ".join(figure.items)
    if figure.value is None:
        return NO_VALUE
    if figure.unit == "yuan":
        text = formats.words("assess.hundred_million", n=formats.number(figure.value / 1e8))
    elif figure.unit == "%":
        text = formats.quantity(figure.whole, "%")
    else:
        text = formats.number(figure.value)
    return f"≥ {text}" if figure.is_at_least else text


def topics(
    figures: Sequence[Figure], formats: Formats, assessed: Assessed
) -> tuple[tuple[FigureLine, ...], ...]:
    """Return published figures: topics with several of them each, then all others; codes become names."""
    grouped: dict[str, list[FigureLine]] = {}
    for figure in figures:
        line = figure_line(figure, formats)
        if figure.items:
            spots = assessed.statistics.now.day.spots
            names = [formats.words.pick(spots[c].name) if c in spots else c for c in figure.items]
            between = "、" if formats.words.lang == "zh-CN" else ", "
            line = FigureLine(**{**vars(line), "value": between.join(names)})
        grouped.setdefault(figure.topic, []).append(line)
    several = [tuple(lines) for lines in grouped.values() if len(lines) > 1]
    alone = tuple(lines[0] for lines in grouped.values() if len(lines) == 1)
    return (*several, alone) if alone else tuple(several)


def _matrix(
    assessed: Assessed, groups: Sequence[PlaceGroup], formats: Formats
) -> Iterator[CellLine]:
    """Yield all, each partition with its sum, and the groups that may share places, which have none."""
    found, words = assessed.statistics, formats.words
    yield _cells(found.matrix([None], found.frame.tiers), words("assess.all"), formats)
    for partition in found.frame.partitions():
        for group in groups:
            if group.partition == partition:
                yield _group_cells(assessed, group, formats)
        try:
            cells = [found.summed(partition, tier) for tier in found.frame.tiers]
        except GroupsOverlap as problem:
            named = {"first": problem.facts["first"], "second": problem.facts["second"]}
            yield CellLine(words("assess.no_sum"), (), words("assess.groups_share", **named))
        else:
            yield _cells(cells, words("assess.sum_of_groups"), formats)
    for group in groups:
        if group.partition is None:
            yield _group_cells(assessed, group, formats, words("assess.overlapping"))


def _group_cells(
    assessed: Assessed, group: PlaceGroup, formats: Formats, note: str = ""
) -> CellLine:
    found = assessed.statistics
    cells = found.matrix([group], found.frame.tiers)
    return _cells(cells, formats.words.pick(group.title), formats, note)


def _cells(cells: Sequence[Cell], title: str, formats: Formats, note: str = "") -> CellLine:
    return CellLine(
        title,
        tuple(
            (
                formats.number(cell.now),
                formats.number(cell.before),
                NO_VALUE if cell.growth is None else formats.quantity(rounded(cell.growth), "%"),
            )
            for cell in cells
        ),
        note,
    )


def _ranking(assessed: Assessed, tier: Tier, formats: Formats) -> Ranking:
    ranks = top(assessed.statistics.provinces(tier), RANKED)
    return Ranking(
        formats.words.pick(tier.title), tier.id, tuple(rank_line(rank, formats) for rank in ranks)
    )


def rank_line(rank: Rank, formats: Formats) -> tuple[str, str, str, str]:
    """Return place (with `=` when shared), name, value and code."""
    place = f"{rank.place}{'=' if rank.tied else ''}"
    return place, formats.words.pick(rank.name), formats.number(rank.value), rank.code


@dataclass(frozen=True)
class BranchLine:
    code: str
    name: str
    level: str
    own: str
    total: str
    before: str
    places: str
    state: str


def branch_line(branch: Branch, frame: Frame, formats: Formats) -> BranchLine:
    """Return one line of the drill-down."""
    words = formats.words
    return BranchLine(
        branch.code,
        words.pick(branch.name),
        level_name(branch.level, frame, formats),
        formats.number(branch.own),
        formats.number(branch.total),
        formats.number(branch.before),
        formats.number(branch.places),
        words(f"assess.state.{branch.state}"),
    )
