"""Conclusions in words, generated from the data: other data give other words."""

from __future__ import annotations

from collections.abc import Sequence

from chengmai.assess.figures import rounded
from chengmai.assess.groups import PlaceGroup, Tier
from chengmai.assess.statistics import Rank, Statistics
from chengmai.kernel.texts import Text

_TOP = 5
_FLAT = 0.5


def joined(names: Sequence[Text]) -> Text:
    """Return names as a list in a sentence."""
    zh = "、".join(name.zh for name in names)
    en = [name.en for name in names]
    ending = f"{', '.join(en[:-1])} and {en[-1]}" if len(en) > 1 else "".join(en)
    return Text(zh=zh or "无", en=ending or "none")


def conclusions(statistics: Statistics, groups: Sequence[PlaceGroup]) -> list[Text]:
    """Return what the figures say; nothing is said of what they do not hold."""
    if statistics.source is None:
        return []
    tiers = statistics.frame.tiers
    said = [_total(statistics)]
    said += [_covered(statistics, tier) for tier in tiers if tier.is_covered]
    for tier in tiers:
        if tier.is_compared:
            said += _pace(statistics, tier, groups)
            said += _leading(statistics, tier)
    said += _newcomers(statistics)
    return [Text(zh=one.zh, en=one.en[:1].upper() + one.en[1:]) for one in said]


def course(rate: float | None) -> Text:
    """Return in words how something went: grew, fell, or stayed."""
    if rate is None:
        return Text(zh="从无到有", en="began")
    if rate == 0:
        return Text(zh="没有变化", en="did not change")
    shown = abs(rounded(rate))
    if abs(rate) < _FLAT:
        return Text(zh="基本持平", en="stayed about the same")
    return (
        Text(zh=f"增长 {shown}%", en=f"grew by {shown}%")
        if rate > 0
        else Text(zh=f"下降 {shown}%", en=f"fell by {shown}%")
    )


def _total(statistics: Statistics) -> Text:
    count = int(statistics.count().value or 0)
    how = course(statistics.growth().value)
    return Text(
        zh=f"{statistics.on} 共有 {count} 个地方开展建设，比 {statistics.before} {how.zh}。",
        en=f"On {statistics.on} {count} {'place builds' if count == 1 else 'places build'}; "
        f"since {statistics.before} this {how.en}.",
    )


def _covered(statistics: Statistics, tier: Tier) -> Text:
    of = next((one for one in statistics.denominators() if one.tier == tier.id), None)
    if of is None:
        count = statistics.now.count(tier)
        return Text(zh=f"{tier.title.zh}：{count} 个。", en=f"{tier.title.en}: {count}.")
    figure = statistics.coverage(of)
    label = figure.denominator_title
    assert label is not None
    if figure.value is None:
        return Text(zh=f"{tier.title.zh}：没有这样的地方。", en=f"{tier.title.en}: there are none.")
    extent = (
        Text(zh="已全部开展", en="all build")
        if figure.value >= 100
        else Text(zh="多数已开展", en="most build")
        if figure.value > 50
        else Text(zh="半数已开展", en="half build")
        if figure.value == 50
        else Text(zh="少数开展", en="fewer than half build")
        if figure.value > 0
        else Text(zh="均未开展", en="none builds")
    )
    return Text(
        zh=f"{tier.title.zh}{extent.zh}：{figure.numerator:g} 个，{figure.whole}%（{label.zh}）。",
        en=f"{tier.title.en}: {extent.en}, {figure.numerator:g} {label.en}, {figure.whole}%.",
    )


def _pace(statistics: Statistics, tier: Tier, groups: Sequence[PlaceGroup]) -> list[Text]:
    order = statistics.fastest(tier, groups)
    if len(order) < 2 or order[0].value == order[-1].value:
        return []
    first = [rank for rank in order if rank.place == 1]
    last = [rank for rank in order if rank.value == order[-1].value]
    fast, slow = joined([rank.name for rank in first]), joined([rank.name for rank in last])
    high, low = course(first[0].value), course(last[0].value)
    return [
        Text(
            zh=f"{tier.title.zh}：{fast.zh}最快（{high.zh}），{slow.zh}最慢（{low.zh}）。",
            en=f"{tier.title.en}: {fast.en} went fastest ({high.en}), {slow.en} slowest ({low.en}).",
        )
    ]


def top(ranks: Sequence[Rank], most: int = _TOP) -> list[Rank]:
    """Return the first of a ranking; who shares the last place is in, and zeros are not."""
    if not ranks:
        return []
    limit = ranks[min(most, len(ranks)) - 1].value
    return [rank for rank in ranks if rank.value >= limit and rank.value > 0]


def _leading(statistics: Statistics, tier: Tier) -> list[Text]:
    ranks, over = statistics.provinces(tier), statistics.frame.top
    leaders = top(ranks)
    if not leaders:
        return []
    if len(leaders) > 1 and leaders[0].value == leaders[-1].value:
        # Nobody leads where all that have any have as many.
        return [_alike(leaders, tier, over)]
    names = joined([rank.name for rank in leaders])
    return [
        Text(
            zh=f"{tier.title.zh}数量居前的{over.zh}：{names.zh}。",
            en=f"{over.en} with most places of this tier ({tier.title.en}): {names.en}.",
        )
    ]


def _alike(ranks: Sequence[Rank], tier: Tier, over: Text) -> Text:
    names, count, rest = joined([rank.name for rank in ranks[:_TOP]]), len(ranks), len(ranks) - _TOP
    each = f"{ranks[0].value:g}"
    more = Text(zh=f"等 {count} 个", en=f", and {rest} more") if rest > 0 else None
    return Text(
        zh=f"{tier.title.zh}数量并列最多的{over.zh}，各 {each} 个：{names.zh}{more.zh if more else ''}。",
        en=f"{over.en} that share the most places of this tier ({tier.title.en}), {each} each: "
        f"{names.en}{more.en if more else ''}.",
    )


def _newcomers(statistics: Statistics) -> list[Text]:
    found = statistics.newly_provinces()
    if not found:
        return []
    names, over = joined([spot.name for spot in found]), statistics.frame.top
    return [
        Text(zh=f"首次开展建设的{over.zh}：{names.zh}。", en=f"{over.en} that began: {names.en}.")
    ]
