"""`chengmai forecast`: how well the city's signs can be looked ahead from."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from chengmai.app import City
from chengmai.cli.open import DataOption, JsonOption, run_in
from chengmai.cli.output import print_json, print_table, progress
from chengmai.forecast.quality import Standing
from chengmai.forecast.record import HORIZONS
from chengmai.kernel.problems import NotFound
from chengmai.vitals.model import Quality

app = typer.Typer(help="Looking ahead, and how well it works.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Looking ahead, and how well it works."""


@app.command()
def backtest(
    sign: Annotated[str, typer.Argument(help="A sign (pack/sign or sign), or all.")] = "all",
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Judge every model on rolling origins of the past and show what was chosen (writes nothing)."""

    async def judge(city: City) -> list[Quality]:
        with progress() as bar:
            bar.add_task("Back-testing", total=None)
            return await city.vitals.backtests(
                city.settings.tenant, None if sign == "all" else sign
            )

    found = run_in(data, judge)
    if json:
        print_json([_document(one) for one in found])
        return
    print_table(
        ("sign", "area", "model", "error", "naive error", "skill", "coverage", "shown"),
        [_row(one) for one in found],
    )


@app.command()
def quality(
    pack: Annotated[str | None, typer.Argument(help="A domain pack; left out: all.")] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Judge the stored forecasts of the last 30 days by the values that came (writes nothing)."""

    async def judge(city: City) -> list[Standing]:
        known = [one.info.id for one in city.packs]
        if pack is not None and pack not in known:
            raise NotFound(
                f"there is no pack {pack}", param="pack", fix=f"use one of {', '.join(known)}"
            )
        with progress() as bar:
            bar.add_task("Judging", total=None)
            return await city.forecast_quality.standings(city.settings.tenant, pack=pack)

    found = run_in(data, judge)
    if json:
        print_json([_standing(one) for one in found])
        return
    print_table(
        (
            "sign",
            "area",
            "ahead",
            "points",
            "error",
            "naive error",
            "skill",
            "held",
            "fitted",
            "shown",
        ),
        [row for one in found for row in _horizons(one)],
    )


def _standing(one: Standing) -> dict[str, Any]:
    record = one.record
    return {
        "vital": one.vital,
        "sign": f"{one.pack}/{one.sign}",
        "area": one.area,
        "model": one.latest["model"] if one.latest else None,
        "why_fitted": one.latest.get("why_fitted") if one.latest else None,
        "shown": one.latest["shown"] if one.latest else None,
        "because": one.latest["because"] if one.latest else None,
        "promised": record.level if record else None,
        "forecasts": record.forecasts if record else 0,
        "horizons": [
            {
                "first": first,
                "last": last,
                "points": tally.points,
                "mae": tally.mae,
                "naive_mae": tally.naive_mae,
                "skill": tally.skill,
                "coverage": tally.coverage,
            }
            for (first, last), tally in zip(HORIZONS, record.by_horizon, strict=True)
        ]
        if record
        else [],
        "versions": [vars(version) for version in record.versions] if record else [],
    }


def _horizons(one: Standing) -> list[tuple[str, ...]]:
    what = (f"{one.pack}/{one.sign}", one.area)
    if one.record is None or one.latest is None:
        return [(*what, "–", "0", "–", "–", "–", "–", "–", "none yet")]
    fitted = str(one.latest.get("why_fitted") or "–")
    shown = "yes" if one.latest["shown"] else "no: baseline"
    return [
        (
            *what,
            str(first) if first == last else f"{first}-{last}",
            str(tally.points),
            _number(tally.mae),
            _number(tally.naive_mae),
            _share(tally.skill),
            _share(tally.coverage),
            fitted,
            shown,
        )
        for (first, last), tally in zip(HORIZONS, one.record.by_horizon, strict=True)
        if tally.points
    ]


def _document(one: Quality) -> dict[str, Any]:
    kept = {key: value for key, value in one.forecast.items() if key != "points"}
    return {"sign": one.sign, "area": one.area, **kept}


def _row(one: Quality) -> tuple[str, ...]:
    test = one.forecast.get("backtest")
    if not test:
        return (one.sign, one.area, "–", "–", "–", "–", "–", one.forecast["because"]["en"])
    shown = "yes" if one.forecast["shown"] else "no skill: baseline"
    figures = (_number(test["mae"]), _number(test["naive_mae"]))
    shares = (_share(test["skill"]), _share(test["coverage"]))
    return (one.sign, one.area, one.forecast["model"], *figures, *shares, shown)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
