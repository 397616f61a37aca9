"""What people read about incidents, in both languages: states, steps, reasons, titles, lines of the log."""

from __future__ import annotations

from typing import Any

from chengmai.incidents.model import Incident, LogLine, Member, Nature, State, Step
from chengmai.kernel.texts import Text

STATE_WORDS: dict[State, Text] = {
    State.OPEN: Text(zh="进行中", en="Open"),
    State.MERGED: Text(zh="已并入", en="Merged"),
    State.ENDED: Text(zh="已结束", en="Ended"),
}
STEP_WORDS: dict[Step, Text] = {
    Step.OPEN: Text(zh="事件形成", en="Opened"),
    Step.EXTEND: Text(zh="告警并入", en="Alarm joined"),
    Step.RISE: Text(zh="告警升级", en="Alarm rose"),
    Step.RECOVER: Text(zh="告警恢复", en="Alarm over"),
    Step.REOPEN: Text(zh="再次发生", en="Came again"),
    Step.END: Text(zh="事件结束", en="Ended"),
    Step.CASE: Text(zh="关联案件", en="Case"),
    Step.MERGE: Text(zh="并入其他事件", en="Merge into another"),
    Step.JOINED: Text(zh="其他事件并入", en="Another joined"),
    Step.SPLIT: Text(zh="拆分", en="Split"),
    Step.RAISE: Text(zh="提级", en="Raise level"),
    Step.STAND_DOWN: Text(zh="解除", en="Stand down"),
    Step.COMMENT: Text(zh="备注", en="Note"),
    Step.UNDO: Text(zh="撤销", en="Undo"),
}
REASONS: dict[Step, dict[str, Text]] = {
    Step.MERGE: {
        "same_cause": Text(zh="同一原因", en="Same cause"),
        "same_place": Text(zh="同一地点", en="Same place"),
        "one_follows_other": Text(zh="一个由另一个引起", en="One follows from the other"),
        "duplicate": Text(zh="重复", en="Duplicate"),
    },
    Step.SPLIT: {
        "other_cause": Text(zh="原因不同", en="Another cause"),
        "other_place": Text(zh="地点不同", en="Another place"),
        "other_team": Text(zh="由不同单位处置", en="Another unit handles it"),
    },
    Step.RAISE: {
        "spreading": Text(zh="正在扩大", en="Spreading"),
        "people_at_risk": Text(zh="危及人身", en="People at risk"),
        "report_from_site": Text(zh="现场报告", en="Report from the site"),
        "ordered": Text(zh="上级要求", en="Ordered from above"),
    },
    Step.STAND_DOWN: {
        "handled": Text(zh="已处置", en="Handled"),
        "false_alarm": Text(zh="误报", en="False alarm"),
        "planned_work": Text(zh="计划内作业", en="Planned work"),
        "exercise": Text(zh="演练", en="Exercise"),
        "not_ours": Text(zh="不属本市职责", en="Not ours"),
    },
}
"""Code of a reason to its words, step by step. Codes are stable: reviews count them."""
LEVEL_WORDS: dict[str, Text] = {
    "normal": Text(zh="正常", en="normal"),
    "watch": Text(zh="关注", en="watch"),
    "act": Text(zh="处置", en="act"),
    "unknown": Text(zh="未知", en="unknown"),
}
FAULT_WORDS: dict[str, Text] = {
    "stuck": Text(zh="读数卡死", en="stuck"),
    "drift": Text(zh="读数漂移", en="drifting"),
    "silent": Text(zh="无读数", en="silent"),
    "gap": Text(zh="缺测", en="gap"),
    "late": Text(zh="迟到", en="late"),
    "implausible": Text(zh="与邻点不符", en="implausible beside its neighbours"),
    "spike": Text(zh="尖峰", en="spike"),
}
_BY_PLATFORM: dict[Step, Text] = {
    Step.OPEN: Text(zh="{member}：{reason}", en="{member}: {reason}"),
    Step.EXTEND: Text(zh="{member} 并入：{reason}", en="{member} joined: {reason}"),
    Step.RISE: Text(zh="{member} 升为“{level}”：{reason}", en="{member} rose to {level}: {reason}"),
    Step.RECOVER: Text(zh="{member} 已恢复：{reason}", en="{member} is over: {reason}"),
    Step.REOPEN: Text(zh="{member} 再次告警：{reason}", en="{member} came again: {reason}"),
    Step.END: Text(zh="全部告警均已恢复。", en="All alarms are over."),
    Step.CASE: Text(zh="{member} 的案件：{case}", en="Case of {member}: {case}"),
    Step.MERGE: Text(zh="并入 {other}。", en="Merged into {other}."),
    Step.JOINED: Text(zh="{other} 并入本事件。", en="{other} was merged into this."),
}


