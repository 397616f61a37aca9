"""`chengmai vitals`: the city's vital signs."""

from __future__ import annotations

from typing import Annotated

import typer

from chengmai.app import City
from chengmai.cli.open import DataOption, JsonOption, run_in
from chengmai.cli.output import print_json, print_table, progress
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
def show(vital_id: str, data: DataOption = None) -> None:
    """Show one sign as JSON, with its bands, baseline and forecast."""

    async def read(city: City) -> VitalView:
        return await city.board.vital(city.settings.tenant, vital_id)

    print_json(_document(run_in(data, read)))


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
