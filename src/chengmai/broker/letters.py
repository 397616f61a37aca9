"""Notifications of entities, as they go out (GS CIM 009 V1.9.1, clause 5.3.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from chengmai.broker.ports import DueNotification
from chengmai.broker.subscription import Subscription


class EntityLetters:
    """Implements `broker.delivery.Letters` for subscriptions to entities."""

    def letter(self, subscription: Subscription, due: DueNotification) -> dict[str, Any]:
        return {
            "id": letter_id("Notification", subscription.id, due),
            "type": "Notification",
            "subscriptionId": subscription.id,
            "data": _data(due.body),
        }

    def merged(self, due: list[DueNotification]) -> DueNotification:
        """Return one notification for several: what was last said of each entity."""
        told: dict[str, Any] = {}
        for one in due:
            data = orjson.loads(one.body)
            if not isinstance(data, list):
                return due[-1] if "features" in data else replace(due[-1], body=one.body)
            told |= {entity.get("id", one.entity): entity for entity in data}
        return replace(due[-1], body=orjson.dumps(list(told.values())))


def letter_id(kind: str, subscription_id: str, due: DueNotification) -> str:
    """Return the id of a notification; one that is sent again carries the same."""
    return f"urn:ngsi-ld:{kind}:{subscription_id.rpartition(':')[2]}:{due.seq}"


def _data(body: bytes) -> Any:
    if body.startswith(b"["):
        return orjson.Fragment(body)  # as it was written: it need not be read to be sent
    told = orjson.loads(body)
    return told if "features" in told else [told]
