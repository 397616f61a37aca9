"""The use of a pool in SQL over its view: one definition, for the platform and for whoever checks it.

A step of a member is the mean of its readings in the step. Demand is what is used and what waits. Usable is
the capacity less the reserve. Shortage is demand beyond usable, idle is usable beyond demand, both in
unit-hours.
"""

from __future__ import annotations

from typing import Literal, get_args

from chengmai.packs.views import column_of
from chengmai.pools.model import Pool

Measure = Literal["used", "waiting", "capacity", "idle", "shortage", "utilisation"]
OF_MEMBERS: tuple[Measure, ...] = ("used", "waiting", "capacity", "idle", "shortage")
MEASURES: tuple[Measure, ...] = get_args(Measure)
By = Literal["entity", "area"]


def query(pool: Pool, measure: Measure, by: By = "entity") -> str:
    """Return the query that gives (area, tick, value) of a measure, by member or summed by area.

    With `by="entity"` the column `area` holds the id of the member, since every query of the engine names its
    groups so. Utilisation is in per cent: units used of the units there were.
    """
    group = "entity" if by == "entity" else "area"
    return (
        f"WITH step AS ({_steps(pool)})"
        f" SELECT {group} AS area, tick, {_value(pool, measure)} AS value FROM step GROUP BY {group}, tick"
    )


def _steps(pool: Pool) -> str:
    spec, attributes = pool.spec, pool.entity.attributes
    used = column_of(spec.use, attributes[spec.use])
    capacity = column_of(spec.capacity, attributes[spec.capacity])
    waiting = "0.0"
    if spec.waiting is not None:
        waiting = f"coalesce(avg({column_of(spec.waiting, attributes[spec.waiting])}), 0.0)"
    return (
        f"SELECT entity, area, tick, avg({used}) AS used, {waiting} AS waiting,"
        f" avg({capacity}) AS capacity FROM {pool.entity.view} GROUP BY entity, area, tick"
    )


def _value(pool: Pool, measure: Measure) -> str:
    usable = f"{1 - pool.spec.reserve:.6g} * capacity"
    hours = f"{pool.hours:.9g}"
    return {
        "used": "sum(used)",
        "waiting": "sum(waiting)",
        "capacity": "sum(capacity)",
        "idle": f"{hours} * sum(greatest(0.0, {usable} - (used + waiting)))",
        "shortage": f"{hours} * sum(greatest(0.0, used + waiting - {usable}))",
        "utilisation": "100.0 * sum(used) / nullif(sum(capacity), 0)",
    }[measure]
