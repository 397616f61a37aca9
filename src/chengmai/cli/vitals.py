"""`chengmai vitals`: the city's vital signs."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated

import typer

from chengmai.app import City
from chengmai.cli.open import DataOption, JsonOption, run_in
from chengmai.cli.output import print_json, print_table, progress
from chengmai.kernel.problems import Invalid, NotFound, Problem
from chengmai.vitals.model import VitalView

app = typer.Typer(help="The city's vital signs.", no_args_is_help=True)
_LEVELS = ("normal", "watch", "act", "unknown")


@app.command("list")
def list_(
    data: DataOption = None,
    level: Annotated[str | None, typer.Option(help="Only signs at this level.")] = None,
    pack: Annotated[str | None, typer.Option(help="Only signs of this pack.")] = None,
    json: JsonOption = False,
) -> None:
    """List the signs, the worst first."""
    if level is not None and level not in _LEVELS:
        raise typer.BadParameter(f"use one of {', '.join(_LEVELS)}", param_hint="--level")

    async def read(city: City) -> list[VitalView]:
        known = [one.info.id for one in city.packs]
        if pack is not None and pack not in known:
            raise NotFound(
                f"there is no pack {pack}", param="--pack", fix=f"use one of {', '.join(known)}"
            )
        return await city.board.board(city.settings.tenant)

    views = [
        view
        for view in run_in(data, read)
        if (level is None or view.level == level) and (pack is None or view.pack == pack)
    ]
    if json:
        print_json([_document(view) for view in views])
        return
    print_table(
        ("level", "sign", "area", "value", "at", "forecast"),
        [
            (
                view.level,
                f"{view.pack}/{view.sign}",
                view.area,
                "–" if view.value is None else f"{view.value:.{view.decimals}f} {view.unit}",
                view.at or "–",
                _quality(view),
            )
            for view in views
        ],
    )


@app.command()
def show(
    vital: Annotated[str, typer.Argument(help="A sign's id, or pack/sign with --area.")],
    area: Annotated[str | None, typer.Option(help="The area, where a sign has several.")] = None,
    data: DataOption = None,
) -> None:
    """Show one sign as JSON, with its bands, baseline and forecast."""

    async def read(city: City) -> VitalView:
        if vital.startswith("urn:"):
            return await city.board.vital(city.settings.tenant, vital)
        board = await city.board.board(city.settings.tenant)
        named = [one for one in board if vital in (one.sign, f"{one.pack}/{one.sign}")]
        found = [one for one in named if area in (None, one.area)]
        if len(found) == 1:
            return await city.board.vital(city.settings.tenant, found[0].id)
        known = [f"{pack.info.id}/{spec.id}" for pack in city.packs for spec in pack.vitals]
        raise _unclear(vital, area, named, found, known)

    print_json(_document(run_in(data, read)))


def _unclear(
    vital: str,
    area: str | None,
    named: Sequence[VitalView],
    found: Sequence[VitalView],
    known: Sequence[str],
) -> Problem:
    areas = ", ".join(sorted(one.area for one in named))
    if found:
        return Invalid(f"{vital} has several areas", param="--area", fix=f"name one of {areas}")
    if named:
        return NotFound(f"{vital} has no area {area}", param="--area", fix=f"name one of {areas}")
    near = get_close_matches(vital, known, n=3, cutoff=0.4)
    meant = f"did you mean {', '.join(near)}? " if near else ""
    fix = f"{meant}chengmai vitals list has them all"
    return NotFound(f"there is no vital sign {vital}", param="vital", fix=fix)


@app.command()
def evaluate(data: DataOption = None) -> None:
    """Evaluate every sign now (the server must not be running on the same data)."""

    async def run(city: City) -> str:
        await city.store.history.recover()
        with progress() as bar:
            bar.add_task("Evaluating", total=None)
            report = await city.vitals.tick(city.settings.tenant)
            await city.vitals.forecast(city.settings.tenant)
        failed = "".join(f"\n  failed: {one.sign}: {one.detail}" for one in report.failures)
        return (
            f"{report.evaluated} signs evaluated, {len(report.changed)} changed,"
            f" {report.crossings} crossings{failed}"
        )

    typer.echo(run_in(data, run))


def _document(view: VitalView) -> dict[str, object]:
    return {
        "id": view.id,
        "pack": view.pack,
        "sign": view.sign,
        "title": {"zh": view.title.zh, "en": view.title.en},
        "area": view.area,
        "level": view.level,
        "value": view.value,
        "unit": view.unit_code,
        "at": view.at,
        "since": view.since,
        "reason": {"zh": view.reason.zh, "en": view.reason.en},
        "baseline": view.baseline,
        "anomaly": view.anomaly,
        "bands": [vars(band) for band in view.bands],
        "forecast": view.forecast,
        "expected_level": view.expected_level,
        "expected_at": view.expected_at,
    }


def _quality(view: VitalView) -> str:
    if not view.forecast:
        return "–"
    backtest = view.forecast.get("backtest") or {}
    mae, naive = backtest.get("mae"), backtest.get("naive_mae")
    if mae is None or naive is None:
        return "none: too little past"
    shown = "" if view.forecast.get("shown") else "not shown, "
    return f"{shown}error {mae:.3g}, seasonal-naive {naive:.3g}"
