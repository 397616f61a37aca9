"""Addresses of trials: a rule is tried against the past before it is switched on."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from starlette.responses import Response

from chengmai.kernel.problems import Invalid
from chengmai.web.cockpit.access import RULES_TRY
from chengmai.web.cockpit.errors import describe
from chengmai.web.cockpit.rules.drawing import curve_chart, day_bars
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_json
from chengmai.web.cockpit.visit import Visit, link

_SHOWN = 100


async def start(visit: Visit) -> Response:
    """Begin a trial of a rule, of the last 30 days unless days are given, and go and look at it."""
    desk, actor = visit.desk.rules, visit.actor
    rule = await desk.rule(actor, visit.param("rule_id"))
    begin, end = _day(visit, "from"), _day(visit, "to")
    last = end + timedelta(days=1) if end else None
    trial = desk.start_trial(actor, rule.id, rule.spec, begin, last)
    return visit.redirect(link("rules", "trials", trial.id))


async def show(visit: Visit) -> Response:
    desk, actor, formats = visit.desk.rules, visit.actor, visit.formats
    trial = desk.trial(actor, visit.param("trial_id"))
    result = trial.result
    curve = chart = bars = None
    if result is not None:
        words = visit.words
        most = [name for name, _ in result.per_entity.most_common(1)]
        chosen = visit.asked("entity") or (most[0] if most else "")
        curve = await desk.curve(actor, trial, chosen) if chosen else None
        bars = day_bars(result.per_day, formats, words("rules.trial.per_day"))
        if curve is not None:
            name = words.pick(curve.name)
            said = words("rules.trial.curve", name=name, n=len(curve.firings))
            first = max(trial.start, curve.points[0][0]) if curve.points else trial.start
            chart = (
                curve_chart(curve, first, trial.end, formats, said) if first < trial.end else None
            )
    return visit.page(
        "rules/trial.html",
        trial=trial,
        failed=describe(trial.problem, visit.words) if trial.problem else None,
        result=result,
        curve=curve,
        chart=chart,
        bars=bars,
        shown=result.firings[:_SHOWN] if result else (),
        busiest=result.per_entity.most_common(_SHOWN) if result else (),
    )


async def data_json(visit: Visit) -> Response:
    trial = visit.desk.rules.trial(visit.actor, visit.param("trial_id"))
    state = "running" if trial.is_running else "stopped" if trial.stopped else "done"
    head = {"state": state, "entities_done": trial.done, "fired_so_far": trial.fired}
    return as_json(head | {"result": trial.result.as_json() if trial.result else None})


async def stop(visit: Visit) -> Response:
    visit.desk.rules.stop_trial(visit.actor, visit.param("trial_id"))
    return visit.redirect(link("rules", "trials", visit.param("trial_id")))


def _day(visit: Visit, name: str) -> datetime | None:
    text = visit.form.get(name, "").strip()
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), ZoneInfo(visit.banner.zone))
    except ValueError:
        raise Invalid(
            f"{text!r:.40} is no day",
            code="rule.trial_day",
            param=name,
            fix="write it as 2026-11-22",
            text=text[:40],
        ) from None


SCREENS = (
    Screen("/rules/trials/{trial_id}", show, RULES_TRY),
    Screen("/rules/trials/{trial_id}/data.json", data_json, RULES_TRY, quiet=True),
    Screen("/rules/trials/{trial_id}/stop", stop, RULES_TRY, methods=("POST",)),
)
