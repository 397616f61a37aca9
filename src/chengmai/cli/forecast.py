"""`chengmai forecast`: how well the city's signs can be looked ahead from."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any

import typer

from chengmai.app import City
from chengmai.cli.line import Advance, answered
from chengmai.cli.open import DataOption, JsonOption
from chengmai.cli.output import print_json, print_table
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

    found = answered(data, "forecast.backtest", backtests, {"sign": sign})
    if json:
        print_json(found)
        return
    print_table(
        ("sign", "area", "model", "error", "naive error", "skill", "coverage", "shown"),
        [_row(one) for one in found],
    )


async def backtests(city: City, given: dict[str, Any], advance: Advance) -> list[dict[str, Any]]:
    """Answer `forecast.backtest`."""
    advance(0, None, "Back-testing")
    sign = None if given["sign"] == "all" else given["sign"]
    known = [f"{pack.info.id}/{spec.id}" for pack in city.packs for spec in pack.vitals]
    if sign is not None and not any(sign in (one, one.partition("/")[2]) for one in known):
        near = ", ".join(get_close_matches(sign, known, n=3, cutoff=0.4))
        meant = f"did you mean {near}? " if near else ""
        fix = f"{meant}chengmai vitals list has them all"
        raise NotFound(f"there is no vital sign {sign}", param="sign", fix=fix)
    return [_document(one) for one in await city.vitals.backtests(city.settings.tenant, sign)]


@app.command()
def quality(
    pack: Annotated[str | None, typer.Argument(help="A domain pack; left out: all.")] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Judge the stored forecasts of the last 30 days by the values that came (writes nothing)."""

    found = answered(data, "forecast.quality", qualities, {"pack": pack})
    if json:
        print_json([{k: v for k, v in one.items() if k != "rows"} for one in found])
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
        [row for one in found for row in one["rows"]],
    )


async def qualities(city: City, given: dict[str, Any], advance: Advance) -> list[dict[str, Any]]:
    """Answer `forecast.quality`: each standing, and its rows of the table."""
    pack, known = given["pack"], [one.info.id for one in city.packs]
    if pack is not None and pack not in known:
        raise NotFound(
            f"there is no pack {pack}", param="pack", fix=f"use one of {', '.join(known)}"
        )
    advance(0, None, "Judging")
    found = await city.forecast_quality.standings(city.settings.tenant, pack=pack)
    return [_standing(one) | {"rows": _horizons(one)} for one in found]


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


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    what, test = (one["sign"], one["area"]), one.get("backtest")
    if not test:
        return (*what, "–", "–", "–", "–", "–", one["because"]["en"])
    shown = "yes" if one["shown"] else "no skill: baseline"
    figures = (_number(test["mae"]), _number(test["naive_mae"]))
    shares = (_share(test["skill"]), _share(test["coverage"]))
    return (*what, one["model"], *figures, *shares, shown)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
