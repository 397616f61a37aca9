"""`chengmai assess`: what places build, how fast, and who says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel

from chengmai.app import City
from chengmai.assess.frameworks.model import Framework
from chengmai.assess.frameworks.service import Board
from chengmai.assess.live.model import Live
from chengmai.assess.model import Place
from chengmai.assess.registry import Assessed, Registry
from chengmai.assess.service import SHEETS, Taken
from chengmai.assess.statistics import Statistics
from chengmai.assess.words import conclusions
from chengmai.cli import surveys
from chengmai.cli.files import text_of, unreadable
from chengmai.cli.open import DataOption, JsonOption, operator, run_in
from chengmai.cli.outlook import outlook
from chengmai.cli.output import print_json, print_table, progress

app = typer.Typer(help="What places build, how fast, and who says so.", no_args_is_help=True)
app.command()(outlook)
app.add_typer(surveys.app, name="survey")
ExampleOption = Annotated[
    bool, typer.Option("--example", help="The example data set, not the city's.")
]
OnOption = Annotated[datetime | None, typer.Option(help="As of this day.", formats=["%Y-%m-%d"])]
BeforeOption = Annotated[
    datetime | None,
    typer.Option(help="Compared with this day; else a year before.", formats=["%Y-%m-%d"]),
]
CountryOption = Annotated[
    str | None, typer.Option(help="Of this country, in two letters of ISO 3166-1.")
]
KnownOption = Annotated[
    datetime | None,
    typer.Option(
        help="What was known at the end of this day; else what is known now.", formats=["%Y-%m-%d"]
    ),
]


@app.command()
def figures(
    data: DataOption = None,
    example: ExampleOption = False,
    on: OnOption = None,
    before: BeforeOption = None,
    country: CountryOption = None,
    known: KnownOption = None,
    json: JsonOption = False,
) -> None:
    """Print the key figures, computed and published, each with denominator and source."""
    found = _assessed(data, example, on, before, country=country, known=known)
    statistics = found.statistics
    computed = [] if found.is_empty else _computed(statistics)
    listed = [*computed, *found.registry.figures]
    if json:
        print_json([_document(one) for one in listed])
        return
    rows = [
        (
            one.kind,
            one.title.en,
            " ".join(one.items) or ("–" if one.value is None else f"{one.value:g} {one.unit}"),
            one.denominator_title.en if one.denominator_title else "",
            f"{one.source.name} ({one.source.dated})" if one.source else "",
        )
        for one in listed
    ]
    if not rows:
        typer.echo(
            "Nothing is registered yet: import records, or look at the example with --example."
        )
        return
    print_table(("kind", "figure", "value", "of", "source"), rows)
    for sentence in conclusions(statistics, statistics.frame.groups):
        typer.echo(sentence.en)


@app.command()
def ranking(
    data: DataOption = None,
    example: ExampleOption = False,
    tier: Annotated[str | None, typer.Option(help="Count places of this tier only.")] = None,
    on: OnOption = None,
    country: CountryOption = None,
    known: KnownOption = None,
    json: JsonOption = False,
) -> None:
    """Rank the topmost places, such as provinces, by how many places build; equal ones share a place."""
    statistics = _assessed(data, example, on, None, country=country, known=known).statistics
    ranks = statistics.provinces(statistics.tier(tier) if tier else None)
    if json:
        print_json([{**vars(r), "name": r.name.as_language_map()} for r in ranks])
        return
    rows = [(f"{r.place}{'=' if r.tied else ''}", r.code, r.name.zh, f"{r.value:g}") for r in ranks]
    print_table(("place", "code", "name", "number"), rows)


@app.command()
def places(
    code: Annotated[str | None, typer.Argument(help="Below this place; else the topmost.")] = None,
    data: DataOption = None,
    example: ExampleOption = False,
    on: OnOption = None,
    country: CountryOption = None,
    known: KnownOption = None,
    json: JsonOption = False,
) -> None:
    """List the places below a place with totals that add up."""
    statistics = _assessed(
        data, example, on, None, country=country, place=code, known=known
    ).statistics
    branches = statistics.branches(code)
    if json:
        print_json([{**vars(b), "name": b.name.as_language_map()} for b in branches])
        return
    rows = [(b.code, b.name.zh, b.level, b.state, b.own, b.total, b.before) for b in branches]
    print_table(("code", "name", "level", "state", "own", "total", "before"), rows)


@app.command("import")
def import_(
    kind: Annotated[
        str,
        typer.Argument(
            help="places, programmes, plans, investments, projects, results, figures, values, checks or sheets."
        ),
    ],
    file: Annotated[Path, typer.Argument(help="A CSV file, first line the names of the columns.")],
    data: DataOption = None,
) -> None:
    """Take in a table of records, all of it or nothing.

    Sheets, a line of many values for a place and a day, may be of any length: all of it is checked first.
    """
    if kind == SHEETS:
        _report(kind, run_in(data, lambda city: _sheets(city, file)))
        return
    text = text_of(file)

    async def take(city: City) -> Taken:
        return await city.assess.import_table(operator(city), kind, text)

    _report(kind, run_in(data, take))


@app.command()
def countries(
    data: DataOption = None,
    take_in: Annotated[
        Path | None,
        typer.Option("--import", help="Take in this JSON package first; its places must be there."),
    ] = None,
) -> None:
    """List the countries of which there are places, with their tiers and groups."""

    async def read(city: City) -> tuple[Registry, date]:
        if take_in is not None:
            await city.assess.take_in_country(operator(city), text_of(take_in))
        return await city.assess.registry(operator(city)), city.assess.today()

    found, today = run_in(data, read)
    rows = []
    for code, title in found.countries().items():
        frame, spots = found.frame(code, today), found.gazetteer.on(today, code).spots
        tiers, groups = ([one.id for one in some] for some in (frame.tiers, frame.groups))
        rows.append((code, title.en, len(spots), " ".join(tiers), " ".join(groups)))
    print_table(("country", "name", "places", "tiers", "groups"), rows)


@app.command()
def move(
    code: Annotated[str, typer.Argument(help="The place that moves.")],
    to: Annotated[str, typer.Option("--to", help="The place that it belongs to from the day on.")],
    on: Annotated[datetime, typer.Option("--from", help="The day.", formats=["%Y-%m-%d"])],
    data: DataOption = None,
) -> None:
    """Let a place belong to another one from a day on; what was counted before stays."""

    async def write(city: City) -> Place:
        return await city.assess.move(operator(city), code, to, on.date())

    for one in run_in(data, write).standings:
        until = one.valid_until or "…"
        typer.echo(f"{code} {one.name.zh}: {one.parent or '–'}, {one.valid_from or '…'} – {until}")


def _report(kind: str, taken: Taken) -> None:
    typer.echo(f"{kind}: {taken.new} new, {taken.changed} changed, {taken.same} as they were")


async def _sheets(city: City, file: Path) -> Taken:
    def lines() -> Iterator[str]:
        try:
            with file.open(encoding="utf-8-sig", newline="") as table:
                yield from table
        except (OSError, UnicodeDecodeError) as error:
            raise unreadable(file, error) from None

    total = max(0, sum(1 for _ in lines()) - 1)
    with progress() as bar:
        task = bar.add_task("sheets", total=total)
        return await city.assess.import_sheets(
            operator(city), lines, lambda done: bar.update(task, completed=done)
        )


@app.command()
def score(
    framework: Annotated[
        str, typer.Argument(help="Its id, as `chengmai assess frameworks` lists.")
    ],
    data: DataOption = None,
    on: OnOption = None,
    json: JsonOption = False,
) -> None:
    """Rank the places that have values by their score in a framework.

    `low` and `high` are the ends that the 95 % intervals of surveys give the score.
    """

    async def read(city: City) -> Board:
        day = on.date() if on else city.assess.today()
        return await city.frameworks.board(operator(city), framework, day)

    board = run_in(data, read)
    rows = [
        (
            f"{r.place}{'=' if r.tied else ''}",
            r.code,
            board.scores[r.code].total,
            board.scores[r.code].low,
            board.scores[r.code].high,
            board.scores[r.code].known,
            stage.id if (stage := board.scores[r.code].stage) else "incomplete",
        )
        for r in board.ranks
    ]
    columns = ("place", "code", "score", "low", "high", "marks with data", "stage")
    if json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    print_table(columns, rows)


@app.command()
def frameworks(
    data: DataOption = None,
    take_in: Annotated[
        Path | None, typer.Option("--import", help="Take in this JSON package first.")
    ] = None,
) -> None:
    """List the indicator frameworks, with the days on which they are in force."""

    async def read(city: City) -> list[Framework]:
        if take_in is not None:
            await city.frameworks.take_in(operator(city), text_of(take_in))
        return await city.frameworks.frameworks(operator(city))

    rows = [
        (
            f.id,
            f.in_force_from,
            f.until or "–",
            len(f.leaves()),
            "yes" if f.has_weights else "no",
            f.en,
        )
        for f in run_in(data, read)
    ]
    print_table(("id", "from", "until", "leaves", "weights", "title"), rows)


@app.command()
def indicators(
    data: DataOption = None,
    indicator: Annotated[
        str | None, typer.Option("--id", help="Only this indicator, with its parts and sources.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Work out the indicators of the catalogue from what the platform holds."""

    async def read(city: City) -> Sequence[Live]:
        by = operator(city)
        if indicator is not None:
            return [await city.indicators.one(by, indicator)]
        return await city.indicators.all(by)

    found = run_in(data, read)
    if json:
        print_json([_plain(vars(one)) for one in found])
        return
    print_table(
        ("id", "indicator", "value", "unit", "grade", "entities", "how, or why there is none"),
        [
            (
                one.indicator.id,
                one.indicator.name_en,
                "–" if one.value is None else f"{one.value:.4g}",
                one.indicator.unit_in("en"),
                one.quality.grade if one.quality else one.state,
                one.entity_count,
                told.en if (told := one.because or one.how) else "",
            )
            for one in found
        ],
    )
    if indicator is not None:
        _print_sources(found[0])
    typer.echo(f"{sum(one.is_computed for one in found)} of {len(found)} computed")


