"""What is wrong with the sensors behind a sign: the verdict that is kept beside the level, and its news. Pure.

A verdict is told once when it begins and once when it ends. While one of `SUSPECT` stands, a crossing is
told as that
of a suspected sensor: it opens a case of data quality in place of one of the domain, and a value that
comes back is no recovery. When it ends, the level that stands then is told anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chengmai.kernel.events import SensorSuspected
from chengmai.kernel.instants import format_us, from_us, parse_us
from chengmai.kernel.texts import Text
from chengmai.ngsild.entity import Entity, Instance, name_iri, opaque, value_of
from chengmai.vitals.deciding import Plan, Seen
from chengmai.vitals.entities import vital_id
from chengmai.vitals.model import Sign

ATTRIBUTE = "sensorFault"
SUSPECT = frozenset({"stuck", "drift", "implausible"})
"""Faults that make the values doubtful."""
TOLD = SUSPECT | {"silent"}
"""Faults that are news; a spike or a gap is over when it is seen, and what is late may yet come."""
_CLEAR = Text(zh="传感器没有可疑之处。", en="Nothing speaks against the sensor.")
_SILENT = Text(
    zh="没有读数，已超过时限。没有数据不等于正常。",
    en="No readings, beyond the time allowed. No data does not mean normal.",
)
_LATE = Text(
    zh="读数迟到：最近一次观测于 {length} 前。",
    en="Readings are late: the newest was observed {length} ago.",
)


@dataclass(frozen=True)
class Suspicion:
    """A fault of a sign in an area: its kind, since when, and what is said of it."""

    kind: str
    since_us: int
    sentence: Text


def kept_suspicion(kept: Entity | None) -> Suspicion | None:
    """Return the suspicion that stands in the model, or None."""
    found = value_of(kept, ATTRIBUTE) if kept is not None else None
    if not found or found["kind"] is None:
        return None
    return Suspicion(found["kind"], parse_us(found["since"]), Text(**found["sentence"]))


def suspicion_of(
    sign: Sign,
    seen: Seen,
    before: Suspicion | None,
    judged: Mapping[str, Any] | None,
    *,
    is_silent: bool,
) -> Suspicion | None:
    """Return what speaks against the sensors now.

    `judged` is the verdict over the values; silence comes before it and lateness after. What goes on
    keeps since when it does.
    """
    now = _found(sign, seen, judged, is_silent=is_silent)
    if now is not None and before is not None and now.kind == before.kind:
        return Suspicion(now.kind, before.since_us, now.sentence)
    return now


def is_late(sign: Sign, seen: Seen) -> bool:
    """Return whether the newest reading is older than it should be, and not yet so old that the sign is
    unknown."""
    if seen.newest_us is None:
        return False
    age = timedelta(microseconds=seen.now_us - seen.newest_us)
    return age > max(1.5 * sign.spec.step, sign.spec.stale_after * 2 / 3)


@dataclass(frozen=True)
class Suspected:
    """What is held against the sensors of a sign in an area before a pass, and after it."""

    before: Suspicion | None
    now: Suspicion | None

    @classmethod
    def of(
        cls,
        sign: Sign,
        kept: Entity | None,
        seen: Seen,
        plan: Plan | None,
        judged: Mapping[str, Any] | None,
    ) -> Suspected:
        """Return both; without a plan nothing but lateness can have changed."""
        before = kept_suspicion(kept)
        silent = plan is not None and plan.level == "unknown"
        return cls(before, suspicion_of(sign, seen, before, judged, is_silent=silent))

    @property
    def is_news(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.now

    @property
    def doubt(self) -> str | None:
        """The fault that makes the present value doubtful, None when there is none."""
        return self.now.kind if self.now is not None and self.now.kind in SUSPECT else None

    @property
    def is_cleared(self) -> bool:
        """Whether a value that was doubtful no longer is."""
        was = self.before is not None and self.before.kind in SUSPECT
        return was and self.doubt is None

    def attribute(self, seen: Seen) -> Entity:
        """Return the attribute to write, nothing when it stands in the model already."""
        if not self.is_news:
            return {}
        return {name_iri(ATTRIBUTE): [suspicion_instance(self.now, seen.now_us)]}


def suspicion_instance(now: Suspicion | None, at_us: int) -> Instance:
    """Return the attribute that keeps a suspicion, or that there is none since `at_us`."""
    said = now or Suspicion("", at_us, _CLEAR)
    return opaque(
        {
            "kind": said.kind or None,
            "since": format_us(said.since_us),
            "sentence": said.sentence.as_language_map(),
        },
        at=from_us(at_us),
    )


def news_of(
    tenant: str,
    sign: Sign,
    seen: Seen,
    before: Suspicion | None,
    now: Suspicion | None,
    location: dict[str, Any] | None,
) -> list[SensorSuspected]:
    """Return what is told: that the one before ended, that the one now began."""
    if (before.kind if before else None) == (now.kind if now else None):
        return []

    def event(of: Suspicion, reason: Text, *, begun: bool) -> SensorSuspected:
        return SensorSuspected(
            tenant=tenant,
            at=from_us(seen.now_us),
            vital_id=vital_id(sign, seen.area),
            sign=sign.spec.id,
            pack=sign.pack,
            area=seen.area,
            fault=of.kind,
            begun=begun,
            since=from_us(of.since_us),
            title=sign.spec.title,
            reason=reason,
            location=location,
        )

    told = []
    if before is not None and before.kind in TOLD:
        told.append(event(before, now.sentence if now else _CLEAR, begun=False))
    if now is not None and now.kind in TOLD:
        told.append(event(now, now.sentence, begun=True))
    return told


def _found(
    sign: Sign, seen: Seen, judged: Mapping[str, Any] | None, *, is_silent: bool
) -> Suspicion | None:
    if is_silent:
        return Suspicion("silent", seen.newest_us or seen.now_us, _SILENT)
    if judged is not None:
        last = seen.ticks[-1][0] if seen.ticks else seen.now_us
        since = last - judged["steps"] * (sign.spec.step // timedelta(microseconds=1))
        return Suspicion(judged["kind"], since, Text(**judged["sentence"]))
    if is_late(sign, seen) and seen.newest_us is not None:
        hours, minutes = divmod((seen.now_us - seen.newest_us) // 60_000_000, 60)
        return Suspicion(
            "late", seen.newest_us, _LATE.format(length=f"{hours} h {minutes:02d} min")
        )
    return None
