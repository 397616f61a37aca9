"""What an anomaly is called and told as, in both languages, with what was expected."""

from __future__ import annotations

from typing import Literal

from chengmai.kernel.texts import Text

Kind = Literal["high", "low", "stuck", "shift", "shape", "missing"]

_SENTENCES: dict[str, Text] = {
    "high": Text(
        zh="{value} 明显高于本时段通常的 {usual}（异常度 {score}）。",
        en="{value} is far above the usual {usual} for this hour (score {score}).",
    ),
    "low": Text(
        zh="{value} 明显低于本时段通常的 {usual}（异常度 {score}）。",
        en="{value} is far below the usual {usual} for this hour (score {score}).",
    ),
    "stuck": Text(
        zh="数值 {value} 已连续 {run} 个时刻没有变化，传感器可能卡死（异常度 {score}）。",
        en="The value has stayed at {value} for {run} steps; the sensor may be stuck (score {score}).",
    ),
    "shift": Text(
        zh="近 6 个时刻整体偏离通常水平（现为 {value}，通常 {usual}，异常度 {score}）。",
        en="The last 6 steps lie off the usual level (now {value}, usually {usual}, score {score}).",
    ),
    "shape": Text(
        zh="近几个时刻的走势以往未见（现为 {value}，通常 {usual}，异常度 {score}）。",
        en="The course of the last steps was not seen before (now {value}, usually {usual}, score {score}).",
    ),
    "missing": Text(
        zh="已连续 {run} 个时刻没有读数，超过以往的缺测时长。",
        en="No reading for {run} steps, longer than any gap before.",
    ),
    "missing_briefly": Text(zh="已连续 {run} 个时刻没有读数。", en="No reading for {run} step(s)."),
    "ordinary": Text(
        zh="{value}，与本时段通常的 {usual} 相比没有异常（异常度 {score}）。",
        en="{value} is not unusual beside {usual} for this hour (score {score}).",
    ),
    "learning": Text(
        zh="{value}；本时段尚无可比的历史。",
        en="{value}; this hour has no past to compare with yet.",
    ),
}


def sentence_of(
    value: float,
    *,
    score: float,
    kind: Kind | None,
    is_missing: bool,
    usual: float | None,
    run: int,
) -> Text:
    """Return the sentence; `kind` is None when nothing is unusual."""
    key: str = kind or ("missing_briefly" if is_missing else "ordinary")
    if key == "ordinary" and usual is None:
        key = "learning"
    return _SENTENCES[key].format(
        value=f"{value:.4g}",
        usual="—" if usual is None else f"{usual:.4g}",
        score=f"{score:.2f}",
        run=run,
    )
