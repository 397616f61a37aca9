"""`chengmai incidents`: alarms that belong together."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from chengmai.app import City
from chengmai.cli.open import DataOption, JsonOption, run_in
from chengmai.cli.output import print_json, print_table
from chengmai.incidents import Incident, State
from chengmai.incidents.model import LogLine
from chengmai.incidents.words import LEVEL_WORDS, STATE_WORDS, name_of, sentence
from chengmai.kernel.ids import urn
from chengmai.kernel.instants import format_instant

app = typer.Typer(help="Incidents: alarms that belong together.", no_args_is_help=True)
_MOST = 500


@app.command("list")
def list_(
    data: DataOption = None,
    state: Annotated[State, typer.Option(help="Only incidents in this state.")] = State.OPEN,
    json: JsonOption = False,
) -> None:
    """List incidents, the newest first."""

    async def read(city: City) -> tuple[list[Incident], int]:
        return await city.incidents.page(city.settings.tenant, state=state, limit=_MOST)

    found, total = run_in(data, read)
    if json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    if not found:
        typer.echo(f"No incident is {STATE_WORDS[state].en.lower()}.")
        return
    print_table(
        ("number", "level", "about", "title", "since", "standing", "alarms", "cases"),
        [
            (
                one.number,
                LEVEL_WORDS.get(one.level, LEVEL_WORDS["unknown"]).en,
                one.nature,
                one.title.en,
                format_instant(one.since),
                len(one.standing),
                len(one.members),
                len(one.cases),
            )
            for one in found
        ],
    )
    if total > len(found):
        typer.echo(f"The newest {len(found)} of {total}.")


@app.command()
def show(
    number: Annotated[str, typer.Argument(help="The number of an incident, or its id.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Show an incident: its alarms, why they belong together, and what was done."""

    async def read(city: City) -> tuple[Incident, list[LogLine]]:
        tenant = city.settings.tenant
        incident_id = number if number.startswith("urn:") else urn("Incident", number)
        found = await city.incidents.get(tenant, incident_id)
        return found, await city.incidents.log(tenant, incident_id)

    incident, log = run_in(data, read)
    if json:
        lines: list[dict[str, Any]] = [line.model_dump(mode="json") for line in log]
        print_json({"incident": incident.model_dump(mode="json"), "log": lines})
        return
    typer.echo(
        f"{incident.number}  {incident.title.en}  [{STATE_WORDS[incident.state].en}, {incident.level}]"
    )
    for because in incident.because:
        typer.echo(f"  {because.en}")
    print_table(
        ("alarm", "level", "since", "until", "times", "case"),
        [
            (
                name_of(one).en,
                one.level,
                format_instant(one.since),
                format_instant(one.until) if one.until else "stands",
                one.times,
                one.case.rpartition(":")[2] if one.case else "–",
            )
            for one in incident.members
        ],
    )
    for line in log:
        by = line.by_name or line.by_id
        typer.echo(f"  {format_instant(line.at)}  {by}: {sentence(line).en}")
