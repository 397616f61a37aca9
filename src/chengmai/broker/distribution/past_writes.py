"""Writes on the past of entities that may be held elsewhere too (GS CIM 009 V1.9.1, 5.6.11 to 5.6.16).

They are shared out as writes on the present are (`writes`). An instance has one name and so one holder: who
does not know it has nothing to do, as long as somebody does.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.combining import Outcome
from chengmai.broker.distribution.ports import Forward
from chengmai.broker.distribution.sharing import Here, Sharing
from chengmai.broker.distribution.sources import Body
from chengmai.broker.distribution.splitting import Names, Share, Target
from chengmai.broker.distribution.writes import attribute_path
from chengmai.broker.temporal import TemporalBroker
from chengmai.kernel.problems import NotFound
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Instance
from chengmai.ngsild.evolution import Evolution
from chengmai.ngsild.represent import compact_attribute, compact_entity

_ALL = "/temporal/entities"


class DistributedPastWrites:
    """Writes on evolutions, here and at the sources that are registered for them."""

    def __init__(self, sharing: Sharing, temporal: TemporalBroker) -> None:
        self._sharing = sharing
        self._temporal = temporal
        self._forwarder = sharing.forwarder

    async def tell(self, asked: Asked, told: Evolution) -> tuple[Outcome, bool]:
        """Create or extend an evolution (5.6.11); return also whether there was none before.

        That is so at this broker; where it has no share, at a source.
        """
        entity_id, names = told.head["id"], _names(told)
        target = Target((entity_id,), frozenset(told.head["type"]), names)
        plan = self._sharing.plan(asked, frozenset(("upsertTemporal",)), target)
        is_new = False

        async def here() -> None:
            nonlocal is_new
            is_new = await self._temporal.tell(asked.actor, _part_of(told, plan.names))

        def forward(share: Share) -> Forward:
            return self._forwarder.forward(
                asked, share.registration, "POST", _ALL, body=_document(told, share)
            )

        outcome = await self._sharing.run(asked, plan, entity_id, forward, here)
        if not plan.is_here:
            is_new = any(part.is_created for part in outcome.parts)
        return outcome, is_new

    async def append(self, asked: Asked, entity_id: str, told: Evolution) -> Outcome:
        """Add attribute instances (5.6.12)."""
        names = _names(told)
        plan = await self._sharing.plan_for(
            asked, "appendAttrsTemporal", entity_id, names, None, told.head.get("type", ())
        )

        async def here() -> None:
            await self._temporal.append(asked.actor, entity_id, _part_of(told, plan.names))

        def forward(share: Share) -> Forward:
            path = f"{_path(entity_id)}/attrs"
            body = _document(told, share, omit=frozenset(("id",)))
            return self._forwarder.forward(asked, share.registration, "POST", path, body=body)

        return await self._sharing.run(asked, plan, entity_id, forward, here, names=names)

    async def delete(self, asked: Asked, entity_id: str) -> Outcome:
        """Delete an evolution (5.6.16); it need not be here when a source alone holds it."""
        plan = await self._sharing.plan_for(asked, "deleteTemporal", entity_id, None, None)

        async def here() -> None:
            await self._temporal.delete(asked.actor, entity_id)

        def forward(share: Share) -> Forward:
            return self._forwarder.forward(asked, share.registration, "DELETE", _path(entity_id))

        return await self._sharing.run(
            asked, plan, entity_id, forward, here, may_be_missing=plan.is_proxied
        )

    async def delete_attribute(
        self, asked: Asked, entity_id: str, attribute: str, dataset_id: str | None
    ) -> Outcome:
        """Delete the past of an attribute, of one dataset or (None) of all (5.6.13)."""

        async def here() -> None:
            await self._temporal.delete_attribute(asked.actor, entity_id, attribute, dataset_id)

        parameters = {} if dataset_id in (None, "@none") else {"datasetId": str(dataset_id)}
        if dataset_id is None:
            parameters["deleteAll"] = "true"
        how = ("deleteAttrsTemporal", "DELETE")
        return await self._attribute(asked, how, entity_id, attribute, here, parameters=parameters)

    async def change_instance(
        self,
        asked: Asked,
        entity_id: str,
        attribute: str,
        instance_id: str,
        given: Instance | None,
    ) -> Outcome:
        """Change one instance of the past in part, None deletes it (5.6.14 and 5.6.15)."""

        async def here() -> None:
            await self._temporal.change_instance(
                asked.actor, entity_id, attribute, instance_id, given
            )

        how = ("deleteAttrInstanceTemporal", "DELETE")
        body: Body | None = None
        if given is not None:
            how = ("updateAttrInstanceTemporal", "PATCH")
            fragment = given

            def body(context: Context) -> Any:
                return _instance(fragment, context)

        outcome = await self._attribute(
            asked,
            how,
            entity_id,
            attribute,
            here,
            tail=f"/{quote(instance_id, safe=':')}",
            body=body,
        )
        if not outcome.is_done_somewhere:
            return outcome
        return Outcome(
            tuple(part for part in outcome.parts if not isinstance(part.problem, NotFound))
        )

    async def _attribute(
        self,
        asked: Asked,
        how: tuple[str, str],
        entity_id: str,
        attribute: str,
        here: Here,
        *,
        tail: str = "",
        body: Body | None = None,
        parameters: dict[str, str] | None = None,
    ) -> Outcome:
        operation, method = how
        names = frozenset((attribute,))
        plan = await self._sharing.plan_for(asked, operation, entity_id, names, None)

        path = attribute_path(_path(entity_id), attribute, tail)

        def forward(share: Share) -> Forward:
            return self._forwarder.forward(
                asked, share.registration, method, path, parameters=parameters, body=body
            )

        return await self._sharing.run(asked, plan, entity_id, forward, here, names=names)


def _path(entity_id: str) -> str:
    return f"{_ALL}/{quote(entity_id, safe=':')}"


def _names(told: Evolution) -> Names:
    return frozenset(name for name, _ in told.instances if ":" in name)


def _part_of(told: Evolution, names: Names | None) -> Evolution:
    """Return what an evolution tells of these attributes, with the members that all holders share."""
    if names is None:
        return told
    kept = [(name, one) for name, one in told.instances if name in names or ":" not in name]
    return Evolution(told.head, kept)


def _document(told: Evolution, share: Share, *, omit: Names = frozenset()) -> Body:
    part = _part_of(told, share.names)

    def document(context: Context) -> dict[str, Any]:
        made = compact_entity(part.head, context, sys_attrs=True, omit=omit)
        for name, instance in part.instances:
            shown = name if ":" not in name else context.compact(name)
            made.setdefault(shown, []).append(_instance(instance, context))
        return made

    return document


def _instance(instance: Instance, context: Context) -> dict[str, Any]:
    made: dict[str, Any] = compact_attribute([instance], context, sys_attrs=True)
    return made | {key: instance[key] for key in ("instanceId",) if key in instance}
