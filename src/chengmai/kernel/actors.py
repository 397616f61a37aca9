"""Who does something: a person, a machine, or the platform itself."""

from __future__ import annotations

from dataclasses import dataclass, field

DEFAULT_TENANT = "city"


@dataclass(frozen=True)
class Actor:
    """A person or machine with its tenant and its roles.

    `id` is what the audit line keeps (`usr_…`, `tok_…`, `sys:vitals`); `name` is what people read.
    """

    id: str
    tenant: str = DEFAULT_TENANT
    roles: frozenset[str] = field(default_factory=frozenset)
    name: str = ""

    def has_role(self, *roles: str) -> bool:
        """Return whether the actor holds any of `roles`."""
        return not self.roles.isdisjoint(roles)


def system(part: str, tenant: str = DEFAULT_TENANT) -> Actor:
    """Return the actor for what the platform does by itself; `part` says which part of it."""
    return Actor(id=f"sys:{part}", tenant=tenant, roles=frozenset({"system"}), name=part)
