"""Addresses of looking back on one sign."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from starlette.responses import Response

from chengmai.kernel.instants import from_us
from chengmai.kernel.problems import Invalid
from chengmai.vitals.lookback.periods import Length, Versus
from chengmai.web.cockpit.access import NOTES, VITALS
from chengmai.web.cockpit.lookback import view
from chengmai.web.cockpit.reviewing import LookedBack
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.visit import Visit, link


async def show(visit: Visit) -> Response:
    looked = await _read(visit)
    length, versus = _asked(visit)
    made = view.page_view(looked, length, versus, visit.formats)
    return visit.page("lookback/page.html", view=made)


async def data_json(visit: Visit) -> Response:
    """Answer the comparison, its causes with all contributions, the like-for-like and the marks."""
    looked = await _read(visit)
    review = looked.review
    return as_json(
        {
            "vital": looked.vital.card.id,
            "area": review.area,
            "unit": looked.vital.card.unit,
            "period": _period(review.now),
            "against": _period(review.before),
            "causes": {
                "entity": review.causes.by_entity,
                "area": review.causes.by_area,
                "hour": review.causes.by_hour,
                "no_entities": review.causes.no_entities,
            },
            "like_for_like": review.likeness,
            "marks": review.marks,
            "days": review.days,
            "points": [{"at": from_us(us), "value": value} for us, value in review.now.points],
            "points_against": [
                {"at": from_us(us), "value": value} for us, value in review.before.points
            ],
        }
    )


async def data_csv(visit: Visit) -> Response:
    """Answer one table: values of both periods, contributions and marks, told apart by `kind`."""
    looked = await _read(visit)
    header = (
        "kind",
        "at",
        "until",
        "key",
        "value",
        "before",
        "after",
        "own",
        "mix",
        "total",
        "text",
    )
    return as_csv(header, _csv_rows(looked, visit), "look-back")


def _csv_rows(looked: LookedBack, visit: Visit) -> Iterator[tuple[Any, ...]]:
    review = looked.review
    for kind, side in (("value", review.now), ("value against", review.before)):
        for us, value in side.points:
            yield (kind, from_us(us), None, None, value, *[None] * 6)
    causes = review.causes
    for kind, found in (
        ("by entity", causes.by_entity),
        ("by area", causes.by_area),
        ("by hour", causes.by_hour),
    ):
        for s in found.shares if found else ():
            yield (kind, None, None, s.key, None, s.before, s.after, s.own, s.mix, s.total, None)
    for mark in review.marks:
        text = visit.words.pick(mark.text)
        yield (f"mark: {mark.kind}", mark.at, mark.until, mark.ref, *[None] * 6, text)


async def add_note(visit: Visit) -> Response:
    """Put a note on the curve and show it there."""
    vital_id = visit.param("vital_id")
    at = _instant(visit.form.get("at", ""), visit)
    await visit.parts.looking_back.note(visit.actor, vital_id, visit.form.get("note", ""), at)
    local = visit.formats.local(at).date()
    return visit.redirect(link("vitals", vital_id) + f"/back?on={local}#marks")


def _instant(text: str, visit: Visit) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip()) if text.strip() else visit.formats.now
    except ValueError:
        raise Invalid(
            f"{text[:40]!r} is no instant",
            code="vitals.note_instant",
            param="at",
            fix="write it as 2026-11-22T16:00",
            text=text[:40],
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=visit.formats.zone)


async def _read(visit: Visit) -> LookedBack:
    length, versus = _asked(visit)
    return await visit.parts.looking_back.look_back(
        visit.actor, visit.param("vital_id"), length, _day(visit), versus
    )


def _asked(visit: Visit) -> tuple[Length, Versus]:
    return view.length_named(visit.asked("length")), view.versus_named(visit.asked("versus"))


def _day(visit: Visit) -> date:
    """Return the day asked for; today for none, for one that is none and for one that has not come."""
    today = visit.formats.local(visit.formats.now).date()
    try:
        asked = date.fromisoformat(visit.asked("on", at_most=10))
    except ValueError:
        return today
    return min(max(asked, date(1990, 1, 1)), today)


def _period(side: Any) -> dict[str, Any]:
    period = side.period
    return {
        "first": period.first.isoformat(),
        "last": period.last.isoformat(),
        "mean": side.mean,
        "values": len(side.points),
    }


SCREENS = (
    Screen("/vitals/{vital_id}/back", show, VITALS),
    Screen("/vitals/{vital_id}/back.json", data_json, VITALS, quiet=True),
    Screen("/vitals/{vital_id}/back.csv", data_csv, VITALS, quiet=True),
    Screen("/vitals/{vital_id}/notes", add_note, NOTES, methods=("POST",)),
)