def _print_sources(found: Live) -> None:
    if found.numerator is not None:
        typer.echo(f"numerator {found.numerator:g}, denominator {found.denominator or 1:g}")
    if found.period is not None:
        typer.echo(f"from {found.period[0]} until {found.period[1]}")
    if found.approximates is not None:
        typer.echo(f"approximates: {found.approximates.en}")
    for name in (*found.entities[:20], *found.links):
        typer.echo(f"  {name}")


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(vars(value))
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _assessed(
    data: Path | None,
    example: bool,
    on: datetime | None,
    before: datetime | None,
    country: str | None = None,
    place: str | None = None,
    known: datetime | None = None,
) -> Assessed:
    async def read(city: City) -> Assessed:
        return await city.assess.assessed(
            operator(city),
            data="example" if example else "own",
            on=on.date() if on else None,
            before=before.date() if before else None,
            country=country,
            place=place,
            known=known.date() if known else None,
        )

    return run_in(data, read)


def _computed(statistics: Statistics) -> list[Any]:
    tiers = statistics.frame.tiers
    counts = [statistics.count(tier) for tier in (None, *tiers)]
    return [*counts, statistics.growth(), *statistics.coverages()]


def _document(figure: Any) -> dict[str, Any]:
    return {
        key: value.model_dump(mode="json") if hasattr(value, "model_dump") else value
        for key, value in vars(figure).items()
    }
