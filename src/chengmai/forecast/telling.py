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


_MODELS: dict[str, Text] = {
    "seasonal_naive": Text(zh="季节朴素法", en="seasonal naive"),
    "phase_mean": Text(zh="同期均值", en="mean of the same phase"),
    "day_mean": Text(zh="每日同时均值", en="mean of the same hour"),
    "persistence": Text(zh="末值延续", en="last value"),
    "drift": Text(zh="末值加趋势", en="last value with drift"),
    "median": Text(zh="中位数", en="median"),
    "ridge": Text(zh="岭回归", en="ridge"),
    "blend": Text(zh="岭回归与神经网络均值", en="mean of ridge and neural network"),
    "shared_ridge": Text(zh="共享岭回归", en="shared ridge"),
}


def model_title(name: str) -> Text:
    """Return what people call a model; its name where it is not one of ours."""
    return _MODELS.get(name, Text(zh=name, en=name))


_WHY: dict[str, Text] = {
    "first": Text(zh="首次建模：此前没有模型", en="first fit: there was no model"),
    "schedule": Text(zh="到期：按周期重新拟合", en="due: it had served its time"),
    "drift": Text(
        zh="漂移：近期误差超过回测误差的三倍",
        en="drift: lately it erred more than three times as much as in its back-test",
    ),
    "group": Text(
        zh="序列变动：区域或同域要素有增减",
        en="the group changed: areas or other quantities joined or left",
    ),
    "grid": Text(
        zh="时间网格变动：步长、预见期或历史起点改变",
        en="the grid changed: step, horizon or beginning of the history",
    ),
    "retry": Text(
        zh="再次尝试：此前历史不足，未能建模",
        en="tried again: the history was too short for any model before",
    ),
}


def why_title(word: str) -> Text:
    """Return why a model was fitted, in words; a dash where it was not recorded."""
    return _WHY.get(word, Text(zh="–", en="–"))


_FAULTS: dict[str, Text] = {
    "stuck": Text(
        zh="数值 {value} 已连续 {steps} 个时刻没有变化，而其他区域在变：传感器疑似卡死。",
        en="The value stays at {value} for {steps} steps while others move: the sensor seems stuck.",
    ),
    "drift": Text(
        zh="数值 {value} 数日来逐渐偏离其他区域（现为 {beside}，日均差为通常的 {size} 倍）：传感器疑似漂移。",
        en="The value, {value}, has crept away from other areas for days (they show {beside}; the daily mean"
        " lies {size} times as far off as usual): the sensor seems to drift.",
    ),
    "implausible": Text(
        zh="数值 {value} 与其他区域不符（它们约为 {beside}，偏差为通常的 {size} 倍）：传感器疑似有误。",
        en="The value, {value}, does not fit the other areas (about {beside}; {size} times as far off as"
        " usual): the sensor seems wrong.",
    ),
    "spike": Text(
        zh="{steps} 个时刻前出现单个尖峰 {value}（前后约 {beside}），其他区域没有：疑似传感器尖峰。",
        en="A single value of {value} {steps} steps ago (about {beside} before and after) that no other area"
        " saw: a spike of the sensor, it seems.",
    ),
    "gap": Text(
        zh="读数在缺测 {steps} 个时刻后恢复，缺测时间长于通常。",
        en="Readings are back after {steps} steps without any, longer than usual.",
    ),
    "silent": Text(
        zh="没有读数，已超过时限。没有数据不等于正常。",
        en="No readings, beyond the time allowed. No data does not mean normal.",
    ),
    "late": Text(
        zh="最近的读数迟到：应有 {steps} 个时刻的读数尚未到达。",
        en="The latest readings are late: those of {steps} step(s) have not come.",
    ),
    "none": Text(zh="传感器没有可疑之处。", en="Nothing speaks against the sensor."),
}


def fault_sentence(
    kind: str, value: float | None, beside: float | None, steps: int, size: float
) -> Text:
    """Return what is said of a suspected sensor; kind `none` when nothing speaks against it any more."""
    return _FAULTS[kind].format(
        value="—" if value is None else f"{value:.4g}",
        beside="—" if beside is None else f"{beside:.4g}",
        steps=steps,
        size=f"{size:.1f}",
    )
