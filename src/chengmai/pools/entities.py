"""The entities `ResourcePool` and `ReallocationSuggestion`: how others see a pool and what is suggested."""

from __future__ import annotations

from typing import Any

from chengmai.kernel.ids import urn
from chengmai.kernel.instants import format_instant, format_us, from_us
from chengmai.kernel.texts import Text
from chengmai.ngsild.entity import Entity, entity, instances, name_iri, opaque, prop, rel, words
from chengmai.pools.model import Look, Outlook, Suggestion
from chengmai.pools.rules import Sum, sum_of

_DAY_US = 86_400_000_000
_WEEK_US = 7 * _DAY_US


def pool_id(pack: str, pool: str) -> str:
    """Return the id of the entity of a pool."""
    return urn("ResourcePool", pack, pool)


def pool_entity(look: Look) -> Entity:
    """Return the entity of a pool after a look at it: numbers of the last step, sums of a day and a week.

    Unit-hours carry no unit code: what a unit is stands in `unitName`.
    """
    pool, at_us = look.pool, look.at_us
    last = sum_of(look.members, at_us - pool.step_us, at_us, pool.step_us)
    day = sum_of(look.members, at_us - _DAY_US, at_us, pool.step_us)
    week = sum_of(look.members, at_us - _WEEK_US, at_us, pool.step_us)
    at = from_us(at_us - pool.step_us)
    code = pool.entity.attributes[pool.spec.use].unit
    share = last.utilisation
    return entity(
        pool_id(pool.pack, pool.spec.id),
        "ResourcePool",
        name=words(pool.spec.title.as_language_map()),
        pack=prop(pool.pack),
        pool=prop(pool.spec.id),
        memberType=prop(pool.spec.entity),
        unitName=words(pool.spec.unit.as_language_map()),
        reserve=prop(pool.spec.reserve),
        inUse=prop(_short(last.used), unit=code, at=at) if last.steps else None,
        waiting=prop(_short(last.waiting), unit=code, at=at) if last.steps else None,
        capacity=prop(_short(last.capacity), unit=code, at=at) if last.steps else None,
        utilisation=prop(_short(100 * share), unit="P1", at=at) if share is not None else None,
        idleUnitHours24h=prop(_short(day.idle), at=at) if day.steps else None,
        shortageUnitHours24h=prop(_short(day.shortage), at=at) if day.steps else None,
        idleUnitHours7d=prop(_short(week.idle), at=at) if week.steps else None,
        shortageUnitHours7d=prop(_short(week.shortage), at=at) if week.steps else None,
        stepsRead7d=prop(week.steps, at=at),
        stepsThere7d=prop(week.of, at=at),
        outlook=opaque(
            {"at": format_us(at_us), "why": look.why, "sentence": look.sentence.as_language_map()}
        ),
        forecast=opaque(
            {name or "all": outlook_json(one) for name, one in sorted(look.outlooks.items())}
        ),
    )


def outlook_json(one: Outlook) -> dict[str, Any]:
    """Return what is expected of a series as it is stored."""
    return {
        "basis": one.basis,
        "model": one.model,
        "because": one.because.as_language_map(),
        "backtest": dict(one.backtest) if one.backtest else None,
        "points": [
            {
                "at": format_us(step.at_us),
                "median": _short(step.median),
                "low": _short(step.low),
                "high": _short(step.high),
                "naive": None if step.naive is None else _short(step.naive),
            }
            for step in one.steps
        ],
    }


def suggestion_entity(made: Suggestion) -> Entity:
    """Return the entity of a suggestion. It is written with every step and never read back.

    So nobody can walk round the decision by patching it.
    """
    effect = made.effect
    found = entity(
        made.id,
        "ReallocationSuggestion",
        name=words(made.summary.as_language_map()),
        refPool=rel(pool_id(made.pack, made.pool)),
        suggestionState=prop(made.state.value),
        startsAt=prop(format_instant(made.start)),
        endsAt=prop(format_instant(made.end)),
        decideBy=prop(format_instant(made.decide_by)),
        expectedShortage=prop(_short(made.before), at=made.made_at),
        expectedShortageAfter=prop(_short(made.after), at=made.made_at),
        cost=prop(_short(made.cost), at=made.made_at),
        moves=opaque([move.model_dump(mode="json") for move in made.moves]),
        solver=prop(made.solver),
        isBest=prop(made.is_best),
        decidedBy=prop(made.decided_by) if made.decided_by else None,
        decidedAt=prop(format_instant(made.decided_at)) if made.decided_at else None,
        decisionReason=prop(made.reason) if made.reason else None,
        effect=opaque(effect.model_dump(mode="json")) if effect else None,
        savedUnitHours=prop(_short(effect.saved), at=effect.measured_at)
        if effect and effect.saved is not None
        else None,
        effectVerdict=prop(effect.verdict) if effect else None,
    )
    cases = [move.case for move in made.moves if move.case]
    if cases:
        # One relationship has one target without a datasetId; each further one has its own.
        others = [
            {**rel(case), "datasetId": urn("Dataset", str(number))}
            for number, case in enumerate(cases[1:], 2)
        ]
        found[name_iri("refCase")] = [rel(cases[0]), *others]
    return found


def name_of(found: Entity) -> Text:
    """Return the name of a member in both languages; what is one text is the same in both."""
    for instance in instances(found, "name"):
        told = instance.get("languageMap")
        if isinstance(told, dict):
            zh, en = (_plain(told.get(lang)) for lang in ("zh", "en"))
            some = next((_plain(v) for v in told.values() if _plain(v)), "")
            if zh or en or some:
                return Text(zh=zh or en or some, en=en or zh or some)
        value = instance.get("value")
        if isinstance(value, str) and value.strip():
            return Text(zh=value.strip(), en=value.strip())
    tail = str(found["id"]).rpartition(":")[2] or str(found["id"])
    return Text(zh=tail, en=tail)


def sums_of(look: Look) -> dict[str, Sum]:
    """Return the use of a pool in the last step, the last day and the last week."""
    at, step = look.at_us, look.pool.step_us
    return {
        "step": sum_of(look.members, at - step, at, step),
        "day": sum_of(look.members, at - _DAY_US, at, step),
        "week": sum_of(look.members, at - _WEEK_US, at, step),
    }


def _plain(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _short(value: float) -> float:
    return float(f"{value:.7g}")
