"""View model of the feeds page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chengmai.connect.reading import REJECT_TEXTS
from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.views import FeedState, FeedView, RejectSample

_ORDER: dict[FeedState, int] = {
    "failed": 0,
    "silent": 1,
    "late": 2,
    "waiting": 3,
    "live": 4,
    "finished": 5,
    "off": 6,
}
MARKS: dict[FeedState, str] = {
    "failed": "act",
    "silent": "unknown",
    "late": "watch",
    "waiting": "unknown",
    "live": "normal",
    "finished": "normal",
    "off": "unknown",
}
"""The mark of each state: a silent feed is unknown, since nobody knows what it would say."""


@dataclass(frozen=True)
class RejectLine:
    code: str
    words: str
    count: str


@dataclass(frozen=True)
class SampleLine:
    at: str
    words: str
    where: str
    detail: str
    sample: str


@dataclass(frozen=True)
class FeedLine:
    id: str
    name: str
    connector: str
    state: FeedState
    state_word: str
    mark: str
    last_seen: str
    age: str
    lag: str
    period: str
    received: str
    accepted: str
    rejected: str
    share: str
    simulated: bool
    note: str
    reasons: tuple[RejectLine, ...]
    samples: tuple[SampleLine, ...]


def feed_lines(feeds: Sequence[FeedView], formats: Formats) -> tuple[FeedLine, ...]:
    """Return the feeds, those in trouble first."""
    ordered = sorted(feeds, key=lambda f: (_ORDER[f.state], f.name.en))
    return tuple(_line(feed, formats) for feed in ordered)


def _line(feed: FeedView, formats: Formats) -> FeedLine:
    words = formats.words
    return FeedLine(
        id=feed.id,
        name=words.pick(feed.name),
        connector=feed.connector,
        state=feed.state,
        state_word=words(f"feed_state.{feed.state}"),
        mark=MARKS[feed.state],
        last_seen=formats.instant(feed.last_seen),
        age=formats.age(feed.last_seen),
        lag=_lag(feed, formats),
        period=formats.span(feed.period) if feed.period else "",
        received=formats.number(feed.received),
        accepted=formats.number(feed.accepted),
        rejected=formats.number(feed.rejected),
        share=formats.percent(feed.rejected / feed.received, 1) if feed.rejected else "",
        simulated=feed.simulated,
        note=words.pick(feed.note) if feed.note else "",
        reasons=tuple(
            RejectLine(code, explain(code, formats), formats.number(count))
            for code, count in sorted(feed.reject_reasons, key=lambda pair: -pair[1])
        ),
        samples=tuple(_sample(sample, formats) for sample in reversed(feed.last_rejects)),
    )


def explain(code: str, formats: Formats) -> str:
    """Return why a record is refused, in words; the bare code when no words exist for it."""
    if code in REJECT_TEXTS:
        return formats.words.pick(REJECT_TEXTS[code])
    key = f"problem.{code}"
    return formats.words(key) if formats.words.has(key) else code


def _sample(sample: RejectSample, formats: Formats) -> SampleLine:
    words = explain(sample.code, formats)
    at = formats.near(sample.at)
    return SampleLine(at, words, sample.where, sample.detail, sample.sample)


def _lag(feed: FeedView, formats: Formats) -> str:
    if feed.lag_s is None:
        return ""
    if feed.lag_s < 60:
        return formats.words("span.s", n=round(feed.lag_s))
    if feed.lag_s < 3600:
        return formats.words("span.min", n=round(feed.lag_s / 60))
    return formats.words("span.h", n=round(feed.lag_s / 3600))
