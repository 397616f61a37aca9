"""How a feed is: its state from what it did, and the entity that says so. Pure.

States: `waiting` nothing yet · `live` · `late` silent for three periods · `silent` for ten · `finished` the
source has ended · `failed` the connector stopped and is being tried again · `off` no address is set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chengmai.connect.reading import Reject
from chengmai.kernel.ids import urn
from chengmai.kernel.instants import format_instant, parse_instant
from chengmai.kernel.texts import WHOLE_CITY, Text
from chengmai.ngsild.entity import Entity, entity, opaque, prop, words
from chengmai.packs.feeds import FeedSpec

LATE_PERIODS = 3
SILENT_PERIODS = 10
KEPT_REJECTS = 20
_QUIET = ("duplicate",)
"""Counted and not listed: a source that repeats itself would push the real reasons off the list."""


@dataclass(frozen=True)
class FeedHealth:
    """What a feed has done so far. Counts are of records (rejects also of single values)."""

    accepted: int = 0
    rejected: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    last_rejects: tuple[Mapping[str, Any], ...] = ()
    seen_at: datetime | None = None
    """When the newest accepted reading arrived, by the city's clock."""
    observed_at: datetime | None = None
    """The newest time of observation."""
    ended: str = ""
    """`finished`, `failed` or `off`; empty while the connector runs."""
    detail: str = ""
    """Why it failed."""

    @property
    def received(self) -> int:
        """How many records came in."""
        return self.accepted + self.rejected

    def after(
        self,
        accepted: int,
        rejects: Iterable[Reject],
        *,
        seen: datetime | None,
        newest: datetime | None,
    ) -> FeedHealth:
        """Return the health after a batch; `seen` is when it arrived, `newest` its newest observation."""
        reasons = dict(self.reasons)
        listed = list(self.last_rejects)
        count = 0
        for reject in rejects:
            count += 1
            reasons[reject.code] = reasons.get(reject.code, 0) + 1
            if reject.code not in _QUIET:
                listed.append(_told(reject))
        return replace(
            self,
            accepted=self.accepted + accepted,
            rejected=self.rejected + count,
            reasons=reasons,
            last_rejects=tuple(listed[-KEPT_REJECTS:]),
            seen_at=_later(self.seen_at, seen),
            observed_at=_later(self.observed_at, newest),
            ended="",
            detail="",
        )

    def state(self, feed: FeedSpec, now: datetime) -> str:
        """Return the state of `feed` at `now`."""
        if self.ended:
            return self.ended
        if self.seen_at is None:
            return "waiting"
        silence = now - self.seen_at
        if silence > SILENT_PERIODS * feed.period:
            return "silent"
        return "late" if silence > LATE_PERIODS * feed.period else "live"

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object that `from_json` reads."""
        return {
            "accepted": self.accepted,
            "rejected": self.rejected,
            "reasons": dict(self.reasons),
            "last_rejects": [dict(told) for told in self.last_rejects],
            "seen_at": format_instant(self.seen_at) if self.seen_at else None,
            "observed_at": format_instant(self.observed_at) if self.observed_at else None,
            "ended": self.ended,
            "detail": self.detail,
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> FeedHealth:
        """Return the health that `as_json` wrote."""
        return cls(
            accepted=saved["accepted"],
            rejected=saved["rejected"],
            reasons=saved["reasons"],
            last_rejects=tuple(saved["last_rejects"]),
            seen_at=parse_instant(saved["seen_at"]) if saved["seen_at"] else None,
            observed_at=parse_instant(saved["observed_at"]) if saved["observed_at"] else None,
            ended=saved["ended"],
            detail=saved["detail"],
        )


def feed_id(pack: str, feed: str) -> str:
    """Return the id of the DataFeed entity of a pack's feed."""
    return urn("DataFeed", pack, feed)


def feed_entity(pack: str, feed: FeedSpec, health: FeedHealth, now: datetime) -> Entity:
    """Return the DataFeed entity of a feed as it is at `now`."""
    seen, lag = health.seen_at, None
    if health.observed_at is not None:
        lag = round(max(0.0, (now - health.observed_at).total_seconds()), 1)
    return entity(
        feed_id(pack, feed.id),
        "DataFeed",
        name=words(feed.title.as_language_map()),
        connector=prop(feed.connector),
        feedState=prop(health.state(feed, now)),
        lastSeen=prop(format_instant(seen)) if seen else None,
        received=prop(health.received),
        accepted=prop(health.accepted),
        rejected=prop(health.rejected),
        rejectReasons=opaque(dict(health.reasons)),
        lastRejects=opaque([dict(told) for told in health.last_rejects]),
        lagSeconds=prop(lag, unit="SEC") if lag is not None else None,
        simulated=prop(feed.connector == "simulate"),
        note=words(_note(feed, health).as_language_map()),
    )


def load_entity(feeds: Sequence[tuple[FeedSpec, FeedHealth]], now: datetime) -> Entity:
    """Return the `FeedLoad` entity: how many feeds run, how many do not deliver, and the counts so far.

    A feed that still waits for its first reading, and one whose recording is finished, is neither.
    """
    states = [health.state(feed, now) for feed, health in feeds]
    counted = [state for state in states if state not in ("waiting", "finished")]
    return entity(
        urn("FeedLoad", "city"),
        "FeedLoad",
        areaServed=prop(WHOLE_CITY),
        feeds=prop(len(counted), unit="C62", at=now),
        lateFeeds=prop(sum(state != "live" for state in counted), unit="C62", at=now),
        received=prop(sum(health.received for _, health in feeds), unit="C62", at=now),
        rejected=prop(sum(health.rejected for _, health in feeds), unit="C62", at=now),
    )


def _note(feed: FeedSpec, health: FeedHealth) -> Text:
    if health.ended == "failed":
        return Text(
            zh=f"连接失败，正在重试：{health.detail}", en=f"Failed, trying again: {health.detail}"
        )
    if health.ended == "off":
        address = "modbus://…:502" if feed.connector == "modbus" else "https://…"
        example = f'CHENGMAI_FEED_ADDRESSES={{"{feed.id}": "{address}"}}'
        return Text(
            zh=f"未启用：没有设置地址。设置 {example} 后重启即可。",
            en=f"Off: no address is set. Set {example} and start the city again.",
        )
    return feed.note or feed.title


def _told(reject: Reject) -> dict[str, Any]:
    return {
        "at": format_instant(reject.at),
        "code": reject.code,
        "where": reject.where,
        "detail": reject.detail,
        "sample": reject.sample,
    }


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    known = [at for at in (one, other) if at is not None]
    return max(known) if known else None
