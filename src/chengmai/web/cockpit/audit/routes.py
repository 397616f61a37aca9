"""The audit trail, read only."""

from __future__ import annotations

from starlette.responses import Response

from chengmai.web.cockpit.access import AUDIT
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.views import AuditFilter
from chengmai.web.cockpit.visit import Visit


async def show(visit: Visit) -> Response:
    asked = _filter(visit)
    page = await visit.desk.audit(visit.actor, asked)
    return visit.page("audit/page.html", page=page, text=asked.text or "")


async def data_json(visit: Visit) -> Response:
    return as_json(await visit.desk.audit(visit.actor, _filter(visit)))


async def data_csv(visit: Visit) -> Response:
    page = await visit.desk.audit(visit.actor, _filter(visit))
    header = ("sequence", "at", "by", "action", "subject", "note", "digest")
    rows = ((x.sequence, x.at, x.by, x.action, x.subject, x.note, x.digest) for x in page.lines)
    return as_csv(header, rows, "audit")


def _filter(visit: Visit) -> AuditFilter:
    before = visit.asked("before", at_most=18)
    number = int(before) if before.isascii() and before.isdigit() else None
    return AuditFilter(visit.asked("q") or None, number)


SCREENS = (
    Screen("/audit", show, AUDIT),
    Screen("/audit.json", data_json, AUDIT, quiet=True),
    Screen("/audit.csv", data_csv, AUDIT, quiet=True),
)
