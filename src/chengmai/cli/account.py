"""`chengmai account`: people and machines."""

from __future__ import annotations

from typing import Annotated

import typer

from chengmai.app import City
from chengmai.cli.open import DataOption, JsonOption, operator, run_in
from chengmai.cli.output import print_json, print_table
from chengmai.kernel.problems import NotFound

app = typer.Typer(help="People and machines that may come in.", no_args_is_help=True)
Roles = Annotated[list[str], typer.Option("--role", help="A role; repeat for several.")]


@app.command("list")
def list_(data: DataOption = None, json: JsonOption = False) -> None:
    """List the accounts of people and the tokens of machines."""

    async def read(city: City) -> list[dict[str, object]]:
        by = operator(city)
        accounts = await city.trust.accounts.list_accounts(by)
        tokens = await city.trust.tokens.list_tokens(by)
        return [
            {
                "kind": "account",
                "id": a.id,
                "name": a.name,
                "roles": sorted(a.roles),
                "off": a.disabled,
            }
            for a in accounts
        ] + [
            {
                "kind": "token",
                "id": t.id,
                "name": t.name,
                "roles": sorted(t.roles),
                "off": t.revoked_at is not None,
            }
            for t in tokens
        ]

    rows = run_in(data, read)
    if json:
        print_json(rows)
    else:
        print_table(
            ("kind", "id", "name", "roles", "off"),
            [(r["kind"], r["id"], r["name"], ",".join(r["roles"]), r["off"]) for r in rows],  # type: ignore[arg-type]
        )


@app.command()
def add(name: str, role: Roles, data: DataOption = None) -> None:
    """Add a person; print the password once."""

    async def make(city: City) -> str | None:
        made = await city.trust.accounts.add_account(name, role, by=operator(city))
        return made.secret

    typer.echo(run_in(data, make))


@app.command()
def password(name: str = "admin", data: DataOption = None) -> None:
    """Give a person a new password; print it once."""

    async def reset(city: City) -> str | None:
        by = operator(city)
        for account in await city.trust.accounts.list_accounts(by):
            if account.name == name:
                secret = await city.trust.accounts.reset_password(account.id, by=by)
                await city.trust.accounts.unlock(account.id, by=by)
                return secret
        raise NotFound(f"there is no account {name!r}", fix="see chengmai account list")

    typer.echo(run_in(data, reset))


@app.command()
def token(name: str, role: Roles, data: DataOption = None) -> None:
    """Make a token for a machine; print it once, to be sent as `Authorization: Bearer …`."""

    async def make(city: City) -> str:
        made = await city.trust.tokens.create_token(name, role, by=operator(city))
        return made.secret

    typer.echo(run_in(data, make))


@app.command()
def revoke(token_id: str, data: DataOption = None) -> None:
    """End a machine's token."""

    async def end(city: City) -> None:
        await city.trust.tokens.revoke_token(token_id, by=operator(city))

    run_in(data, end)
