"""Which role sees which page, and the rail that follows from it. What is not listed here is refused."""

from __future__ import annotations

from dataclasses import dataclass

from chengmai.kernel.actors import Actor

Roles = frozenset[str]

_OFFICE = frozenset({"admin", "duty_officer", "manager"})
DESK: Roles = _OFFICE | {"auditor"}
VITALS: Roles = _OFFICE | {"worker", "partner", "auditor"}
CASES: Roles = _OFFICE | {"worker", "partner", "auditor"}
CASE: Roles = CASES | {"citizen"}
"""One case also for the citizen who reported it; the room behind decides which."""
REPORT: Roles = _OFFICE | {"worker", "partner", "citizen"}
NOTES: Roles = frozenset({"duty_officer", "manager"})
"""Who writes on a curve, and proposes thresholds; only a manager approves them, and never an own one."""
FEEDS: Roles = _OFFICE | {"partner", "auditor"}
RULES: Roles = VITALS
RULES_TRY: Roles = frozenset({"duty_officer", "manager"})
RULES_EDIT: Roles = frozenset({"manager"})
COMMANDS: Roles = frozenset({"duty_officer"})
AUDIT: Roles = frozenset({"admin", "auditor"})
SEARCH: Roles = VITALS
POOLS: Roles = VITALS
SIGNED_IN: Roles = CASE | {"system"}


@dataclass(frozen=True)
class RailEntry:
    """One entry of the rail: `key` names its words and its icon, `go` the second key of `g …`."""

    key: str
    path: str
    roles: Roles
    go: str


RAIL = (
    RailEntry("desk", "/", DESK, "d"),
    RailEntry("vitals", "/vitals", VITALS, "v"),
    RailEntry("cases", "/cases", CASES, "c"),
    RailEntry("report", "/cases/new", REPORT, "n"),
    RailEntry("feeds", "/feeds", FEEDS, "f"),
    RailEntry("audit", "/audit", AUDIT, "a"),
)

SECTIONS = (
    ("vitals", "/vitals"),
    ("incidents", "/incidents"),
    ("forecasts", "/forecasts"),
    ("thresholds", "/thresholds"),
    ("rules", "/rules"),
    ("pools", "/pools"),
    ("assessment", "/assessment"),
)
"""The pages below the entry of vital signs, in the order in which they are offered: (key, path)."""
_OF_VITALS = ("/domains",)


def place_of(path: str) -> tuple[str, str]:
    """Return the key of the rail entry and of the section that a page belongs to, each empty without one."""
    section = next((key for key, root in SECTIONS if _is_below(path, root)), "")
    if section or any(_is_below(path, root) for root in _OF_VITALS):
        return "vitals", section or "vitals"
    below = [entry for entry in RAIL if _is_below(path, entry.path)]
    return max(below, key=lambda entry: len(entry.path)).key if below else "", ""


def _is_below(path: str, root: str) -> bool:
    return path == root or (root != "/" and path.startswith(root + "/"))


def rail_of(actor: Actor | None) -> tuple[RailEntry, ...]:
    """Return the entries that `actor` may open, at most six."""
    if actor is None:
        return ()
    return tuple(entry for entry in RAIL if not actor.roles.isdisjoint(entry.roles))


def home_of(actor: Actor) -> str:
    """Return the first page the actor may open."""
    rail = rail_of(actor)
    return rail[0].path if rail else "/help"
