"""How a question is read, worked out once: cities ask the same things again and again.

A plan says where the reading begins, which is found by counting; when the counts have changed since it is
slower and never wrong. So it is made anew every so many uses.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from chengmai.broker.ports import Candidates
from chengmai.store.sqlite.choosing import asked_of, chosen
from chengmai.store.sqlite.qsql import Asked, Sql
from chengmai.store.sqlite.values import SqliteValues
from chengmai.store.sqlite.widths import Widths
from chengmai.store.sqlite.work import SqliteTx

_MOST = 1000
_USES = 200
_MOST_IDS = 20


@dataclass(slots=True)
class _Plan:
    which: Candidates
    asked: Asked
    page: Sql
    left: int = _USES


class Plans:
    """Plans of pages by question; readers on several threads share them."""

    def __init__(self) -> None:
        self._known: dict[Hashable, _Plan] = {}
        self._widths = Widths()

    def of(
        self, tx: SqliteTx, tenant: str, which: Candidates, values: SqliteValues
    ) -> tuple[Asked, Sql]:
        """Return what the index knows of a question, and the statement of a page without limit and offset."""
        key = _key(tenant, which)
        plan = self._known.get(key)
        if plan is not None and plan.left > 0:
            plan.left -= 1
            return plan.asked, plan.page
        asked = asked_of(tx, tenant, which, values)
        choice = chosen(tx, tenant, which, asked, is_whole=False, widths=self._widths)
        page = choice.page(0, 0)
        made = _Plan(which, asked, Sql(page.text, page.values[:-2]))
        # An index that is missing may be there in a moment; many ids are hardly asked for twice.
        if not asked.missing and len(which.ids or ()) <= _MOST_IDS:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = made
        return made.asked, made.page


def _key(tenant: str, which: Candidates) -> Hashable:
    # The same tree of q, not an equal one: true and 1 are equal. The plan keeps it, and so its number.
    types, ids = (None if one is None else tuple(one) for one in (which.types, which.ids))
    return tenant, types, ids, which.box, which.id_prefix, which.after, id(which.q)
