"""What changed, what is abnormal, what is found: the lists that go across the rooms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from chengmai.kernel.texts import Text
from chengmai.web.cockpit.views import (
    AbnormalPlace,
    CaseRow,
    FeedView,
    Handover,
    HandoverLine,
    SearchHit,
    VitalCard,
)

_MOST_LINES = 12
_MOST_HITS = 50
SHIFT = timedelta(hours=8)
_LEVELS = {
    "act": Text(zh="处置", en="act"),
    "watch": Text(zh="关注", en="watch"),
    "unknown": Text(zh="未知", en="unknown"),
    "normal": Text(zh="正常", en="normal"),
}
_FEED_STATES = {
    "late": Text(zh="迟到", en="late"),
    "silent": Text(zh="静默", en="silent"),
    "failed": Text(zh="失败", en="failed"),
}


def shift_began(now: datetime) -> datetime:
    """Return when the present shift began: at 00:00, 08:00 or 16:00 of the city's day."""
    start = now.replace(minute=0, second=0, microsecond=0)
    return start.replace(hour=start.hour - start.hour % 8)


def abnormal(cards: Iterable[VitalCard], rows: Iterable[CaseRow]) -> list[AbnormalPlace]:
    """Return what is not normal and has a position, the worst first."""
    places = [
        AbnormalPlace("vital", card.id, card.title, card.area, card.level, card.position)
        for card in cards
        if card.level != "normal" and card.position is not None
    ]
    places += [
        AbnormalPlace("case", row.id, row.title, row.area, row.level, row.position)
        for row in rows
        if row.position is not None and not row.closed
    ]
    order = {"act": 0, "watch": 1, "unknown": 2, "normal": 3}
    return sorted(places, key=lambda place: (order[place.level], place.kind, place.id))


def handover(
    since: datetime,
    cards: Sequence[VitalCard],
    rows: Sequence[CaseRow],
    feeds: Sequence[FeedView],
    closed: int,
) -> Handover:
    """Return what changed since an instant."""
    moved = [card for card in cards if card.since is not None and card.since >= since]
    opened = [row for row in rows if row.opened_at >= since]
    lines = [_of_vital(card) for card in moved]
    lines += [_of_case(row) for row in opened]
    lines += [
        HandoverLine(
            feed.last_seen or since,
            Text(
                zh=f"数据源“{feed.name.zh}”{_FEED_STATES[feed.state].zh}",
                en=f"Feed {feed.name.en} is {_FEED_STATES[feed.state].en}",
            ),
            "feed",
            feed.id,
        )
        for feed in feeds
        if feed.state in _FEED_STATES
    ]
    lines.sort(key=lambda line: line.at, reverse=True)
    return Handover(
        since=since,
        opened=len(opened),
        closed=closed,
        worsened=sum(card.level in ("watch", "act") for card in moved),
        recovered=sum(card.level == "normal" for card in moved),
        lines=tuple(lines[:_MOST_LINES]),
    )


def search(
    text: str, cards: Iterable[VitalCard], rows: Iterable[CaseRow], feeds: Iterable[FeedView]
) -> list[SearchHit]:
    """Return at most 50 things whose id, name or place holds `text`; full-width letters count as plain."""
    wanted = _plain(text)
    if not wanted:
        return []
    hits = [
        SearchHit("vital", c.id, c.title, c.area, c.level)
        for c in cards
        if wanted in _plain(f"{c.id} {c.title.zh} {c.title.en} {c.area}")
    ]
    hits += [
        SearchHit("case", r.id, r.title, r.number, r.level)
        for r in rows
        if wanted in _plain(f"{r.id} {r.number} {r.title.zh} {r.title.en} {r.area}")
    ]
    hits += [
        SearchHit("feed", f.id, f.name, f.connector)
        for f in feeds
        if wanted in _plain(f"{f.id} {f.name.zh} {f.name.en}")
    ]
    return hits[:_MOST_HITS]


def _plain(text: str) -> str:
    narrow = (chr(ord(c) - 0xFEE0) if 0xFF01 <= ord(c) <= 0xFF5E else c for c in text)
    return "".join(narrow).replace("\u3000", " ").strip().casefold()


def _of_vital(card: VitalCard) -> HandoverLine:
    assert card.since is not None
    level = _LEVELS[card.level]
    text = Text(
        zh=f"{card.area} {card.title.zh}：{level.zh}",
        en=f"{card.title.en}, {card.area}: {level.en}",
    )
    return HandoverLine(card.since, text, "vital", card.id)


def _of_case(row: CaseRow) -> HandoverLine:
    text = Text(zh=f"立案：{row.title.zh}", en=f"Case opened: {row.title.en}")
    return HandoverLine(row.opened_at, text, "case", row.id)
