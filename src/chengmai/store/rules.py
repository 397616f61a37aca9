"""What trials of rules read of the model and of the history; puts their port onto both."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from chengmai.broker.ports import Candidates
from chengmai.history.model import Span, TimeProperty
from chengmai.kernel.instants import parse_us
from chengmai.ngsild.entity import Entity, Instance
from chengmai.ngsild.q import Comparison, matches
from chengmai.store.history import EmbeddedHistory
from chengmai.store.sqlite.entities import SqliteEntities
from chengmai.store.sqlite.work import SqliteTx

_AT_ONCE = 500
_Series = dict[str, list[tuple[int, Instance]]]


class RulesPast:
    """Implements `rules.ports.RulePast`."""

    def __init__(self, entities: SqliteEntities, history: EmbeddedHistory) -> None:
        self._entities, self._history = entities, history

    def entity(self, tx: SqliteTx, tenant: str, entity_id: str) -> Entity | None:
        return self._entities.get(tx, tenant, entity_id)

    def linking(
        self,
        tx: SqliteTx,
        tenant: str,
        types: Sequence[str] | None,
        path: tuple[str, ...],
        target: str,
        *,
        limit: int,
    ) -> list[Entity]:
        asked = Comparison(path, (), "==", target)
        which = Candidates(types=None if types is None else tuple(types), q=asked)
        found = self._entities.candidates(tx, tenant, which)
        return list(islice((one for one in found if matches(asked, one)), limit))

    def entities(self, tx: SqliteTx, tenant: str, types: Sequence[str], after: str) -> list[Entity]:
        which = Candidates(types=tuple(types), after=after)
        return list(islice(self._entities.candidates(tx, tenant, which, limit=_AT_ONCE), _AT_ONCE))

    def past(
        self,
        tx: SqliteTx,
        tenant: str,
        entity: str,
        attributes: Sequence[str],
        start_us: int,
        end_us: int,
    ) -> _Series:
        found = self._by(tx, tenant, entity, attributes, start_us, end_us, "observedAt")
        # What is told without `observedAt` is found by when it was written.
        rest = [name for name in attributes if name not in found]
        if rest:
            found |= self._by(tx, tenant, entity, rest, start_us, end_us, "modifiedAt")
        return found

    def _by(
        self,
        tx: SqliteTx,
        tenant: str,
        entity: str,
        attributes: Sequence[str],
        start_us: int,
        end_us: int,
        by: TimeProperty,
    ) -> _Series:
        before = self._history.instances(
            tx, tenant, entity, attributes=attributes, span=Span(None, start_us, by), last_n=1
        )
        inside = self._history.instances(
            tx, tenant, entity, attributes=attributes, span=Span(start_us, end_us, by), last_n=None
        )
        found: _Series = {}
        for name, series in [*before.items(), *inside.items()]:
            for one in series:
                at = one.get(by)
                if at is not None and "datasetId" not in one:
                    found.setdefault(name, []).append((parse_us(at), one))
        return found
