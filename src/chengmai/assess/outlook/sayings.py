"""Conclusions of a report in words, generated from its lines: other data give other words."""

from __future__ import annotations

from chengmai.assess.outlook.model import Line, Report, Verdict
from chengmai.assess.outlook.periods import written
from chengmai.assess.words import joined
from chengmai.kernel.texts import Text

_NAMED = 5
_WHOLE = 100
AGAINST: dict[Verdict, Text] = {
    "better": Text(zh="优于中位数", en="better than the median"),
    "worse": Text(zh="落后于中位数", en="behind the median"),
    "level": Text(zh="与中位数持平", en="at the median"),
    "unknown": Text(zh="无法比较", en="not comparable"),
}
COURSE: dict[Verdict, Text] = {
    "better": Text(zh="向好", en="improving"),
    "worse": Text(zh="变差", en="getting worse"),
    "level": Text(zh="平稳", en="steady"),
    "unknown": Text(zh="未知", en="unknown"),
}


def sentences(report: Report) -> tuple[Text, ...]:
    """Return what the report says first; nothing of what it does not hold."""
    if not report.lines:
        return ()
    said = [_state(report), *_score(report), *_gaps(report), *_strong(report), *_ahead(report)]
    return tuple(Text(zh=one.zh, en=one.en[:1].upper() + one.en[1:]) for one in said)


def _state(report: Report) -> Text:
    total, name = len(report.lines), report.subject.title
    if not report.is_compared:
        return Text(
            zh=f"{name.zh}有 {total} 项指标，没有可比的同级地方。",
            en=f"{name.en} has {total} indicators and no peers to be compared with.",
        )
    ahead, behind = len(report.having(against="better")), len(report.having(against="worse"))
    whole = (
        Text(zh="总体领先", en="ahead on the whole")
        if ahead > behind
        else Text(zh="总体落后", en="behind on the whole")
        if behind > ahead
        else Text(zh="总体居中", en="in the middle on the whole")
    )
    return Text(
        zh=f"{name.zh}{whole.zh}：{total} 项指标中 {ahead} 项优于同级中位数，{behind} 项落后。",
        en=f"{name.en} is {whole.en}: of {total} indicators {ahead} are better than the peers' median, "
        f"{behind} behind it.",
    )


def _score(report: Report) -> list[Text]:
    found = report.standing
    if found is None:
        return []
    title, zh, en = found.framework.title, "", ""
    if found.known is not None and found.known < _WHOLE:
        zh, en = (
            f"（只有 {found.known} 分有数据）",
            f" of the {found.known} of which anything is known",
        )
    if found.of > 1:
        zh += f"，在 {found.of} 个同级中排第 {found.rank}"
        en += f", place {found.rank} of {found.of} peers"
    if found.stage is not None:
        zh, en = f"{zh}，处于{found.stage.zh}", f"{en}, {found.stage.en}"
    return [
        Text(
            zh=f"按{title.zh}得 {found.total} 分{zh}。",
            en=f"by {title.en} it has {found.total} marks{en}.",
        )
    ]


def _gaps(report: Report) -> list[Text]:
    if not report.is_compared:
        return []
    urgent = [line for line in report.gaps if line.is_urgent]
    if urgent:
        names = joined([line.meaning.title for line in urgent[:_NAMED]])
        return [
            Text(
                zh=f"落后且仍在变差的有 {len(urgent)} 项，先看：{names.zh}。",
                en=f"{len(urgent)} lag and get worse; look first at {names.en}.",
            )
        ]
    if report.gaps:
        names = joined([line.meaning.title for line in report.gaps[:_NAMED]])
        unknown = sum(line.course == "unknown" for line in report.gaps)
        how = (
            Text(
                zh=f"落后的指标中没有看到变差的（{unknown} 项走向未知）",
                en=f"nothing that lags is seen to get worse ({unknown} of unknown course)",
            )
            if unknown
            else Text(zh="落后的指标都没有变差", en="nothing that lags gets worse")
        )
        return [
            Text(
                zh=f"{how.zh}；差得最多的是：{names.zh}。",
                en=f"{how.en}; furthest behind: {names.en}.",
            )
        ]
    return [Text(zh="没有落后于中位数的指标。", en="nothing is behind the median.")]


def _strong(report: Report) -> list[Text]:
    strong = report.having(against="better", course="better")
    if not strong:
        return []
    names = joined([line.meaning.title for line in strong[:_NAMED]])
    return [
        Text(
            zh=f"领先且继续向好的有 {len(strong)} 项：{names.zh}。",
            en=f"{len(strong)} lead and improve: {names.en}.",
        )
    ]


def _ahead(report: Report) -> list[Text]:
    crossing = [line for line in report.lines if crosses(line)]
    if not crossing:
        return []
    names = joined([line.meaning.title for line in crossing[:_NAMED]])
    return [
        Text(
            zh=f"若趋势延续，下一期将落到中位数之后的有：{names.zh}。",
            en=f"if they go on like this, the next period puts behind the median: {names.en}.",
        )
    ]


def crosses(line: Line) -> bool:
    """Return whether the next period is expected behind the median of the peers, and this one is not."""
    if line.against not in ("better", "level") or line.trend is None or not line.trend.steps:
        return False
    if line.median is None or line.trend.model == "naive":
        return False
    value = line.trend.steps[0].value
    return value < line.median if line.meaning.better == "up" else value > line.median


def trend_in_words(line: Line) -> Text:
    """Return how a line goes on, with its interval, or why nothing is said."""
    found = line.trend
    if found is None or not found.steps:
        count = line.unbroken
        return Text(
            zh=f"只有 {count} 期连续数据，太少，不作预测",
            en=f"{count} periods without a gap are too few for a forecast",
        )
    first = found.steps[0]
    period = written(line.period + 1, line.step)
    share = round(first.covers * 100)
    return Text(
        zh=f"{period}：{first.value:.4g}（{first.low:.4g}–{first.high:.4g}，{share}%）",
        en=f"{period}: {first.value:.4g} ({first.low:.4g}–{first.high:.4g}, {share}%)",
    )
