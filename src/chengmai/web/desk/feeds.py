"""Feeds, as the screens see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chengmai.kernel.instants import parse_instant
from chengmai.kernel.texts import Text
from chengmai.ngsild.entity import Entity, value_of
from chengmai.packs.model import Pack
from chengmai.web.cockpit.views import FeedRef, FeedState, FeedView, RejectSample


def text_of(entity: Entity, term: str, fallback: str = "–") -> Text:
    """Return a LanguageProperty as a text of both languages."""
    found: dict[str, str] = value_of(entity, term) or {}
    zh, en = found.get("zh") or found.get("en"), found.get("en") or found.get("zh")
    return Text(zh=zh or fallback, en=en or fallback)


def feed_view(entity: Entity, packs: Sequence[Pack]) -> FeedView:
    """Return a DataFeed entity as the screens show it."""
    seen, lag = value_of(entity, "lastSeen"), value_of(entity, "lagSeconds")
    reasons: dict[str, int] = value_of(entity, "rejectReasons") or {}
    samples: list[dict[str, Any]] = value_of(entity, "lastRejects") or []
    return FeedView(
        id=entity["id"],
        name=text_of(entity, "name"),
        connector=str(value_of(entity, "connector")),
        state=value_of(entity, "feedState") or "waiting",
        last_seen=parse_instant(seen) if seen else None,
        received=int(value_of(entity, "received") or 0),
        accepted=int(value_of(entity, "accepted") or 0),
        rejected=int(value_of(entity, "rejected") or 0),
        reject_reasons=tuple(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        last_rejects=tuple(
            RejectSample(
                parse_instant(one["at"]), one["code"], one["where"], one["detail"], one["sample"]
            )
            for one in reversed(samples)
        ),
        lag_s=float(lag) if lag is not None else None,
        simulated=bool(value_of(entity, "simulated")),
        note=text_of(entity, "note"),
        period=_period(entity["id"], packs),
    )


def feed_ref(entity: Entity) -> FeedRef:
    """Return a feed as a link."""
    state: FeedState = value_of(entity, "feedState") or "waiting"
    return FeedRef(entity["id"], text_of(entity, "name"), state)


def _period(feed_id: str, packs: Sequence[Pack]) -> Any:
    pack_id, _, name = feed_id.removeprefix("urn:ngsi-ld:DataFeed:").partition(":")
    for pack in packs:
        if pack.info.id == pack_id:
            return next((feed.period for feed in pack.feeds if feed.id == name), None)
    return None
