"""The temporal evolution of an entity, pure: reading it, cutting it into pages, and when a scope held.

GS CIM 009 V1.9.1, clauses 4.5.6 (scopes over time), 4.18, 5.6.11, 5.7.4 and 6.3.10 (pages over time).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from chengmai.kernel.instants import format_us, parse_us
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity, Instance
from chengmai.ngsild.expand import expand_fragment
from chengmai.ngsild.members import NULL, checked_instant, checked_scopes, checked_uri, refused
from chengmai.ngsild.merging import is_whole
from chengmai.ngsild.particular import is_null
from chengmai.ngsild.select import Selector, matches_scopes
from chengmai.ngsild.temporal import TemporalQuery

Series: TypeAlias = dict[str, list[Instance]]
"""Expanded attribute name, or `scope`, to instances in order of time."""
Pairs: TypeAlias = list[tuple[str, Instance]]


@dataclass(frozen=True)
class Evolution:
    """What a client says of an entity over time: `instances` in the order given, `head` without them."""

    head: Entity
    instances: Pairs

    def newest(self) -> Entity:
        """Return the entity as it stands at the end of what is told (one instance a dataset)."""
        made: Entity = dict(self.head)
        best: dict[tuple[str, str | None], Instance] = {}
        for name, instance in self.instances:
            key = (name, instance.get("datasetId"))
            if key not in best or _rank(instance) >= _rank(best[key]):
                best[key] = instance
        for (name, _), instance in best.items():
            if is_null(instance) or "deletedAt" in instance:
                continue
            if name == "scope":
                made["scope"] = instance["value"]
            else:
                made.setdefault(name, []).append(instance)
        return made


def expand_evolution(body: Any, ctx: Context, *, fragment: bool = False) -> Evolution:
    """Return the evolution that a temporal representation tells; a `fragment` needs no id and type.

    Null values are deletions of the past (clause 4.5.7); no other member may be null. Raises `Invalid`.
    """
    scopes: Pairs = []
    if isinstance(body, dict):
        if body.get("expiresAt") == NULL or ("expiresAt" in body and body["expiresAt"] is None):
            raise refused("it may not be null here", "expiresAt", "leave it out")
        if _is_told_over_time(body.get("scope")):
            told = body["scope"] if type(body["scope"]) is list else [body["scope"]]
            scopes = [("scope", _scope(one, f"scope[{at}]")) for at, one in enumerate(told)]
            body = {key: value for key, value in body.items() if key != "scope"}
    read = expand_fragment(body, ctx, temporal=True)
    if not fragment and not ("id" in read and "type" in read):
        missing = "type" if "id" in read else "id"
        raise refused("it is missing", missing, 'write "id" and "type"')
    if read.get("scope") == NULL:
        raise refused("it may not be null here", "scope", "leave it out")
    instances = scopes
    for name in [key for key in read if ":" in key]:
        for instance in read.pop(name):
            if not is_whole(instance):
                raise refused("an instance has no kind or no value", ctx.compact(name), "give both")
            instances.append((name, instance))
    return Evolution(read, instances)


def _is_told_over_time(scope: Any) -> bool:
    first = scope[0] if type(scope) is list and scope else scope
    return type(first) is dict


def _scope(told: Any, param: str) -> Instance:
    if type(told) is not dict or told.get("type", "Property") != "Property":
        raise refused("it is no Property", param, 'write {"type": "Property", "value": "/a"}')
    value = told.get("value")
    made: Instance = {
        "type": "Property",
        "value": [] if value in ([], NULL) else checked_scopes(value, f"{param}.value"),
    }
    for member in ("observedAt", "deletedAt"):
        if member in told:
            made[member] = checked_instant(told[member], f"{param}.{member}")
    if "datasetId" in told:
        made["datasetId"] = checked_uri(told["datasetId"], f"{param}.datasetId")
    return made


def _rank(instance: Instance) -> tuple[bool, int]:
    # What has no instant of its own is true now.
    at = instance.get("observedAt", instance.get("deletedAt"))
    return (at is None, 0 if at is None else parse_us(at))


@dataclass(frozen=True)
class Cut:
    """Where a page over time ends: `start` to `end` as told in Content-Range, and the size or None."""

    start_us: int
    end_us: int
    size: int | None

    @property
    def content_range(self) -> str:
        """Return the value of the Content-Range header (clause 6.3.10)."""
        size = "*" if self.size is None else self.size
        return f"date-time {format_us(self.start_us)}-{format_us(self.end_us)}/{size}"


def paged(found: Mapping[str, Series], query: TemporalQuery, most: int) -> Cut | None:
    """Cut the evolutions (entity id to series) in place to one page of about `most` instances.

    Without lastN a page begins with the oldest, with lastN with the newest instances. All instances of
    one instant stay together. What is cut away leaves an empty list. None when everything fits.
    """
    by = query.timeproperty
    times = sorted(
        (
            parse_us(one[by])
            for series in found.values()
            for each in series.values()
            for one in each
        ),
        reverse=query.last_n is not None,
    )
    if len(times) <= most:
        return None
    edge = times[most - 1]
    if times[most] == edge and times[0] != edge:
        edge = next(at for at in reversed(times[: most - 1]) if at != edge)
    for series in found.values():
        for each in series.values():
            if query.last_n is None:
                each[:] = [one for one in each if parse_us(one[by]) <= edge]
            else:
                each[:] = [one for one in each if parse_us(one[by]) >= edge]
    start = query.start_us if query.last_n is None else query.end_us
    return Cut(times[0] if start is None else start, edge, query.last_n)


def as_entity(head: Entity, series: Series) -> Entity:
    """Return the evolution as one entity with many instances, so that a filter asks any of them."""
    made = {key: value for key, value in head.items() if ":" not in key and key != "scope"}
    return made | {name: found for name, found in series.items() if name != "scope" and found}


def within_scopes(
    series: Series,
    scopes: list[Instance],
    query: Selector,
    by: TemporalQuery,
    *,
    shown: bool = False,
) -> Series:
    """Return what of the evolution lies where a scope held that `query` asks for (clauses 4.18, 5.7.4).

    `scopes` are all scopes the entity ever had, oldest first: each holds until the next one or its end.
    With `shown` the one that held when the window began is among what is returned.
    """
    if not scopes:
        return {}
    ends = [_us(one) for one in scopes[1:]]
    holds = [
        (_us(one), end)
        for one, end in zip(scopes, [*ends, None], strict=True)
        if "deletedAt" not in one and matches_scopes(query, _scopes_of(one["value"]))
    ]
    holds = [
        (start, end)
        for start, end in holds
        if (by.end_us is None or start < by.end_us)
        and (end is None or by.start_us is None or end > by.start_us)
    ]
    if not holds:
        return {}
    made: Series = {}
    for name, found in series.items():
        kept = [one for one in found if _lies_in(parse_us(one[by.timeproperty]), holds)]
        if kept:
            made[name] = kept
    before = [one for one in scopes if by.start_us is not None and _us(one) < by.start_us]
    if (
        shown
        and made
        and before
        and by.timeproperty in before[-1]
        and "deletedAt" not in before[-1]
    ):
        made = {"scope": [before[-1], *made.pop("scope", [])], **made}
    return made


def _us(scope: Instance) -> int:
    return parse_us(_set_at(scope))


def _set_at(scope: Instance) -> str:
    return str(scope.get("observedAt") or scope.get("deletedAt") or scope["modifiedAt"])


def _scopes_of(value: Any) -> list[str]:
    return value if type(value) is list else [value]


def _lies_in(at_us: int, spans: Iterable[tuple[int, int | None]]) -> bool:
    return any(start <= at_us and (end is None or at_us < end) for start, end in spans)


def newer(told: Entity, current: Entity) -> Entity:
    """Return what of `told` is not older than the current state."""
    made = {key: value for key, value in told.items() if ":" not in key}
    for name in (key for key in told if ":" in key):
        held = {one.get("datasetId"): one for one in current.get(name, ())}
        kept = [one for one in told[name] if not _older(one, held.get(one.get("datasetId")))]
        if kept:
            made[name] = kept
    return made


def observed_us(instance: Instance) -> int | None:
    """Return when an instance was observed, in microseconds since 1970, or None."""
    return parse_us(instance["observedAt"]) if "observedAt" in instance else None


def _older(told: Instance, held: Instance | None) -> bool:
    if held is None or "observedAt" not in told:
        return False
    at = held.get("observedAt", held.get("modifiedAt"))
    return at is not None and parse_us(told["observedAt"]) < parse_us(at)
