"""The sentences of rules, in both languages: what is asked, what was read, what was done, what came back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chengmai.kernel.instants import format_instant
from chengmai.kernel.texts import Text
from chengmai.ngsild.entity import Entity, value_of
from chengmai.packs.rules import RuleSpec
from chengmai.rules.model import CommandState, Ended, Line

STATE_WORDS: dict[CommandState, Text] = {
    CommandState.WAITING: Text(zh="等人决定", en="waits for a person"),
    CommandState.PENDING: Text(zh="待发送", en="to be sent"),
    CommandState.SENT: Text(zh="已发送", en="sent"),
    CommandState.ACKNOWLEDGED: Text(zh="设备已确认", en="acknowledged"),
    CommandState.VERIFIED: Text(zh="效果已核实", en="effect verified"),
    CommandState.REFUSED: Text(zh="已拒绝", en="refused"),
    CommandState.TIMED_OUT: Text(zh="超时", en="timed out"),
    CommandState.NO_EFFECT: Text(zh="未见效果", en="no effect seen"),
}
ENDED_WORDS: dict[Ended, Text] = {
    "recovered": Text(zh="已恢复", en="recovered"),
    "withdrawn": Text(
        zh="迟到的读数表明并未发生，已撤回", en="withdrawn: a late reading contradicts it"
    ),
    "changed": Text(zh="规则已修改或停用", en="over: the rule was changed or switched off"),
    "deleted": Text(zh="实体已删除", en="over: the entity was deleted"),
}
_CASE_WORDS = {
    "reported": Text(zh="待立案", en="reported"),
    "opened": Text(zh="已立案，待派遣", en="opened, to be dispatched"),
    "dispatched": Text(zh="处置中", en="being handled"),
    "handled": Text(zh="已处置，待核查", en="handled, to be verified"),
    "closed": Text(zh="已结案", en="closed"),
    "rejected": Text(zh="不受理", en="not accepted"),
}
_DAY, _HOUR, _MINUTE = 86400, 3600, 60


def length(of: timedelta) -> Text:
    """Return a length in words: `5 分钟`, `5 min`."""
    seconds = of.total_seconds()
    for unit, zh, en in ((_DAY, "天", "d"), (_HOUR, "小时", "h"), (_MINUTE, "分钟", "min")):
        if seconds >= unit and seconds % unit == 0:
            return Text(zh=f"{seconds / unit:g} {zh}", en=f"{seconds / unit:g} {en}")
    return Text(zh=f"{seconds:g} 秒", en=f"{seconds:g} s")


def condition(spec: RuleSpec) -> Text:
    """Return what a rule asks: `tilt>15，10 秒内 3 次`."""
    if spec.within is not None:
        within = length(spec.within)
        return Text(
            zh=f"{spec.q}，{within.zh}内 {spec.count} 次",
            en=f"{spec.q}, {spec.count} times within {within.en}",
        )
    if spec.for_ is not None:
        lasting = length(spec.for_)
        return Text(zh=f"{spec.q}，持续 {lasting.zh}", en=f"{spec.q}, for {lasting.en}")
    return Text(zh=spec.q, en=spec.q)


def recovery(spec: RuleSpec) -> Text:
    """Return when a rule takes it to be over."""
    over = spec.recovers
    what = Text(zh=f"不再 {spec.q}", en=f"no longer {spec.q}")
    if over.q is not None:
        what = Text(zh=over.q, en=over.q)
    if not over.for_:
        return what
    lasting = length(over.for_)
    return Text(zh=f"{what.zh}，持续 {lasting.zh}", en=f"{what.en}, for {lasting.en}")


def name_of(entity: Entity | None, entity_id: str) -> Text:
    """Return the name of an entity, or the end of its id."""
    named = value_of(entity, "name") if entity is not None else None
    last = entity_id.rpartition(":")[2] or entity_id
    if isinstance(named, str) and named:
        return Text(zh=named, en=named)
    if isinstance(named, dict) and named:
        any_name = str(next(iter(named.values())) or last)
        return Text(zh=str(named.get("zh") or any_name), en=str(named.get("en") or any_name))
    return Text(zh=last, en=last)


def reading(values: Mapping[str, Any]) -> str:
    """Return a reading in one line: `tilt = 17.2, battery = 80`."""
    return ", ".join(f"{name} = {_shown(value)}" for name, value in values.items())


def reason(spec: RuleSpec, name: Text, values: Mapping[str, Any]) -> Text:
    """Return why a rule fired, in one sentence."""
    asked, read = condition(spec), reading(values)
    return Text(
        zh=f"{name.zh}：{read or '无读数'}；条件“{asked.zh}”成立。",
        en=f"{name.en}: {read or 'no reading'}; the condition {asked.en} holds.",
    )


def line(at: datetime, what: str, zh: str, en: str) -> Line:
    """Return one line of a trace."""
    return Line(at=at, what=what, text=Text(zh=zh, en=en))


def fired(at: datetime, fired_at: datetime, version: int, why: Text, *, late: bool) -> Line:
    """Return the first line of a trace."""
    when = format_instant(fired_at)
    zh, en = (
        f"规则第 {version} 版于 {when} 触发。{why.zh}",
        f"Version {version} fired at {when}. {why.en}",
    )
    if late:
        zh += "读数迟到，当时已经恢复，不再发送指令。"
        en += " The readings came late and it was over already: no command is sent."
    return line(at, "fired", zh, en)


def over(at: datetime, ended: Ended, ended_at: datetime, values: Mapping[str, Any]) -> Line:
    """Return the line that says how a firing ended."""
    said, read = ENDED_WORDS[ended], reading(values)
    zh = f"{format_instant(ended_at)} {said.zh}" + (f"（{read}）" if read else "") + "。"
    en = f"At {format_instant(ended_at)} {said.en}" + (f" ({read})" if read else "") + "."
    return line(at, ended, zh, en)


def case(at: datetime, case_id: str, step: str, state: str) -> Line:
    """Return the line that says how a case that the firing opened went on."""
    number = case_id.rpartition(":")[2]
    now = _CASE_WORDS.get(state, Text(zh=state, en=state))
    return line(at, f"case.{step}", f"案件 {number}：{now.zh}。", f"Case {number}: {now.en}.")


def resumed(at: datetime) -> Line:
    """Return the line that says that a recovery was undone."""
    return line(
        at,
        "resumed",
        "迟到的读数表明尚未恢复，触发继续。",
        "A late reading shows that it had not recovered: the firing goes on.",
    )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)[:80]
