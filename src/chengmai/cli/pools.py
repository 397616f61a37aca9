"""`chengmai pools`: shared resources, how they are used and what may be moved."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from chengmai.app import City
from chengmai.cli.open import DataOption, JsonOption, operator, run_in
from chengmai.cli.output import print_json, print_table, progress
from chengmai.kernel.instants import format_us
from chengmai.pools.entities import outlook_json, sums_of
from chengmai.pools.model import Look, Pool
from chengmai.pools.problems import PoolNotFound

app = typer.Typer(help="Pools of shared resources.", no_args_is_help=True)


@app.command("list")
def list_(
    data: DataOption = None,
    pack: Annotated[str | None, typer.Option(help="Only pools of this pack.")] = None,
    json: JsonOption = False,
) -> None:
    """List the pools with their use in the last whole step and the last week (writes nothing)."""
    looks = [look for look in _looks(data, "all") if pack in (None, look.pool.pack)]
    if json:
        print_json([_document(look) for look in looks])
        return
    print_table(
        ("pool", "in use", "of", "used", "idle h/week", "short h/week", "outlook"),
        [_row(look) for look in looks],
    )


@app.command()
def suggest(
    pool: Annotated[str, typer.Argument(help="A pool (pack/pool or pool), or all.")] = "all",
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Work out what to move in the hours ahead, and say why or why nothing (writes nothing)."""
    looks = _looks(data, pool)
    if json:
        print_json([{**_document(look), "suggestion": _plan(look)} for look in looks])
        return
    for look in looks:
        typer.echo(f"{look.pool.key}: {look.sentence.en}")
        for move in look.plan.moves if look.plan else ():
            where = f"{move.source_name.en} → {move.target_name.en}"
            typer.echo(f"  {move.n}. {where}: {move.units}. {move.why.en} {move.binds.en}")


def _looks(data: Any, name: str) -> list[Look]:
    async def look(city: City) -> list[Look]:
        chosen = [one for one in city.pools.pools if name in ("all", one.key, one.spec.id)]
        if not chosen and name != "all":
            raise PoolNotFound(name, [one.key for one in city.pools.pools])
        await city.store.history.recover()
        with progress() as bar:
            task = bar.add_task("Looking", total=len(chosen))
            return [await _look(city, one, lambda: bar.advance(task)) for one in chosen]

    return run_in(data, look)


async def _look(city: City, pool: Pool, advance: Any) -> Look:
    found = await city.pools.look(operator(city), pool.pack, pool.spec.id)
    advance()
    return found


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
