"""`chengmai pools`: shared resources, how they are used and what may be moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from chengmai.app import City
from chengmai.cli.line import Advance, answered
from chengmai.cli.open import DataOption, JsonOption, operator
from chengmai.cli.output import print_json, print_table
from chengmai.kernel.instants import format_us
from chengmai.kernel.problems import NotFound
from chengmai.pools.entities import outlook_json, sums_of
from chengmai.pools.model import Look
from chengmai.pools.problems import PoolNotFound

app = typer.Typer(help="Pools of shared resources.", no_args_is_help=True)


@app.command("list")
def list_(
    data: DataOption = None,
    pack: Annotated[str | None, typer.Option(help="Only pools of this pack.")] = None,
    json: JsonOption = False,
) -> None:
    """List the pools with their use in the last whole step and the last week (writes nothing)."""
    found = answered(data, "pools.look", looks, {"pool": "all", "pack": pack})
    if json:
        print_json([one["pool"] for one in found])
        return
    print_table(
        ("pool", "in use", "of", "used", "idle h/week", "short h/week", "outlook"),
        [one["row"] for one in found],
    )


@app.command()
def suggest(
    pool: Annotated[str, typer.Argument(help="A pool (pack/pool or pool), or all.")] = "all",
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Work out what to move in the hours ahead, and say why or why nothing (writes nothing)."""
    found = answered(data, "pools.look", looks, {"pool": pool, "pack": None})
    if json:
        print_json([{**one["pool"], "suggestion": one["suggestion"]} for one in found])
        return
    for one in found:
        for line in one["lines"]:
            typer.echo(line)


async def looks(city: City, given: dict[str, Any], advance: Advance) -> list[dict[str, Any]]:
    """Answer `pools.look`: of each pool the document, its row of the table, the suggestion and its lines."""
    name, pack = given["pool"], given["pack"]
    known = sorted({one.pack for one in city.pools.pools})
    if pack is not None and pack not in known:
        raise NotFound(
            f"no pack {pack} has pools", param="--pack", fix=f"use one of {', '.join(known)}"
        )
    chosen = [
        one
        for one in city.pools.pools
        if name in ("all", one.key, one.spec.id) and pack in (None, one.pack)
    ]
    if not chosen and name != "all":
        raise PoolNotFound(name, [one.key for one in city.pools.pools])
    made = []
    for number, pool in enumerate(chosen):
        advance(number, len(chosen), f"Looking at {pool.key}")
        look = await city.pools.look(operator(city), pool.pack, pool.spec.id)
        told = {"pool": _document(look), "row": _row(look), "suggestion": _plan(look)}
        made.append(told | {"lines": list(_lines(look))})
    return made


def _lines(look: Look) -> Iterator[str]:
    yield f"{look.pool.key}: {look.sentence.en}"
    for move in look.plan.moves if look.plan else ():
        where = f"{move.source_name.en} → {move.target_name.en}"
        yield f"  {move.n}. {where}: {move.units}. {move.why.en} {move.binds.en}"


def _row(look: Look) -> tuple[str, ...]:
    sums = sums_of(look)
    step, week = sums["step"], sums["week"]
    share = "–" if step.utilisation is None else f"{step.utilisation:.0%}"
    numbers = (f"{step.used:g}", f"{step.capacity:g}") if step.steps else ("–", "–")
    hours = (f"{week.idle:.0f}", f"{week.shortage:.0f}") if week.steps else ("–", "–")
    return (look.pool.key, *numbers, share, *hours, look.why)


def _document(look: Look) -> dict[str, Any]:
    spec = look.pool.spec
    return {
        "pool": look.pool.key,
        "title": spec.title,
        "unit": spec.unit,
        "reserve": spec.reserve,
        "at": format_us(look.at_us),
        "use": {
            name: {**vars(one), "utilisation": one.utilisation}
            for name, one in sums_of(look).items()
        },
        "outlook": {"why": look.why, "sentence": look.sentence},
        "members": [
            {
                "id": member.id,
                "name": member.name,
                "area": member.area,
                "expected": outlook_json(look.outlooks[member.id])
                if member.id in look.outlooks
                else None,
            }
            for member in look.members
        ],
    }


def _plan(look: Look) -> dict[str, Any] | None:
    return None if look.plan is None else look.plan.model_dump(mode="json", exclude={"expected"})
