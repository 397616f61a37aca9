"""Use cases on the temporal evolution of entities (GS CIM 009 V1.9.1, clauses 5.6.11–5.6.16, 5.7.3, 5.7.4).

Current and temporal state are one entity: what is told of the past is recorded as it is, and where it is
newer than the current state, the current state follows. Deleting the past leaves the present alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from chengmai.broker.ports import Candidates, Chronicle, EntityStore, TransientStore
from chengmai.broker.problems import EntityNotFound, InstanceNotFound
from chengmai.broker.published import ClientCommit
from chengmai.broker.spaces import Spaces
from chengmai.broker.subscription import EntityInfo
from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import format_instant
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild import geoq, patch, q
from chengmai.ngsild.entity import Entity, Instance
from chengmai.ngsild.evolution import (
    Cut,
    Evolution,
    Series,
    as_entity,
    newer,
    observed_us,
    paged,
    within_scopes,
)
from chengmai.ngsild.geoq import GeoQuery
from chengmai.ngsild.merging import overlaid
from chengmai.ngsild.problems import AttributeMissing, TooManyResults
from chengmai.ngsild.q import Query
from chengmai.ngsild.select import Selector
from chengmai.ngsild.temporal import TemporalQuery

MOST_INSTANCES = 100_000
"""Of one entity, where all must be looked at: filters and aggregates."""
_ALWAYS = TemporalQuery(timeproperty="modifiedAt")


@dataclass(frozen=True)
class TemporalAsk:
    """What of an evolution is asked for; `attributes` and `datasets` None mean all.

    `page` is how many instances a page holds at about; None gives everything (aggregates need it).
    More than `most` instances of all entities together are refused.
    """

    window: TemporalQuery
    attributes: Sequence[str] | None = None
    datasets: frozenset[str] | None = None
    scopes: Selector | None = None
    page: int | None = None
    most: int | None = None

    @property
    def is_folded(self) -> bool:
        """Whether the history can aggregate by itself: nothing about an instance but its value counts."""
        window = self.window
        plain = self.page is None and self.scopes is None and window.timeproperty != "deletedAt"
        return plain and bool(window.methods)


@dataclass(frozen=True)
class EvolutionQuery:
    """Which evolutions are asked for: entities that one of `entities` covers, whose instances match.

    They come ordered by id, or the other way round when `descending`.
    """

    entities: Sequence[EntityInfo] = ()
    q: Query | None = None
    geoq: GeoQuery | None = None
    limit: int = 20
    offset: int = 0
    count: bool = False
    descending: bool = False


@dataclass(frozen=True)
class TemporalFound:
    """A page of evolutions: entities with their series; `cut` when it is a page over time as well."""

    entities: list[tuple[Entity, Series]] = field(default_factory=list)
    total: int | None = None
    more: bool = False
    cut: Cut | None = None


class TemporalBroker:
    """What clients do with the past."""

    def __init__(
        self,
        work: Work[Tx],
        commit: ClientCommit,
        entities: EntityStore,
        chronicle: Chronicle,
        spaces: Spaces,
        transients: TransientStore,
    ) -> None:
        self._work = work
        self._commit = commit
        self._entities = entities
        self._chronicle = chronicle
        self._spaces = spaces
        self._transients = transients

    async def tell(self, actor: Actor, told: Evolution) -> bool:
        """Create or extend an evolution (clause 5.6.11); return whether there was none before."""
        entity_id = told.head["id"]

        def tell(tx: Tx) -> bool:
            before = self._commit.get(tx, actor.tenant, entity_id)
            known = before is not None and self._chronicle.has_past(tx, actor.tenant, entity_id)
            self._record(tx, actor, before, told)
            return not known

        return await self._work.write(tell)

    async def append(self, actor: Actor, entity_id: str, told: Evolution) -> None:
        """Add attribute instances (clause 5.6.12); raises `EntityNotFound`."""

        def append(tx: Tx) -> None:
            before = self._commit.get(tx, actor.tenant, entity_id)
            if before is None:
                raise EntityNotFound(entity_id)
            self._record(tx, actor, before, told)

        await self._work.write(append)

    async def delete(self, actor: Actor, entity_id: str) -> None:
        """Delete the evolution of an entity (clause 5.6.16); raises `EntityNotFound`."""

        def delete(tx: Tx) -> None:
            self._commit.get(tx, actor.tenant, entity_id)
            if not self._chronicle.has_past(tx, actor.tenant, entity_id):
                raise EntityNotFound(entity_id)
            self._chronicle.forget(tx, actor.tenant, entity_id)
            self._transients.drop_remnant(tx, actor.tenant, entity_id)
            self._spaces.line(tx, actor, "temporal.delete", entity_id, {})

        await self._work.write(delete)

    async def delete_attribute(
        self, actor: Actor, entity_id: str, attribute: str, dataset_id: str | None
    ) -> None:
        """Delete the past of an attribute, of one dataset or (None) of all (clause 5.6.13)."""

        def delete(tx: Tx) -> None:
            found = self._attribute(tx, actor.tenant, entity_id, attribute)
            if dataset_id is not None and not any(
                one.get("datasetId", "@none") == dataset_id for one in found
            ):
                raise _missing(attribute)
            self._chronicle.forget(tx, actor.tenant, entity_id, attribute, dataset_id)
            self._spaces.line(tx, actor, "temporal.attribute.delete", entity_id, {})

        await self._work.write(delete)

    async def change_instance(
        self,
        actor: Actor,
        entity_id: str,
        attribute: str,
        instance_id: str,
        given: Instance | None,
    ) -> None:
        """Change one instance of the past in part, None deletes it (clauses 5.6.14 and 5.6.15)."""
        seen: list[Instance] = []

        def changed(old: Instance) -> Instance | None:
            seen.append(old)
            return None if given is None else overlaid(old, given, attribute)

        def change(tx: Tx) -> None:
            tenant = actor.tenant
            self._attribute(tx, tenant, entity_id, attribute)
            there = self._chronicle.edit_instance(
                tx, tenant, entity_id, attribute, instance_id, changed
            )
            if not there:
                raise InstanceNotFound(instance_id)
            action = "temporal.instance.delete" if given is None else "temporal.instance.update"
            self._spaces.line(tx, actor, action, entity_id, {"instance": instance_id})
            if given is not None:
                self._spaces.weigh(tx, tenant, None, None, [(attribute, given)])
                self._follow(tx, actor, entity_id, attribute, seen[0], given)

        await self._work.write(change)

    async def retrieve(self, actor: Actor, entity_id: str, ask: TemporalAsk) -> TemporalFound:
        """Return the evolution of an entity (clause 5.7.3).

        Raises `EntityNotFound`, and `AttributeMissing` when none of the attributes asked for has a past.
        """

        def retrieve(tx: Tx) -> TemporalFound:
            entity = self._entities.get(tx, actor.tenant, entity_id)
            if entity is None:
                entity = self._transients.remnant(tx, actor.tenant, entity_id)
            tenant = actor.tenant
            series = self._series(tx, tenant, entity_id, ask, first=True) if entity else {}
            if not entity or not (series or self._chronicle.has_past(tx, tenant, entity_id)):
                raise EntityNotFound(entity_id)
            if ask.attributes and not series:
                has = (self._chronicle.has_past(tx, tenant, entity_id, n) for n in ask.attributes)
                if not any(has):
                    raise _missing(ask.attributes[0])
            return _page([(entity, series)], ask)

        return await self._work.read(retrieve)

    async def query(self, actor: Actor, query: EvolutionQuery, ask: TemporalAsk) -> TemporalFound:
        """Return a page of the evolutions that match in the window (clause 5.7.4)."""

        def every(tx: Tx) -> TemporalFound:
            page: list[tuple[Entity, Series]] = []
            seen = held = 0
            end = query.offset + query.limit
            for entity, series in self._evolutions(tx, actor.tenant, query, ask):
                seen += 1
                held += instances_in(series)
                check_most(held, ask.most)
                if query.offset < seen <= end:
                    page.append((entity, series))
                if not query.count and seen > end:
                    break
            made = _page(page, ask)
            return replace(made, total=seen if query.count else None, more=seen > end)

        return await self._work.read(every)

    def _evolutions(
        self, tx: Tx, tenant: str, query: EvolutionQuery, ask: TemporalAsk
    ) -> Iterator[tuple[Entity, Series]]:
        # Filters on values ask the instances in the window, not the current state.
        judged = query.q is not None or query.geoq is not None
        for entity in self._candidates(tx, tenant, query):
            if judged:
                every = replace(ask, attributes=None, datasets=None)
                whole = as_entity(entity, self._series(tx, tenant, entity["id"], every))
                if query.q is not None and not q.matches(query.q, whole):
                    continue
                if query.geoq is not None and not geoq.matches(query.geoq, whole):
                    continue
            series = self._series(tx, tenant, entity["id"], ask, first=True)
            if series:
                yield entity, series

    def _candidates(self, tx: Tx, tenant: str, query: EvolutionQuery) -> Iterator[Entity]:
        infos = query.entities
        types = {name for info in infos if info.types is not None for name in info.types.names}
        ids = {info.id for info in infos if info.id is not None}
        which = Candidates(
            types=sorted(types)
            if all(info.types is not None for info in infos) and infos
            else None,
            ids=sorted(ids) if all(info.id is not None for info in infos) and infos else None,
        )
        found: Iterable[Entity] = self._entities.candidates(tx, tenant, which)
        if gone := self._expired(tx, tenant):
            found = sorted([*found, *gone], key=lambda one: str(one["id"]))
        for entity in reversed(list(found)) if query.descending else found:
            if not infos or any(info.covers(entity) for info in infos):
                yield entity

    def _expired(self, tx: Tx, tenant: str) -> list[Entity]:
        """Return what is left of entities that expired and were not created anew (clause 4.22)."""
        heads = self._transients.remnants(tx, tenant)
        return [one for one in heads if self._entities.get(tx, tenant, one["id"]) is None]

    def _series(
        self, tx: Tx, tenant: str, entity_id: str, ask: TemporalAsk, *, first: bool = False
    ) -> Series:
        if first and ask.is_folded:
            folded = self._chronicle.summaries(
                tx,
                tenant,
                entity_id,
                ask.window,
                attributes=ask.attributes,
                datasets=ask.datasets,
                most=MOST_INSTANCES,
            )
            if folded is not None:
                return folded
        bounded = first and ask.page is not None and ask.scopes is None
        series = self._chronicle.past(
            tx,
            tenant,
            entity_id,
            ask.window,
            attributes=ask.attributes,
            # One more than a page of each series tells whether the page is all there is.
            first_n=(ask.page or 0) + 1 if bounded else MOST_INSTANCES + 1,
        )
        if ask.datasets is not None:
            kept = {
                name: [one for one in found if one.get("datasetId", "@none") in ask.datasets]
                for name, found in series.items()
            }
            series = {name: found for name, found in kept.items() if found}
        check_most(instances_in(series), MOST_INSTANCES)
        if ask.scopes is not None:
            held = self._chronicle.past(tx, tenant, entity_id, _ALWAYS, attributes=["scope"])
            shown = ask.attributes is None or "scope" in ask.attributes
            series = within_scopes(
                series, held.get("scope", []), ask.scopes, ask.window, shown=shown
            )
        return series

    def _record(self, tx: Tx, actor: Actor, before: Entity | None, told: Evolution) -> None:
        now = format_instant(tx.now)
        newest = told.newest()
        if before is None:
            result = patch.created(newest, now)
        else:
            result = patch.append(before, newer(newest, before), now)
        # The past is told even where the present stays as it is.
        if before is not None and not result.is_changed:
            self._spaces.weigh(tx, actor.tenant, None, None, told.instances)
            self._chronicle.record(tx, actor.tenant, before["id"], told.instances)
            self._spaces.line(tx, actor, "temporal.write", before["id"], {})
            return
        history = list(told.instances)
        if "scope" in told.head:
            held = {"type": "Property", "value": told.head["scope"], "observedAt": now}
            history.append(("scope", held))
        self._commit.save(tx, before, result, by=actor, action="temporal.write", history=history)

    def _follow(
        self,
        tx: Tx,
        actor: Actor,
        entity_id: str,
        attribute: str,
        old: Instance,
        given: Instance,
    ) -> None:
        """Change the present as well when the instance that was changed is the present one."""
        before = self._entities.get(tx, actor.tenant, entity_id)
        for one in (before or {}).get(attribute, ()):
            same = one.get("datasetId") == old.get("datasetId")
            if before is not None and same and observed_us(one) == observed_us(old):
                fragment = {k: v for k, v in given.items() if k != "datasetId"}
                if "datasetId" in one:
                    fragment["datasetId"] = one["datasetId"]
                result = patch.partial(before, attribute, fragment, format_instant(tx.now))
                self._commit.save(tx, before, result, by=actor, action="temporal.write", history=[])
                return

    def _attribute(self, tx: Tx, tenant: str, entity_id: str, attribute: str) -> list[Instance]:
        self._commit.get(tx, tenant, entity_id)
        if not self._chronicle.has_past(tx, tenant, entity_id):
            raise EntityNotFound(entity_id)
        found = self._chronicle.past(
            tx, tenant, entity_id, _ALWAYS, attributes=[attribute], first_n=1
        )
        if attribute not in found:
            raise _missing(attribute)
        return found[attribute]


def instances_in(series: Series) -> int:
    """Return how many instances there are in all."""
    return sum(map(len, series.values()))


def check_most(count: int, most: int | None) -> None:
    """Raise `TooManyResults` when more than `most` instances match."""
    if most is not None and count > most:
        raise TooManyResults(
            f"{count} instances match, more than {most}",
            code="temporal.too_many",
            param="timerel",
            fix="narrow the window, name attrs, or ask for lastN",
        )


def _page(entities: list[tuple[Entity, Series]], ask: TemporalAsk) -> TemporalFound:
    cut = None
    if ask.page is not None:
        cut = paged({entity["id"]: series for entity, series in entities}, ask.window, ask.page)
    if ask.window.last_n is not None:
        for _, series in entities:
            for found in series.values():
                if found and "aggregates" not in found[0]:
                    found.reverse()
    return TemporalFound(entities, cut=cut)


def _missing(attribute: str) -> AttributeMissing:
    return AttributeMissing(
        f"the entity has no past of {attribute}", param="attrs", fix="name attributes that it has"
    )
