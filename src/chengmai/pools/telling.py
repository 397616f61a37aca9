"""What is suggested and why, in sentences of both languages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from chengmai.kernel.texts import Text
from chengmai.packs.pools import PoolSpec
from chengmai.pools.model import Move, Outlook
from chengmai.pools.solving import Plan, Task, most_of

if TYPE_CHECKING:
    from chengmai.pools.planning import Side

_WHY = {
    "use": Text(
        zh="{needy}预计 {at} 前后需求约 {median} {unit}（区间上限 {high}），而可用的只有 {usable}。"
        "引导 {n} {unit}到{helper}，"
        "预计少短缺 {saves} {unit}·小时；按区间上限，{helper}在整个时段仍余 {rest}。",
        en="Around {at} {needy} is expected to be asked for {median} {unit} (up to {high}), and "
        "{usable} are usable. "
        "Leading {n} to {helper} is expected to save {saves} unit-hours of shortage; even at the "
        "upper end {helper} "
        "has {rest} left throughout.",
    ),
    "capacity": Text(
        zh="{needy}预计 {at} 前后需求约 {median} {unit}（区间上限 {high}），而可用的只有 {usable}。"
        "从{helper}调入 {n} {unit}，"
        "预计少短缺 {saves} {unit}·小时；按区间上限，{helper}在整个时段仍余 {rest}。",
        en="Around {at} {needy} is expected to be asked for {median} {unit} (up to {high}), and "
        "{usable} are usable. "
        "Bringing {n} from {helper} is expected to save {saves} unit-hours of shortage; even at "
        "the upper end {helper} "
        "has {rest} left throughout.",
    ),
}
_BINDS = {
    "spare": Text(
        zh="受限于{helper}：再多，按区间上限它自己就会短缺。",
        en="Bound by {helper}: with more it would itself fall short at the upper end.",
    ),
    "needs": Text(
        zh="受限于{needy}：再多也没有可减的短缺。",
        en="Bound by {needy}: more would leave no shortage to take away.",
    ),
    "most": Text(zh="受限于单次调度上限 {most}。", en="Bound by the limit of one move, {most}."),
    "lot": Text(zh="按每批 {lot} 取整。", en="Rounded to lots of {lot}."),
    "pays": Text(
        zh="没有触及上限：再多，省下的不抵代价。",
        en="No limit is reached: more would cost more than it saves.",
    ),
    "moves": Text(
        zh="共 {moves} 次调度，已达一份建议的上限。",
        en="With {moves} moves the limit of one suggestion is reached.",
    ),
}
_SUMMARY = Text(
    zh="未来时段预计短缺 {before} {unit}·小时；按建议调度 {count} 次后预计 {after}，调度代价折合 "
    "{cost} {unit}·小时。",
    en="In the time ahead {before} unit-hours of shortage are expected, and {after} with what is "
    "suggested (moves: {count}), at a cost worth {cost} unit-hours.",
)
_BEST = Text(zh="求解器已证明没有更好的方案。", en="The solver has shown that nothing is better.")
_SO_FAR = Text(
    zh="计算时间已到，这是目前找到的最好方案，与最优相差不超过 {gap}。",
    en="The time was up: this is the best found so far, at most {gap} from the best there can be.",
)
_BASIS = Text(
    zh="{n} 个成员的预测没有胜过朴素预测，改用往周同一时刻的基线。",
    en="Where no forecast beats the naive one ({n} of the members) the same hour of earlier weeks is used.",
)
_UNKNOWN = Text(
    zh="{n} 个成员的历史都太短，或近期没有读数，还说不出未来需求，因此没有建议。",
    en="All {n} members have too short a past or no recent readings: nothing can be said of the "
    "time ahead, so nothing is suggested.",
)
_LEFT_OUT = Text(
    zh="另有 {n} 个成员历史太短或近期没有读数，未参与计算。",
    en="{n} more members have too short a past or no recent readings and were left out.",
)
_NO_SHORTAGE = Text(
    zh="即使按区间上限，未来时段也没有成员会短缺，不需要调度。最紧的是{name}，上限时还余 {rest} {unit}。",
    en="Even at the upper end no member is expected to fall short, so nothing needs to be moved. "
    "Tightest is {name}, "
    "with {rest} {unit} left at the upper end.",
)
_NO_HELP = Text(
    zh="{names}预计短缺共 {before} {unit}·小时，但没有成员能在自己不短缺的前提下、沿允许的路线、赶"
    "在时段结束前支援。",
    en="{names} is expected to fall short by {before} unit-hours in all, yet no member can help "
    "on a way that is "
    "allowed, in time, and without falling short itself.",
)
_NOT_WORTH = Text(
    zh="{names}预计短缺共 {before} {unit}·小时，但任何调度的代价都高于它省下的短缺，不建议调度。",
    en="{names} is expected to fall short by {before} unit-hours in all, yet every move would "
    "cost more than it "
    "saves: nothing is suggested.",
)
_NO_ANSWER = Text(
    zh="{names}预计短缺共 {before} {unit}·小时；在限定时间内没有找到比不调度更好的方案。",
    en="{names} is expected to fall short by {before} unit-hours in all; in the time allowed "
    "nothing better than "
    "doing nothing was found.",
)


def joined(*parts: Text) -> Text:
    """Return several sentences as one text."""
    return Text(zh="".join(p.zh for p in parts), en=" ".join(p.en for p in parts))


def short_number(value: float) -> str:
    """Return a number for a sentence: whole from ten on, one digit behind the point below."""
    value = 0.0 if abs(value) < 0.05 else value
    return f"{value:,.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.1f}"


class Teller:
    """Writes the sentences of one pool, with times on the clock of `zone`."""

    def __init__(self, spec: PoolSpec, zone: ZoneInfo) -> None:
        self._spec, self._zone = spec, zone

    def why(self, needy: Side, helper: Side, units: int, saves: float) -> Text:
        """Return why so many units are moved between two members."""
        worst = int(np.argmax(needy.lack[1] + 1e-9 * needy.lack[2]))
        hour = needy.expected[worst]
        usable = 1 - self._spec.reserve
        if self._spec.move.kind == "use":
            rest = min(usable * e.capacity - e.high - units for e in helper.expected)
        else:
            rest = min(usable * (e.capacity - units) - e.high for e in helper.expected)
        return self._in_both(
            _WHY[self._spec.move.kind],
            needy=needy.member.name,
            helper=helper.member.name,
            at=self._clock(hour.at),
            median=short_number(hour.median),
            high=short_number(hour.high),
            usable=short_number(usable * hour.capacity),
            n=units,
            saves=short_number(saves),
            rest=short_number(max(0.0, rest)),
        )

    def binds(
        self, task: Task, units: Sequence[int], index: int, needy: Side, helper: Side
    ) -> Text:
        """Return which limit keeps a move from being larger."""
        pair, count = task.pairs[index], units[index]
        moved = list(zip(task.pairs, units, strict=True))
        given = sum(n for p, n in moved if p.helper == pair.helper)
        taken = sum(n for p, n in moved if p.needy == pair.needy)
        told = []
        if count + task.lot > most_of(task, units, index):
            if task.most is not None and count + task.lot > task.most:
                told.append("most")
            if given + task.lot > task.spare[pair.helper]:
                told.append("spare")
            if taken + task.lot > task.needy[pair.needy].most:
                told.append("needs")
        told = told or ["pays"]
        if sum(map(bool, units)) == task.moves:
            told.append("moves")
        if task.lot > 1:
            told.append("lot")
        facts = {"most": task.most, "lot": task.lot, "moves": task.moves}
        return joined(
            *(
                self._in_both(
                    _BINDS[key], needy=needy.member.name, helper=helper.member.name, **facts
                )
                for key in told
            )
        )

    def summary(
        self,
        moves: Sequence[Move],
        before: float,
        after: float,
        cost: float,
        found: Plan,
        outlooks: Sequence[Outlook],
    ) -> Text:
        """Return the suggestion in a few sentences: what is saved, how sure that is the best, from what."""
        numbers = {
            "before": short_number(before),
            "after": short_number(after),
            "cost": short_number(cost),
        }
        parts = [self._in_both(_SUMMARY, count=len(moves), **numbers)]
        parts.append(_BEST if found.is_best else _SO_FAR.format(gap=f"{found.gap:.0%}"))
        plain = sum(outlook.basis != "forecast" for outlook in outlooks)
        if plain:
            parts.append(_BASIS.format(n=plain))
        return joined(*parts)

    def unknown(self, members: int) -> Text:
        """Return that nothing can be said."""
        return _UNKNOWN.format(n=members)

    def no_shortage(self, sides: Sequence[Side], left_out: int) -> Text:
        """Return that nobody falls short, and who is tightest."""
        tight = max(sides, key=lambda side: float(side.lack[2].max()))
        rest = short_number(-float(tight.lack[2].max()))
        said = self._in_both(_NO_SHORTAGE, name=tight.member.name, rest=rest)
        return joined(said, _LEFT_OUT.format(n=left_out)) if left_out else said

    def no_help(self, needy: Sequence[Side], before: float) -> Text:
        """Return that somebody falls short and nobody can help."""
        return self._in_both(_NO_HELP, names=_names(needy), before=short_number(before))

    def no_gain(self, needy: Sequence[Side], before: float, *, is_best: bool) -> Text:
        """Return that moving is not worth it, or that nothing was found in time."""
        text = _NOT_WORTH if is_best else _NO_ANSWER
        return self._in_both(text, names=_names(needy), before=short_number(before))

    def _clock(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%m-%d %H:%M}"

    def _in_both(self, text: Text, **facts: object) -> Text:
        facts = {"unit": self._spec.unit, **facts}
        return Text(
            zh=text.zh.format(**{k: v.zh if isinstance(v, Text) else v for k, v in facts.items()}),
            en=text.en.format(**{k: v.en if isinstance(v, Text) else v for k, v in facts.items()}),
        )


def _names(sides: Sequence[Side]) -> Text:
    some = [side.member.name for side in sides[:3]]
    zh, en = "、".join(n.zh for n in some), ", ".join(n.en for n in some)
    more = len(sides) - len(some)
    return Text(
        zh=f"{zh}等 {len(sides)} 处" if more else zh, en=f"{en} and {more} more" if more else en
    )
