"""Addresses of commands to devices: those that wait for a person, and what became of the others."""

from __future__ import annotations

from starlette.responses import Response

from chengmai.kernel.problems import NotFound, Problem
from chengmai.rules.model import CommandState
from chengmai.rules.words import STATE_WORDS
from chengmai.web.cockpit.access import COMMANDS, RULES
from chengmai.web.cockpit.errors import ErrorView, describe
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.visit import Visit, link


async def show_list(visit: Visit) -> Response:
    found = await visit.desk.rules.commands(visit.actor, _states(visit))
    return visit.page(
        "rules/commands.html",
        commands=found,
        state_words=STATE_WORDS,
        states=list(CommandState),
        chosen=visit.asked("state"),
    )


async def list_json(visit: Visit) -> Response:
    found = await visit.desk.rules.commands(visit.actor, _states(visit))
    return as_json([one.model_dump() for one in found])


async def list_csv(visit: Visit) -> Response:
    header = (
        "command",
        "name",
        "rule",
        "device",
        "state",
        "attempts",
        "made_at",
        "sent_at",
        "acknowledged_at",
        "ended_at",
        "decided_by",
    )
    rows = (
        (
            one.id,
            one.name,
            one.rule_key,
            one.device,
            one.state.value,
            one.attempts,
            one.made_at,
            one.sent_at,
            one.acknowledged_at,
            one.ended_at,
            one.decided_by,
        )
        for one in await visit.desk.rules.commands(visit.actor, _states(visit))
    )
    return as_csv(header, rows, "commands")


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def data_json(visit: Visit) -> Response:
    found = await visit.desk.rules.command(visit.actor, visit.param("command_id"))
    return as_json(found.model_dump())


async def decide(visit: Visit) -> Response:
    """Approve or refuse, and show the command; say why when it cannot be done."""
    form, name = visit.form, visit.param("command_id")
    approve = form.get("decision") == "approve"
    try:
        await visit.desk.rules.decide(visit.actor, name, approve, form.get("reason", ""))
    except NotFound:
        raise
    except Problem as problem:
        return await _page(visit, describe(problem, visit.words))
    return visit.redirect(link("rules", "commands", name) + "?done=1")


def _states(visit: Visit) -> list[CommandState]:
    asked = visit.asked("state")
    return [state for state in CommandState if state.value == asked]


async def _page(visit: Visit, wrong: ErrorView | None = None) -> Response:
    desk, actor = visit.desk.rules, visit.actor
    command = await desk.command(actor, visit.param("command_id"))
    waits = command.state is CommandState.WAITING and command.is_live
    return visit.page(
        "rules/command.html",
        wrong.status if wrong else 200,
        command=command,
        state_words=STATE_WORDS,
        wrong=wrong,
        done=bool(visit.asked("done", at_most=1)),
        may_decide=waits and desk.may(actor, "commands.approve"),
        needs_other=waits and actor.id == command.rule_by,
        has_address=command.channel in desk.channels(),
    )


SCREENS = (
    Screen("/rules/commands", show_list, RULES),
    Screen("/rules/commands.json", list_json, RULES, quiet=True),
    Screen("/rules/commands.csv", list_csv, RULES, quiet=True),
    Screen("/rules/commands/{command_id}", show, RULES),
    Screen("/rules/commands/{command_id}/data.json", data_json, RULES, quiet=True),
    Screen("/rules/commands/{command_id}/decide", decide, COMMANDS, methods=("POST",)),
)
