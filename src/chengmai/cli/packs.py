"""`chengmai pack`: the linter of domain packs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chengmai.checking import check_packs
from chengmai.cli.open import JsonOption
from chengmai.cli.output import print_json, progress
from chengmai.packs.reader import shipped_packs

app = typer.Typer(help="Domain packs.", no_args_is_help=True)


@app.command()
def check(
    folder: Annotated[
        list[Path] | None, typer.Argument(help="Folders of packs; the shipped ones when left out.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check packs: form, units, sources, routes, queries, and that `expect/` comes true."""
    with progress() as bar:
        task = bar.add_task("Checking", total=None)
        result = check_packs(
            folder or [shipped_packs()],
            advance=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if json:
        print_json(
            {
                "packs": result.packs,
                "signs": result.signs,
                "rules": result.rules,
                "expectations": result.expectations,
                "findings": [vars(finding) for finding in result.findings],
            }
        )
    else:
        for finding in result.findings:
            typer.echo(str(finding), err=True)
        typer.echo(
            f"{result.packs} packs, {result.signs} vital signs, {result.rules} rules,"
            f" {result.expectations} expectations:"
            f" {len(result.findings)} findings"
        )
    if result.findings:
        raise typer.Exit(1)
