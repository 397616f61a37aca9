"""What is shown of sessions and of the audit trail; part of `cockpit.views`, imported from there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from chengmai.kernel.actors import Actor


@dataclass(frozen=True)
class AuditFilter:
    text: str | None = None
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True)
class AuditLineView:
    """One audit line. `sequence` orders the chain; `digest` is its SHA-256 in hexadecimal."""

    sequence: int
    at: datetime
    by: str
    action: str
    subject: str
    note: str
    digest: str


@dataclass(frozen=True)
class AuditPage:
    """`intact` is None when the chain was not checked; `broken_at` the first line that does not fit."""

    lines: tuple[AuditLineView, ...]
    intact: bool | None = None
    checked: int = 0
    broken_at: int | None = None
    next_before: int | None = None


@dataclass(frozen=True)
class Session:
    """A session just begun; `token` is the secret that the browser keeps."""

    token: str
    actor: Actor
    lasts: timedelta
