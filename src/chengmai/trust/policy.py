"""Who may do what: a frozen table. What is not in it is denied.

An action is `<room>.<what>`; the steps of a case are `cases.step.<step>` and agree with the flow of cases (a
test compares the two). Keeping accounts and reading the audit trail are in different hands, as the
separation of administrators in GB/T 22239-2019 (8.1.5) asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from chengmai.kernel.actors import Actor
from chengmai.trust.problems import ActionNotAllowed, ActionUnknown, SignInNeeded

ASSIGNABLE_ROLES = frozenset(
    {"admin", "duty_officer", "manager", "worker", "partner", "auditor", "citizen"}
)
"""Roles an account or a token can hold. `system` is the platform itself and is never given to anybody."""
ROLES = ASSIGNABLE_ROLES | {"system", "public"}
"""`public` is whoever answers a survey without signing in; it too is never given."""
EXCLUSIVE = (frozenset({"admin", "auditor"}),)
"""Who manages the accounts must not be the one who watches over it."""

_LOOK = frozenset(
    {
        "entities.read",
        "temporal.read",
        "cases.read",
        "vitals.read",
        "feeds.read",
        "incidents.read",
        "pools.read",
        "rules.read",
        "assess.read",
    }
)
_CHANGE = frozenset(
    {
        "assess.manage",
        "entities.write",
        "entities.delete",
        "subscriptions.manage",
        "contexts.manage",
        "registrations.read",
        "registrations.manage",
        "registrations.watch",
        "snapshots.manage",
    }
)


def _steps(*steps: str) -> frozenset[str]:
    return frozenset(f"cases.step.{step}" for step in steps)


_DESK = _steps("open", "reject", "dispatch", "return", "handle", "verify_pass", "verify_fail")
_DESK |= _steps("reopen", "comment", "escalate") | {"incidents.decide"}
_HANDLER = _steps("handle", "return", "comment")
_WATCH = frozenset({"vitals.note", "thresholds.propose"})
_PLATFORM = _steps("open", "escalate", "recovered", "predicted_became_real", "crossed_again")

POLICY: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "admin": _LOOK | _CHANGE | {"accounts.manage", "admin", "metrics.read"},
        "duty_officer": _LOOK
        | _DESK
        | _WATCH
        | {"cases.report", "rules.try", "commands.approve", "pools.decide"},
        "manager": _LOOK
        | _CHANGE
        | _DESK
        | _WATCH
        | {"cases.report", "thresholds.approve", "rules.try", "rules.edit", "pools.decide"},
        "worker": _LOOK | _HANDLER | {"cases.report"},
        "partner": _LOOK
        | _HANDLER
        | {
            "entities.write",
            "subscriptions.manage",
            "registrations.read",
            "registrations.watch",
            "cases.report",
        },
        "auditor": _LOOK | {"audit.read", "metrics.read", "registrations.read"},
        "citizen": frozenset({"cases.report", "vitals.read"}),
        "public": frozenset({"surveys.answer"}),
        "system": _LOOK | _CHANGE | _PLATFORM | {"rules.try"},
    }
)
ACTIONS: frozenset[str] = frozenset().union(*POLICY.values())


def may(actor: Actor | None, action: str) -> bool:
    """Return whether `actor` may do `action`; False for nobody, an unknown role or an unknown action."""
    if actor is None:
        return False
    return any(action in POLICY.get(role, frozenset()) for role in actor.roles)


def allow(actor: Actor | None, action: str) -> None:
    """Let `actor` do `action`, or raise `SignInNeeded`, `ActionNotAllowed` or `ActionUnknown`."""
    if action not in ACTIONS:
        raise ActionUnknown(action)
    if actor is None:
        raise SignInNeeded
    if not may(actor, action):
        raise ActionNotAllowed(action, (r for r in ASSIGNABLE_ROLES if action in POLICY[r]))
