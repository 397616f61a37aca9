"""The door of the registry: what clients write as its entities is a record like any other, or is not taken.

A number without a source is no number, whichever way it comes: an import refuses its line, the API the entity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from chengmai.assess import countries
from chengmai.assess.frameworks import kept
from chengmai.assess.model import Place
from chengmai.assess.panel.model import SHEET_TYPE
from chengmai.assess.panel.reading import entry_of_sheet
from chengmai.assess.placing import check_places
from chengmai.assess.pointing import Pointing, unknown_indicator
from chengmai.assess.problems import CountryInvalid, FrameworkInvalid, RecordInvalid, RecordRefused
from chengmai.assess.reasons import both
from chengmai.assess.records import KINDS, Kind, from_entity, id_of, term_of, unknown_target
from chengmai.kernel.ids import urn
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity, name_iri
from chengmai.ngsild.model import Model

Gate = Callable[[Tx, str, Entity], None]
"""Lets an entity of a tenant pass, or raises `RecordRefused`."""


def gates(model: Model) -> Mapping[str, Gate]:
    """Return what clients' entities have to pass, by type IRI."""
    door = Door(model)
    made: dict[str, Gate] = {
        name_iri(kind.entity_type): partial(door.record, kind) for kind in KINDS.values()
    }
    made[name_iri(SHEET_TYPE)] = door.sheet
    made[name_iri(kept.TYPE)] = door.framework
    made[name_iri(countries.TYPE)] = door.country
    return made


class Door:
    """Looks at entities of the registry's types as clients want to write them."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def record(self, kind: Kind, tx: Tx, tenant: str, entity: Entity) -> None:
        """Let a record pass whose fields hold and point at what is there."""
        pointing = Pointing(self._model, tx, tenant)
        try:
            record = from_entity(kind, entity)
            if isinstance(record, Place):
                check_places([record], lambda code: _found(record, code, pointing))
        except RecordInvalid as problem:
            name = both(problem.facts["field"]).en
            raise RecordRefused(entity["id"], term_of(name), problem.facts["why"]) from None
        _named(entity, kind.entity_type, id_of(record))
        if (wrong := pointing.wrong(kind, record)) is not None:
            raise RecordRefused(entity["id"], term_of(wrong[0]), wrong[1])

    def sheet(self, tx: Tx, tenant: str, entity: Entity) -> None:
        """Let a sheet of values pass whose place and indicators there are."""
        pointing = Pointing(self._model, tx, tenant)
        try:
            entry = entry_of_sheet(entity)
        except RecordInvalid as problem:
            name = both(problem.facts["field"]).en
            raise RecordRefused(entity["id"], term_of(name), problem.facts["why"]) from None
        if not pointing.has("place", entry.ref.place):
            raise RecordRefused(entity["id"], "refPlace", unknown_target("place", entry.ref.place))
        for indicator in entry.values:
            if not pointing.defines(indicator):
                raise RecordRefused(entity["id"], "indicatorValues", unknown_indicator(indicator))

    def framework(self, tx: Tx, tenant: str, entity: Entity) -> None:
        """Let a framework pass whose package can be read."""
        try:
            framework = kept.from_entity(entity)
        except FrameworkInvalid as problem:
            why = problem.facts.get("why") or both(problem.detail)
            raise RecordRefused(entity["id"], f"package.{problem.param}", why) from None
        _named(entity, kept.TYPE, framework.id)

    def country(self, tx: Tx, tenant: str, entity: Entity) -> None:
        """Let the package of a country pass that can be read."""
        try:
            package = countries.from_entity(entity)
        except CountryInvalid as problem:
            where = f"package.{problem.param}"
            raise RecordRefused(entity["id"], where, problem.facts["why"]) from None
        _named(entity, countries.TYPE, package.id)


def _found(record: Place, code: str, pointing: Pointing) -> Place | None:
    return record if code == record.code else pointing.place(code)


def _named(entity: Entity, entity_type: str, record_id: str) -> None:
    """Let pass what an import of the same record would meet again."""
    wanted = urn(entity_type, record_id)
    if entity["id"] != wanted:
        why = Text(
            zh=f"编号为 {record_id} 的记录，实体 id 应为 {wanted}",
            en=f"the entity of the record {record_id} has the id {wanted}",
        )
        raise RecordRefused(entity["id"], "id", why)
