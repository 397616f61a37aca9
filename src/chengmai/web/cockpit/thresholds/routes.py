"""Addresses of changing thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from starlette.responses import Response

from chengmai.vitals.thresholds.problems import ThresholdInvalid
from chengmai.vitals.thresholds.service import Order
from chengmai.web.cockpit.access import NOTES, VITALS
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.thresholds import view
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.visit import Visit

_FIELDS = ("threshold", "value", "clear", "from", "reason")


async def show_list(visit: Visit) -> Response:
    found = await visit.parts.looking_back.changes(visit.actor)
    return visit.page("thresholds/list.html", rows=view.rows(found, visit.formats))


async def list_json(visit: Visit) -> Response:
    found = await visit.parts.looking_back.changes(visit.actor)
    return as_json([one.change.model_dump(mode="json") for one in found])


async def list_csv(visit: Visit) -> Response:
    header = (
        *("id", "sign", "threshold", "value", "clear", "from", "state", "reason"),
        *("proposed_by", "proposed_at", "decided_by", "decided_at", "decision"),
    )
    found = [one.change for one in await visit.parts.looking_back.changes(visit.actor)]
    rows = (
        (
            *(one.id, one.sign, one.key.name, one.value, one.clear, one.from_on),
            *(one.state.value, one.reason, one.proposed_by_name, one.proposed_at),
            *(one.decided_by_name, one.decided_at, one.decision),
        )
        for one in found
    )
    return as_csv(header, rows, "thresholds")


async def show_one(visit: Visit) -> Response:
    found = await visit.parts.looking_back.change(visit.actor, visit.param("change_id"))
    return visit.page("thresholds/page.html", view=view.change_page(found, visit.formats))


async def decide(visit: Visit) -> Response:
    change_id, verdict = visit.param("change_id"), visit.form.get("verdict", "")
    if verdict not in ("approve", "refuse", "withdraw"):
        raise ThresholdInvalid(
            f"{verdict[:20]!r} is no decision", param="verdict", fix="use the buttons of the page"
        )
    note = visit.form.get("note", "")
    await visit.parts.looking_back.decide(visit.actor, change_id, verdict, note)
    return visit.redirect(f"/thresholds/{change_id}")


async def show_form(visit: Visit) -> Response:
    """Show the thresholds of a sign, and the trial of the change that is asked for, if one is."""
    asked = {name: visit.asked(name, at_most=500) for name in _FIELDS}
    vital_id = visit.param("vital_id")
    vital, free = await visit.parts.looking_back.sign_of(visit.actor, vital_id)
    trial = None
    if asked["threshold"]:
        order = order_of(vital_id, {**asked, "reason": asked["reason"] or "–"})
        found = await visit.parts.looking_back.trial(visit.actor, order)
        trial = view.trial_view(found, order.from_on, visit.formats)
    may = not visit.actor.roles.isdisjoint(NOTES)
    made = view.propose_view(vital, free, asked, trial, visit.formats, may_propose=may)
    return visit.page("thresholds/form.html", view=made)


async def propose(visit: Visit) -> Response:
    order = order_of(visit.param("vital_id"), visit.form)
    change_id = await visit.parts.looking_back.propose(visit.actor, order)
    return visit.redirect(f"/thresholds/{change_id}")


def order_of(vital_id: str, asked: Mapping[str, str]) -> Order:
    """Return what a form asks for; raises `ThresholdInvalid` for a number or day that is none."""
    parts = vital_id.split(":")
    return Order(
        sign="/".join(parts[3:5]),
        threshold=asked.get("threshold", ""),
        value=_number(asked, "value"),
        clear=_number(asked, "clear"),
        from_on=_day(asked.get("from", "")),
        reason=asked.get("reason", ""),
    )


def _number(asked: Mapping[str, str], name: str) -> float | None:
    text = asked.get(name, "").strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise ThresholdInvalid(
            f"{text[:40]!r} is no number",
            code="thresholds.no_number",
            param=name,
            fix="write it as 12.5",
            text=text[:40],
        ) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ThresholdInvalid(
            f"{text[:40]!r} is no day",
            code="thresholds.no_day",
            param="from",
            fix="write it as 2027-01-31",
            text=text[:40],
        ) from None


SCREENS = (
    Screen("/thresholds", show_list, VITALS),
    Screen("/thresholds.json", list_json, VITALS, quiet=True),
    Screen("/thresholds.csv", list_csv, VITALS, quiet=True),
    Screen("/thresholds/{change_id}", show_one, VITALS),
    Screen("/thresholds/{change_id}", decide, NOTES, methods=("POST",)),
    Screen("/vitals/{vital_id}/thresholds", show_form, VITALS),
    Screen("/vitals/{vital_id}/thresholds", propose, NOTES, methods=("POST",)),
)
