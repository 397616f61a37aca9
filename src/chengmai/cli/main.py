"""`chengmai`: the commands, put together. A problem is told in three lines; only the unexpected has a trace."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from chengmai import __version__
from chengmai.cli import (
    account,
    assess,
    cases,
    doctor,
    forecast,
    incidents,
    load,
    packs,
    pools,
    replay,
    rules,
    serve,
    vitals,
)
from chengmai.cli.output import fail
from chengmai.kernel.problems import Problem

app = typer.Typer(
    name="chengmai",
    help="Chengmai (城脉): one live model of a city, its vital signs, and the work that follows.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"chengmai {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Chengmai (城脉): one live model of a city, its vital signs, and the work that follows."""


app.command("demo")(serve.demo)
app.command("serve")(serve.serve)
app.command("load")(load.load)
app.command("replay")(replay.replay)
app.add_typer(vitals.app, name="vitals")
app.add_typer(forecast.app, name="forecast")
app.add_typer(cases.app, name="cases")
app.add_typer(incidents.app, name="incidents")
app.add_typer(pools.app, name="pools")
app.add_typer(assess.app, name="assess")
app.add_typer(rules.app, name="rules")
app.add_typer(packs.app, name="pack")
app.add_typer(account.app, name="account")
app.command("doctor")(doctor.doctor)


def run() -> None:
    """Run the command line; exit 0 when all went well, 1 on a problem, 2 on wrong usage, 130 on Ctrl-C."""
    try:
        app()
    except Problem as problem:
        fail(problem)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()
