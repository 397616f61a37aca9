"""Reading members of a document a client sent: each returns the member or raises `SubscriptionInvalid`."""

from __future__ import annotations

from typing import Any

from chengmai.broker.problems import SubscriptionInvalid


def member(document: dict[str, Any], name: str, kind: type) -> Any:
    """Return a member that must be there."""
    value = document.get(name)
    if not isinstance(value, kind):
        raise SubscriptionInvalid(f"{name} is missing or is no {kind.__name__}", param=name)
    return value


def text(document: dict[str, Any], name: str) -> str | None:
    """Return a text, or None when it is not there."""
    if document.get(name) is None:
        return None
    return str(member(document, name, str))


def flag(document: dict[str, Any], name: str, *, default: bool) -> bool:
    """Return true or false."""
    return default if document.get(name) is None else bool(member(document, name, bool))


def number(document: dict[str, Any], name: str, *, least: float) -> float | None:
    """Return a number of at least so much, or None when it is not there."""
    value = document.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= least:
        raise SubscriptionInvalid(
            f"{name} is no number from {least} on", param=name, fix="write a number"
        )
    return float(value)


def entries(document: dict[str, Any], name: str, kind: type) -> list[Any]:
    """Return a list, empty when it is not there; one that is there must not be empty."""
    if document.get(name) is None:
        return []
    found: list[Any] = member(document, name, list)
    if not found:
        raise SubscriptionInvalid(f"{name} is empty", param=name, fix="leave it out")
    if not all(isinstance(one, kind) for one in found):
        raise SubscriptionInvalid(f"an entry of {name} is no {kind.__name__}", param=name)
    return found
