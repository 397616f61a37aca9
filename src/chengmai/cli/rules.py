"""`chengmai rules`: the rules of a city, and what one would have done."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from chengmai.app import City
from chengmai.cli.line import Advance, answered
from chengmai.cli.open import DataOption, JsonOption, operator, run_in
from chengmai.cli.output import print_json, print_table
from chengmai.kernel.instants import format_instant, parse_instant
from chengmai.kernel.problems import Invalid
from chengmai.packs.rules import RuleSpec
from chengmai.rules.problems import RuleInvalid, RuleNotFound
from chengmai.rules.service import RuleView
from chengmai.rules.trial import last_month
from chengmai.rules.words import condition

app = typer.Typer(help="Rules on entities.", no_args_is_help=True)
_SHOWN = 20


@app.command("list")
def list_(data: DataOption = None, json: JsonOption = False) -> None:
    """List the rules, with how often each fired in the last 24 hours."""

    async def read(city: City) -> list[RuleView]:
        return await city.rules.service.rules(operator(city))

    views = run_in(data, read)
    if json:
        print_json(
            [
                one.rule.model_dump(mode="json", by_alias=True)
                | {"fired_24h": one.fired, "active": one.active}
                for one in views
            ]
        )
        return
    print_table(
        ("rule", "on", "type", "condition", "fired in 24 h", "active"),
        [
            (
                one.rule.key,
                "on" if one.rule.is_on else "off",
                one.rule.spec.on.type,
                condition(one.rule.spec).en,
                one.fired,
                one.active,
            )
            for one in views
        ],
    )


@app.command("try")
def try_(
    rule: Annotated[str, typer.Argument(help="A rule (pack/rule or its id), or a file of one.")],
    start: Annotated[
        str | None,
        typer.Option("--from", help="First day (2026-11-01) or instant. [30 days before --to]"),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", help="Day or instant at which to stop, not included. [now]"),
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Try a rule against the past: how often it would have fired, and where. Opens and sends nothing."""

    given: dict[str, Any] = {"rule": rule, "from": start, "to": end}
    if Path(rule).suffix == ".toml":
        given["spec"] = _read(Path(rule)).model_dump(mode="json", by_alias=True)
    made = answered(data, "rules.try", tried, given)
    if json:
        print_json(made["trial"])
        return
    _tell(made)


async def tried(city: City, given: dict[str, Any], advance: Advance) -> dict[str, Any]:
    """Answer `rules.try`: the trial, and the condition in words."""
    if (told := given.get("spec")) is not None:
        spec = RuleSpec.model_validate(told)
    else:
        spec = await _spec(city, given["rule"])
    stop = _instant(city, given["to"], "--to") or city.clock.now()
    begin = _instant(city, given["from"], "--from") or last_month(stop)[0]

    def tell(done: int, fired: int) -> None:
        advance(done, None, f"Trying ({fired} firings)")

    trial = await city.rules.trying.run(operator(city), spec, begin, stop, tell)
    return {"trial": trial.as_json(), "condition": condition(spec).en}


async def _spec(city: City, name: str) -> RuleSpec:
    for pack in city.packs:
        for spec in pack.rules:
            if name in (f"{pack.info.id}/{spec.id}", spec.id):
                return spec
    try:
        return (await city.rules.service.rule(operator(city), name)).spec
    except RuleNotFound:
        known = [f"{pack.info.id}/{spec.id}" for pack in city.packs for spec in pack.rules]
        problem = RuleNotFound(name)
        problem.fix = (
            f"use one of {', '.join(known)}, a rule of the city, or a file ending in .toml"
        )
        raise problem from None


def _read(path: Path) -> RuleSpec:
    try:
        return RuleSpec.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise RuleInvalid(f"{path} cannot be read: {error.strerror}", param="rule") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleInvalid(f"{path} is not valid TOML: {error}", param="rule") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RuleInvalid(
            f"{path}: {first['msg']}",
            param=where or "rule",
            fix="see docs/build/packs.md for what a rule may say",
        ) from None


def _instant(city: City, text: str | None, param: str) -> datetime | None:
    if text is None:
        return None
    if "T" in text:
        return parse_instant(text, param)
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise Invalid(
            f"{text!r} is no day", param=param, fix="write it as 2026-11-22 or 2026-11-22T08:00:00Z"
        ) from None
    return datetime.combine(day, time(), city.zone)


def _tell(made: dict[str, Any]) -> None:
    trial = made["trial"]
    span = parse_instant(trial["to"], "to") - parse_instant(trial["from"], "from")
    typer.echo(
        f"{trial['rule']}: {made['condition']}, {span / timedelta(days=1):.1f} days from"
        f" {_shown(trial['from'])}"
    )
    typer.echo(
        f"{trial['fired']} firings on {len(trial['per_entity'])} of {trial['entities']} entities"
        f" ({trial['readings']} readings); {trial['mean_per_day']:.2f} a day,"
        f" {trial['most_per_day']} at most; {trial['cases_at_most']} cases at most,"
        f" {trial['commands']} commands. Nothing was opened or sent."
    )
    if trial["firings"]:
        rows = [(_shown(f["from"]), _shown(f["to"]), f["entity"]) for f in trial["firings"]]
        print_table(("from", "to", "entity"), rows[:_SHOWN])
    if len(trial["firings"]) > _SHOWN:
        typer.echo(f"… and {trial['fired'] - _SHOWN} more; --json has them.")


def _shown(at: str | None) -> str:
    return format_instant(parse_instant(at, "at")) if at else "–"
