"""All registrations in memory, so that a request asks no store whether anybody else is concerned.

A tenant's registrations are a tuple that is replaced when one changes: any thread may read it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chengmai.broker.registry.model import Registration


class RegistryBook:
    """Every registration of every tenant; follows each commit."""

    def __init__(self) -> None:
        self._by_tenant: dict[str, tuple[Registration, ...]] = {}
        self._changed: Callable[[], None] = lambda: None

    def on_change(self, changed: Callable[[], None]) -> None:
        """Call `changed()` on the event loop whenever a registration came, changed or went."""
        self._changed = changed

    def add(self, registration: Registration) -> None:
        """Add or replace a registration."""
        others = [one for one in self.of(registration.tenant) if one.id != registration.id]
        kept = sorted([*others, registration], key=lambda one: one.id)
        self._by_tenant[registration.tenant] = tuple(kept)
        self._changed()

    def drop(self, tenant: str, registration_id: str) -> None:
        """Take a registration out, if it is there."""
        kept = tuple(one for one in self.of(tenant) if one.id != registration_id)
        if kept:
            self._by_tenant[tenant] = kept
        else:
            self._by_tenant.pop(tenant, None)
        self._changed()

    def of(self, tenant: str) -> Sequence[Registration]:
        """Return the registrations of a tenant, ordered by id."""
        return self._by_tenant.get(tenant, ())

    def every(self) -> list[Registration]:
        """Return the registrations of all tenants."""
        return [one for held in list(self._by_tenant.values()) for one in held]

    def has(self, tenant: str) -> bool:
        """Return whether a tenant has any."""
        return tenant in self._by_tenant

    def get(self, tenant: str, registration_id: str) -> Registration | None:
        """Return a registration, or None."""
        return next((one for one in self.of(tenant) if one.id == registration_id), None)
