"""`chengmai forecast`: how well the city's signs can be looked ahead from."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from chengmai.app import City
from chengmai.cli.open import DataOption, JsonOption, run_in
from chengmai.cli.output import print_json, print_table, progress
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
