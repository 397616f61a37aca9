"""What people read about a case, in both languages: states, steps, titles and the lines of the log."""

from __future__ import annotations

from typing import Any

from chengmai.cases.model import Kind, LogLine, State, Step
from chengmai.kernel.texts import Text

STATE_WORDS: dict[State, Text] = {
    State.REPORTED: Text(zh="待立案", en="Reported"),
    State.OPENED: Text(zh="待派遣", en="To be dispatched"),
    State.DISPATCHED: Text(zh="处置中", en="Being handled"),
    State.HANDLED: Text(zh="待核查", en="To be verified"),
    State.CLOSED: Text(zh="已结案", en="Closed"),
    State.REJECTED: Text(zh="不受理", en="Not accepted"),
}
STEP_WORDS: dict[Step, Text] = {
    Step.REPORT: Text(zh="上报", en="Report"),
    Step.OPEN: Text(zh="立案", en="Open"),
    Step.REJECT: Text(zh="不受理", en="Reject"),
    Step.DISPATCH: Text(zh="派遣", en="Dispatch"),
    Step.RETURN: Text(zh="退回", en="Return"),
    Step.HANDLE: Text(zh="处置完成", en="Handled"),
    Step.VERIFY_PASS: Text(zh="核查通过，结案", en="Verified, close"),
    Step.VERIFY_FAIL: Text(zh="核查不通过，返工", en="Not verified, rework"),
    Step.REOPEN: Text(zh="重新立案", en="Reopen"),
    Step.COMMENT: Text(zh="备注", en="Comment"),
    Step.ESCALATE: Text(zh="升级", en="Escalate"),
    Step.RECOVERED: Text(zh="体征恢复", en="Recovered"),
    Step.PREDICTED_BECAME_REAL: Text(zh="预测成真", en="The prediction came true"),
    Step.CROSSED_AGAIN: Text(zh="再次越限", en="Crossed again"),
}
LEVEL_WORDS: dict[str, Text] = {
    "normal": Text(zh="正常", en="normal"),
    "watch": Text(zh="关注", en="watch"),
    "act": Text(zh="处置", en="act"),
    "unknown": Text(zh="未知", en="unknown"),
}
_BY_PLATFORM: dict[Step, Text] = {
    Step.OPEN: Text(zh="平台自动立案。{reason}", en="Opened by the platform. {reason}"),
    Step.ESCALATE: Text(zh="等级升为“{level}”。{reason}", en="The level rose to {level}. {reason}"),
    Step.RECOVERED: Text(
        zh="体征已恢复，请核查。{reason}", en="The vital sign recovered; please verify. {reason}"
    ),
    Step.PREDICTED_BECAME_REAL: Text(
        zh="预计的情况已经发生，等级“{level}”。{reason}",
        en="What was expected has happened, level {level}. {reason}",
    ),
    Step.CROSSED_AGAIN: Text(
        zh="体征再次越限，等级“{level}”。{reason}",
        en="The vital sign crossed again, level {level}. {reason}",
    ),
}
_BY_RULE: dict[Step, Text] = {
    Step.RECOVERED: Text(
        zh="规则所说的情况已恢复，请核查。{reason}",
        en="What the rule fired on is over; please verify. {reason}",
    ),
    Step.CROSSED_AGAIN: Text(
        zh="规则再次触发，等级“{level}”。{reason}",
        en="The rule fired again, level {level}. {reason}",
    ),
}
"""What the platform says otherwise where a rule and no vital sign is behind the case."""
_TITLES: dict[Kind, Text] = {
    "real": Text(zh="{area}{title}", en="{title}{area}"),
    "predicted": Text(zh="预计：{area}{title}", en="Expected: {title}{area}"),
    "person": Text(zh="{title}", en="{title}"),
}


def title_of_crossing(kind: Kind, title: Text, area: str) -> Text:
    """Return the title of a case that a crossing opens: what, where, and whether it is only expected."""
    form = _TITLES[kind]
    return Text(
        zh=form.zh.format(title=title.zh, area=f"{area} " if area else ""),
        en=form.en.format(title=title.en, area=f", {area}" if area else ""),
    )


def title_of_suspicion(title: Text, area: str) -> Text:
    """Return the title of a case about a suspected sensor."""
    of = title_of_crossing("real", title, area)
    return Text(zh=f"数据质量：{of.zh}", en=f"Data quality: {of.en}")


def sentence(line: LogLine) -> Text:
    """Return what a line of the log says to people; a person's own words stay as they were written."""
    form = _BY_PLATFORM.get(line.step) if line.by_role == "system" else None
    if form is not None and line.facts.get("rule"):
        form = _BY_RULE.get(line.step, form)
    if form is None:
        words = STEP_WORDS[line.step]
        note = line.note
        return Text(zh=f"{words.zh}：{note}", en=f"{words.en}: {note}") if note else words
    level = LEVEL_WORDS.get(str(line.facts.get("level")), LEVEL_WORDS["unknown"])
    reason = _reason(line.facts)
    return Text(
        zh=form.zh.format(level=level.zh, reason=reason.get("zh", "")).strip(),
        en=form.en.format(level=level.en, reason=reason.get("en", "")).strip(),
    )


def _reason(facts: dict[str, Any]) -> dict[str, str]:
    found = facts.get("reason")
    return found if isinstance(found, dict) else {}
