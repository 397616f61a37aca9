"""A snapshot and its document (GS CIM 009 V1.9.1, clauses 5.2.41 and 5.2.42)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from chengmai.broker.distribution.narrowing import Filters
from chengmai.broker.model import EntityQuery
from chengmai.broker.snapshots.problems import SnapshotInvalid
from chengmai.broker.spaces import SpaceStore
from chengmai.broker.temporal import EvolutionQuery, TemporalAsk
from chengmai.kernel.instants import format_us, parse_duration
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.members import checked_uri
from chengmai.ngsild.qparse import MEMBERS

MOST_SNAPSHOTS = 20
"""That a tenant has at a time."""
MOST_QUERIES = 10
"""Of both kinds together."""
LIFETIME = timedelta(days=1)
LONGEST = timedelta(days=7)
PREPARING = "preparing"
_PRIORITY = 5
QUERIES = ("snapshotQueries", "snapshotTemporalQueries")
DETAILS = ("snapshotQueriesDetails", "snapshotTemporalQueriesDetails")
_OUTPUT = frozenset(
    [
        "snapshotStatus",
        *DETAILS,
        "createdAt",
        "modifiedAt",
        "expiresAt",
        "lastUsedAt",
    ]
)
"""What the broker alone says; it is not looked at when it is sent (table 5.2.41-2)."""
_KNOWN = {"id", "type", "snapshotPriority", "snapshotLifetime", "endpoint", "receiverInfo"}
_KNOWN |= _OUTPUT | set(QUERIES)
ASKABLE = ("snapshotPriority", "snapshotLifetime", "snapshotStatus", "expiresAt", "lastUsedAt")
"""Members that `q` of a purge may be about (clause 5.16.7)."""


@dataclass(frozen=True)
class Snapshot:
    """A snapshot as it is kept; what it holds lies in `space`, a tenant that no client can name."""

    tenant: str
    id: str
    space: str
    expires_us: int
    document: Mapping[str, Any]

    @property
    def is_ready(self) -> bool:
        """Whether everything that was to be copied has been copied."""
        return bool(self.document["snapshotStatus"] != PREPARING)

    def shown(self) -> dict[str, Any]:
        """Return the Snapshot of clause 5.2.41."""
        return {**self.document, "expiresAt": format_us(self.expires_us)}

    def as_entity(self, core: Context) -> Entity:
        """Return what `q` of a purge is judged on."""
        shown = self.shown()
        made: Entity = {"id": self.id, "type": [core.expand("Snapshot")]}
        made |= {name: shown[name] for name in MEMBERS if name in shown}
        for name in ASKABLE:
            if name in shown:
                made[core.expand(name)] = [{"type": "Property", "value": shown[name]}]
        return made


@dataclass(frozen=True)
class Plan:
    """One query of a snapshot, compiled."""

    query: EntityQuery
    filters: Filters


@dataclass(frozen=True)
class PastPlan:
    """One temporal query of a snapshot, compiled; `keeps` tells which attributes it picks."""

    query: EvolutionQuery
    ask: TemporalAsk
    filters: Filters
    keeps: Callable[[str], bool]
    local: bool


@dataclass(frozen=True)
class Plans:
    """All queries of a snapshot, in order."""

    now: Sequence[Plan] = ()
    past: Sequence[PastPlan] = ()


class SnapshotStore(SpaceStore, Protocol):
    """Port: snapshots of every tenant, and the spaces of those that are over."""

    def get(self, tx: Any, tenant: str, snapshot_id: str) -> Snapshot | None:
        """Return a snapshot, expired or not; None when there is none."""
        ...

    def every(self, tx: Any, tenant: str | None = None) -> list[Snapshot]:
        """Return the snapshots of a tenant, or (None) of all, ordered."""
        ...

    def put(self, tx: Any, kept: Snapshot) -> None:
        """Create or replace a snapshot."""
        ...

    def leave(self, tx: Any, kept: Snapshot) -> None:
        """Let nobody find a snapshot any more; its space is left to be emptied, and nothing expires in it."""
        ...

    def left(self, tx: Any) -> list[str]:
        """Return the spaces of the snapshots that are over."""
        ...

    def drop(self, tx: Any, space: str) -> None:
        """Forget an empty space."""
        ...


def members_of(body: Any, *, is_new: bool) -> dict[str, Any]:
    """Return the members of a Snapshot that are given (table 5.2.41-1); raises `SnapshotInvalid`.

    Queries come with a new snapshot and never change.
    """
    if not isinstance(body, dict) or body.get("type", None if is_new else "Snapshot") != "Snapshot":
        raise _refused("type", "the body is no Snapshot", 'send an object with "type": "Snapshot"')
    if unknown := sorted(body.keys() - _KNOWN):
        raise _refused(unknown[0], "it is no member of a Snapshot", "leave it out")
    made = {name: value for name, value in body.items() if name not in _OUTPUT}
    _check_queries(made, is_new=is_new)
    if "id" in made:
        checked_uri(made["id"], "id")
    _check_priority(made.get("snapshotPriority", _PRIORITY))
    if "snapshotLifetime" in made:
        lifetime_of(made)
    return {name: made[name] for name in made if name != "type"}


def _check_queries(made: Mapping[str, Any], *, is_new: bool) -> None:
    given = [name for name in QUERIES if name in made]
    if given and not is_new:
        raise _refused(given[0], "it cannot be changed", "make a new snapshot")
    if is_new and not given:
        raise _refused(QUERIES[0], "it is missing", f"give it, or {QUERIES[1]}")
    for name in given:
        if not isinstance(made[name], list) or not made[name]:
            raise _refused(name, "it is no list of queries", 'write [{"type": "Query", …}]')
    if sum(len(made[name]) for name in given) > MOST_QUERIES:
        raise _refused(given[0], f"1 to {MOST_QUERIES} queries are taken", "send fewer")


def _check_priority(priority: Any) -> None:
    if type(priority) is not int or not 1 <= priority <= 10:
        raise _refused("snapshotPriority", "it is no whole number from 1 to 10", "write 5")


def lifetime_of(members: Mapping[str, Any]) -> timedelta:
    """Return how long a snapshot lives: a day unless told, and a week at most; raises `Invalid`."""
    if "snapshotLifetime" not in members:
        return LIFETIME
    try:
        return min(parse_duration(members["snapshotLifetime"], "snapshotLifetime"), LONGEST)
    except OverflowError:
        return LONGEST


def status_of(details: Sequence[Mapping[str, Any]]) -> str:
    """Return the status of a snapshot from what became of its queries (clause 5.16.1.4)."""
    told = {str(one["resultStatus"]) for one in details}
    if told == {"success"}:
        return "success"
    if told & {"success", "partial"}:
        return "partial"
    return "empty" if "empty" in told else "failure"


def with_defaults(members: Mapping[str, Any], now: str) -> dict[str, Any]:
    """Return the document of a snapshot that begins at an instant."""
    return {
        "id": members["id"],
        "type": "Snapshot",
        "snapshotPriority": _PRIORITY,
        **members,
        "snapshotStatus": PREPARING,
        "createdAt": now,
        "modifiedAt": now,
        "lastUsedAt": now,
    }


def _refused(param: str, why: str, fix: str) -> SnapshotInvalid:
    return SnapshotInvalid(f"{param}: {why}", param=param, fix=fix)