def name_of(member: Member) -> Text:
    """Return what a member is called: what and where, and that it is only expected or a sensor's."""
    zh, en = f"{member.area} {member.title.zh}", f"{member.title.en}, {member.area}"
    if member.kind == "predicted":
        return Text(zh=f"预计：{zh}", en=f"Expected: {en}")
    if member.kind == "fault":
        fault = FAULT_WORDS.get(member.group, Text(zh=member.group, en=member.group))
        return Text(zh=f"{zh}（{fault.zh}）", en=f"{en} ({fault.en})")
    return Text(zh=zh, en=en)


def title_of(
    members: tuple[Member, ...], nature: Nature, cause: str | None, effects: tuple[str, ...]
) -> Text:
    """Return the title of an incident: its first cause and what follows, or its first alarm and how many
    more."""
    by_vital = {one.vital: one for one in members}
    first = by_vital[cause] if cause in by_vital else min(members, key=lambda m: (m.since, m.vital))
    name = name_of(first)
    if nature == "fault":
        name = Text(zh=f"数据质量：{name.zh}", en=f"Data quality: {name.en}")
    following = list(dict.fromkeys(by_vital[e].title for e in effects if e in by_vital))
    if cause is not None and following:
        more = len(members) - 2
        tail_zh = f"等 {len(members)} 项" if more > 0 else ""
        tail_en = f" and {more} more" if more > 0 else ""
        return Text(
            zh=f"{name.zh} → {following[0].zh}{tail_zh}",
            en=f"{name.en} → {following[0].en}{tail_en}",
        )
    more = len(members) - 1
    if more == 0:
        return name
    return Text(zh=f"{name.zh}等 {len(members)} 项", en=f"{name.en} and {more} more")


def sentence(line: LogLine) -> Text:
    """Return what a line of the log says; a person's own words stay as they were written."""
    form = _BY_PLATFORM.get(line.step)
    if form is not None and line.by_id.startswith("sys:"):
        return Text(
            zh=form.zh.format(**_facts(line, "zh")), en=form.en.format(**_facts(line, "en"))
        )
    parts = [_of_decision(line)]
    if (reason := REASONS.get(line.step, {}).get(line.reason)) is not None:
        parts.append(reason)
    if line.note:
        parts.append(Text(zh=line.note, en=line.note))
    said = [part for part in parts if part is not None]
    if not said:
        return STEP_WORDS[line.step]
    return Text(zh="；".join(p.zh for p in said), en="; ".join(p.en for p in said))


def told(incident: Incident) -> str:
    """Return the level of an incident as audit lines and budgets name it."""
    return f"{incident.id} {incident.level}"


def _of_decision(line: LogLine) -> Text | None:
    facts = line.facts
    if line.step is Step.RAISE:
        level = LEVEL_WORDS[str(facts["level"])]
        return Text(zh=f"提为“{level.zh}”", en=f"Raised to {level.en}")
    if line.step in (Step.MERGE, Step.JOINED, Step.SPLIT):
        other = str(facts.get("number", ""))
        forms = {
            Step.MERGE: Text(zh=f"并入 {other}", en=f"Merged into {other}"),
            Step.JOINED: Text(zh=f"{other} 并入本事件", en=f"{other} was merged into this"),
            Step.SPLIT: Text(zh=f"与 {other} 分开", en=f"Parted from {other}"),
        }
        return forms[line.step]
    if line.step is Step.UNDO:
        undone = STEP_WORDS[Step(str(facts["undone"]))]
        return Text(zh=f"撤销：{undone.zh}", en=f"Undone: {undone.en}")
    return None


def _facts(line: LogLine, lang: str) -> dict[str, Any]:
    facts = line.facts
    level = LEVEL_WORDS.get(str(facts.get("level")), LEVEL_WORDS["unknown"])
    return {
        "member": (facts.get("member") or {}).get(lang, ""),
        "reason": (facts.get("reason") or {}).get(lang, ""),
        "level": level.zh if lang == "zh" else level.en,
        "other": facts.get("number", ""),
        "case": facts.get("case", ""),
    }
