"""`chengmai cases`: what needs a person."""

from __future__ import annotations

from typing import Annotated

import typer

from chengmai.app import City
from chengmai.cases.model import CaseView, LogLine, State, Step
from chengmai.cases.words import STATE_WORDS, sentence
from chengmai.cli.open import DataOption, JsonOption, run_in
from chengmai.cli.output import print_json, print_table
from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import format_instant

app = typer.Typer(help="Cases: what was seen and what people do about it.", no_args_is_help=True)


@app.command("list")
def list_(
    data: DataOption = None,
    state: Annotated[State | None, typer.Option(help="Only cases in this state.")] = None,
    json: JsonOption = False,
) -> None:
    """List cases by deadline; without --state those that have not ended."""

    async def read(city: City) -> list[CaseView]:
        return (await city.cases.queue(city.settings.tenant, state=state, limit=500)).items

    views = run_in(data, read)
    if json:
        print_json([view.case.model_dump(mode="json") for view in views])
        return
    print_table(
        ("number", "state", "level", "title", "unit", "due", "light"),
        [
            (
                view.case.number,
                STATE_WORDS[view.case.state].en,
                view.case.level,
                view.case.title.en,
                view.case.unit_title.en,
                format_instant(view.case.due_at) if view.case.due_at else "–",
                view.urgency.value,
            )
            for view in views
        ],
    )


@app.command()
def show(number: str, data: DataOption = None, json: JsonOption = False) -> None:
    """Show a case and its log."""

    async def read(city: City) -> tuple[CaseView, list[LogLine]]:
        case_id = _id(number)
        tenant = city.settings.tenant
        return await city.cases.get(tenant, case_id), await city.cases.log(tenant, case_id)

    view, log = run_in(data, read)
    if json:
        print_json(
            {
                "case": view.case.model_dump(mode="json"),
                "log": [line.model_dump(mode="json") for line in log],
            }
        )
        return
    case = view.case
    typer.echo(f"{case.number}  {case.title.en}  [{STATE_WORDS[case.state].en}, {case.level}]")
    for line in log:
        typer.echo(
            f"  {format_instant(line.at)}  {line.by_name or line.by_id}: {sentence(line).en}"
        )


@app.command()
def step(
    number: str,
    step: Annotated[Step, typer.Argument(help="The step to take.")],
    note: Annotated[str, typer.Option(help="Why, or what was done.")] = "",
    data: DataOption = None,
) -> None:
    """Take a step of a case as the operator of this machine."""

    async def take(city: City) -> CaseView:
        by = Actor(
            "sys:command-line",
            city.settings.tenant,
            frozenset({"manager", "duty_officer"}),
            "command line",
        )
        return await city.cases.take_step(_id(number), step, by, note=note)

    view = run_in(data, take)
    typer.echo(f"{view.case.number} is now: {STATE_WORDS[view.case.state].en}")


def _id(number: str) -> str:
    return number if number.startswith("urn:") else f"urn:ngsi-ld:CityCase:{number}"
