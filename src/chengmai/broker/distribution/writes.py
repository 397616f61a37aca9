"""Writes on entities that may be held elsewhere too (GS CIM 009 V1.9.1, 5.6.1 to 5.6.6, 5.6.17 to 5.6.21).

Each method is the operation of `Broker` with its share for every other holder.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.combining import Outcome
from chengmai.broker.distribution.ports import Forward
from chengmai.broker.distribution.sharing import Here, Sharing
from chengmai.broker.distribution.splitting import (
    HOW_TO_MERGE,
    Names,
    Share,
    Target,
    attributes_of,
    part_of,
)
from chengmai.broker.model import EntityQuery, UpdateOutcome
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity, Instance
from chengmai.ngsild.represent import compact_attribute, compact_entity
from chengmai.ngsild.select import Selector

_TOLD_APART = frozenset(HOW_TO_MERGE)


class DistributedWrites:
    """Writes on entities, here and at the sources that are registered for them."""

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing
        self._broker = sharing.broker
        self._forwarder = sharing.forwarder

    async def create(self, asked: Asked, entity: Entity) -> Outcome:
        """Create an entity (clause 5.6.1)."""
        if self._sharing.is_alone(asked):
            return await self._sharing.alone(lambda: self._broker.create(asked.actor, entity))
        target = Target((entity["id"],), frozenset(entity["type"]), attributes_of(entity))
        plan = self._sharing.plan(asked, frozenset(("createEntity",)), target)

        def forward(share: Share) -> Forward:
            return self._fragment(asked, share, "POST", "/entities", entity)

        return await self._sharing.run(
            asked,
            plan,
            entity["id"],
            forward,
            lambda: self._broker.create(asked.actor, part_of(entity, plan.names)),
        )

    async def delete(
        self, asked: Asked, entity_id: str, *, types: Selector | None = None
    ) -> Outcome:
        """Delete an entity (clause 5.6.6); it need not be here when a source alone holds it."""
        plan = await self._sharing.plan_for(asked, "deleteEntity", entity_id, None, types)

        def forward(share: Share) -> Forward:
            return self._forwarder.forward(
                asked,
                share.registration,
                "DELETE",
                entity_path(entity_id),
                parameters=typed(types),
            )

        async def here() -> None:
            await self._sharing.check_type(asked, entity_id, types)
            await self._broker.delete(asked.actor, entity_id)

        return await self._sharing.run(
            asked, plan, entity_id, forward, here, may_be_missing=plan.is_proxied
        )

    async def merge(
        self,
        asked: Asked,
        entity_id: str,
        fragment: Entity,
        *,
        types: Selector | None = None,
        plain: dict[str, Any] | None = None,
    ) -> Outcome:
        """Merge a patch into an entity (clause 5.6.17).

        `plain` are key-values by expanded names: only a holder knows what kinds such values have.
        """

        async def here(part: Entity) -> UpdateOutcome:
            return await self._broker.merge(asked.actor, entity_id, part)

        how = ("mergeEntity", "PATCH", "")
        parameters = {name: fragment[name] for name in HOW_TO_MERGE if name in fragment}
        if plain is not None:
            parameters["options"] = "keyValues"
        return await self._change(
            asked,
            how,
            entity_id,
            without_id(fragment),
            types,
            here,
            parameters=parameters,
            plain=plain or {},
        )

    async def replace(
        self, asked: Asked, entity_id: str, entity: Entity, *, types: Selector | None = None
    ) -> Outcome:
        """Replace an entity as a whole (clause 5.6.18)."""

        async def here(part: Entity) -> UpdateOutcome:
            return await self._broker.replace(asked.actor, entity_id, part)

        how = ("replaceEntity", "PUT", "")
        return await self._change(asked, how, entity_id, entity, types, here)

    async def append(
        self,
        asked: Asked,
        entity_id: str,
        fragment: Entity,
        *,
        overwrite: bool = True,
        types: Selector | None = None,
    ) -> Outcome:
        """Append attributes (clause 5.6.3)."""

        async def here(part: Entity) -> UpdateOutcome:
            return await self._broker.append(asked.actor, entity_id, part, overwrite=overwrite)

        how = ("appendAttrs", "POST", "/attrs")
        more = {} if overwrite else {"options": "noOverwrite"}
        return await self._change(
            asked, how, entity_id, without_id(fragment), types, here, parameters=more
        )

    async def update(
        self, asked: Asked, entity_id: str, fragment: Entity, *, types: Selector | None = None
    ) -> Outcome:
        """Update attributes that exist (clause 5.6.2)."""

        async def here(part: Entity) -> UpdateOutcome:
            return await self._broker.update(asked.actor, entity_id, part)

        how = ("updateEntity", "PATCH", "/attrs")
        return await self._change(asked, how, entity_id, without_id(fragment), types, here)

    async def replace_attribute(
        self,
        asked: Asked,
        entity_id: str,
        attribute: str,
        instances: Sequence[Instance],
        *,
        types: Selector | None = None,
    ) -> Outcome:
        """Replace an attribute that exists (clause 5.6.19)."""

        async def here() -> None:
            await self._broker.replace_attribute(asked.actor, entity_id, attribute, instances)

        return await self._attribute(
            asked, ("replaceAttrs", "PUT"), entity_id, attribute, types, here, body=instances
        )

    async def update_attribute(
        self,
        asked: Asked,
        entity_id: str,
        attribute: str,
        instance: Instance,
        *,
        types: Selector | None = None,
    ) -> Outcome:
        """Update one attribute in part (clause 5.6.4)."""

        async def here() -> None:
            await self._broker.update_attribute(asked.actor, entity_id, attribute, instance)

        return await self._attribute(
            asked, ("updateAttrs", "PATCH"), entity_id, attribute, types, here, body=[instance]
        )

    async def delete_attribute(
        self,
        asked: Asked,
        entity_id: str,
        attribute: str,
        *,
        dataset_id: str | None = None,
        delete_all: bool = False,
        types: Selector | None = None,
    ) -> Outcome:
        """Delete an attribute or one of its instances (clause 5.6.5)."""

        async def here() -> None:
            await self._broker.delete_attribute(
                asked.actor, entity_id, attribute, dataset_id=dataset_id, delete_all=delete_all
            )

        parameters = {} if dataset_id is None else {"datasetId": dataset_id}
        if delete_all:
            parameters["deleteAll"] = "true"
        how = ("deleteAttrs", "DELETE")
        return await self._attribute(
            asked, how, entity_id, attribute, types, here, parameters=parameters
        )

    async def purge(
        self,
        asked: Asked,
        query: EntityQuery,
        decide: Callable[[Entity], frozenset[str]] | None,
        *,
        names: Names | None = None,
    ) -> Outcome:
        """Delete what a query finds (clause 5.6.21); `names` are the attributes it is limited to.

        Sources get the query as it is, `asked.forwarded`, since they know best what they hold.
        """
        which = query.which[0]
        target = Target(
            which.ids,
            None if which.types is None else which.types.names,
            names,
            which.id_pattern,
        )
        plan = replace(self._sharing.plan(asked, frozenset(("purgeEntity",)), target), is_here=True)

        def forward(share: Share) -> Forward:
            made = self._forwarder.forward(
                asked, share.registration, "DELETE", "/entities", parameters=asked.forwarded
            )
            return replace(made, context=asked.context)

        return await self._sharing.run(
            asked,
            plan,
            "entities",
            forward,
            lambda: self._broker.purge(asked.actor, query, decide),
        )

    async def _change(
        self,
        asked: Asked,
        how: tuple[str, str, str],
        entity_id: str,
        fragment: Entity,
        types: Selector | None,
        do: Callable[[Entity], Awaitable[UpdateOutcome]],
        *,
        parameters: dict[str, str] | None = None,
        plain: dict[str, Any] | None = None,
    ) -> Outcome:
        if self._sharing.is_alone(asked):
            await self._sharing.check_type(asked, entity_id, types)
            return await self._sharing.alone(lambda: do(fragment))
        operation, method, tail = how
        path = entity_path(entity_id) + tail
        names = attributes_of(fragment)
        plan = await self._sharing.plan_for(
            asked, operation, entity_id, names, types, fragment.get("type", ())
        )

        def forward(share: Share) -> Forward:
            return self._fragment(asked, share, method, path, fragment, types, parameters, plain)

        async def here() -> UpdateOutcome:
            await self._sharing.check_type(asked, entity_id, types)
            return await do(part_of(fragment, plan.names))

        return await self._sharing.run(asked, plan, entity_id, forward, here, names=names)

    async def _attribute(
        self,
        asked: Asked,
        how: tuple[str, str],
        entity_id: str,
        attribute: str,
        types: Selector | None,
        do: Here,
        *,
        body: Sequence[Instance] | None = None,
        parameters: dict[str, str] | None = None,
    ) -> Outcome:
        if self._sharing.is_alone(asked):
            await self._sharing.check_type(asked, entity_id, types)
            return await self._sharing.alone(do)
        operation, method = how
        names = frozenset((attribute,))
        plan = await self._sharing.plan_for(asked, operation, entity_id, names, types)

        path = attribute_path(entity_path(entity_id), attribute)

        def document(context: Context) -> Any:
            return compact_attribute(list(body or ()), context, sys_attrs=True)

        def forward(share: Share) -> Forward:
            return self._forwarder.forward(
                asked,
                share.registration,
                method,
                path,
                parameters=typed(types, parameters),
                body=None if body is None else document,
            )

        async def here() -> UpdateOutcome | None:
            await self._sharing.check_type(asked, entity_id, types)
            return await do()

        return await self._sharing.run(asked, plan, entity_id, forward, here, names=names)

    def _fragment(
        self,
        asked: Asked,
        share: Share,
        method: str,
        path: str,
        fragment: Entity,
        types: Selector | None = None,
        parameters: dict[str, str] | None = None,
        plain: dict[str, Any] | None = None,
    ) -> Forward:
        part = part_of(fragment, share.names)

        def document(context: Context) -> dict[str, Any]:
            omit = _TOLD_APART | (plain or {}).keys()
            # Of system members a client says `expiresAt` alone: it goes along.
            made = compact_entity(part, context, sys_attrs=True, omit=omit)
            kept = {
                name: one for name, one in (plain or {}).items() if name in part and ":" in name
            }
            return made | {context.compact(name): value for name, value in kept.items()}

        return self._forwarder.forward(
            asked,
            share.registration,
            method,
            path,
            parameters=typed(types, parameters),
            body=document,
        )


def entity_path(entity_id: str) -> str:
    """Return the path of an entity below `/ngsi-ld/v1`."""
    return f"/entities/{quote(entity_id, safe=':')}"


def attribute_path(entity: str, attribute: str, tail: str = "") -> Callable[[Context], str]:
    """Return what gives the path of an attribute (expanded name) below that of an entity."""

    def path(context: Context) -> str:
        # `scope` is addressed like an attribute, and has no expanded name.
        name = attribute if ":" not in attribute else context.compact(attribute)
        return f"{entity}/attrs/{quote(name, safe='')}{tail}"

    return path


def without_id(fragment: Entity) -> Entity:
    """Return a fragment without the id that the path says already."""
    return {key: value for key, value in fragment.items() if key != "id"}


def typed(
    types: Selector | None, parameters: dict[str, str] | None = None
) -> Callable[[Context], dict[str, str]]:
    """Return parameters with the type selector, in the names of the context that the source is told."""

    def made(context: Context) -> dict[str, str]:
        if types is None:
            return dict(parameters or {})
        alternatives = (";".join(sorted(map(context.compact, one))) for one in types.alternatives)
        text = ",".join(f"({one})" if ";" in one else one for one in alternatives)
        return {"type": text, **(parameters or {})}

    return made
