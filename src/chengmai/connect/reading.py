"""What a connector hands over: a reading of one thing, or a record it refused and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chengmai.kernel.texts import Text

Value = float | str | bool
SAMPLE_CHARS = 200


@dataclass(frozen=True)
class Static:
    """What does not change from reading to reading: name, place and area of the thing."""

    area: str
    name: str | None = None
    location: Mapping[str, Any] | None = None
    """A GeoJSON geometry in WGS 84."""


@dataclass(frozen=True)
class Reading:
    """Values of one entity, observed at one instant, in the units the attributes are declared with."""

    entity_id: str
    entity_type: str
    observed_at: datetime
    values: Mapping[str, Value]
    static: Static | None = None


@dataclass(frozen=True)
class Reject:
    """A record, or one value of it, that was refused: `where` names it, `sample` shows ≤ 200 characters."""

    code: str
    where: str
    detail: str
    sample: str
    at: datetime


REJECT_TEXTS: Mapping[str, Text] = {
    "bad_row": Text(
        zh="这一行的列数与表头不符", en="The row does not have the columns of the header"
    ),
    "bad_number": Text(zh="这个值不是数", en="The value is not a number"),
    "bad_time": Text(zh="观测时间无法读懂", en="The time of observation cannot be read"),
    "future_time": Text(zh="观测时间在未来", en="The time of observation lies in the future"),
    "too_old": Text(
        zh="早于已经收到的同一事物的观测", en="Older than what this thing already told"
    ),
    "unknown_unit": Text(zh="单位代码不认识", en="The unit code is not known"),
    "wrong_unit": Text(
        zh="单位量的不是这个属性", en="The unit measures something else than the attribute"
    ),
    "out_of_range": Text(zh="超出可信范围", en="Outside the plausible range"),
    "missing_id": Text(zh="缺少标识或所属区域", en="The identifier or the area is missing"),
    "bad_json": Text(zh="不是有效的 JSON", en="Not valid JSON"),
    "line_too_long": Text(
        zh="一行超过 1 MiB，已跳过", en="A line is longer than 1 MiB and was skipped"
    ),
    "unknown_attribute": Text(
        zh="记录里没有任何已声明的属性", en="The record holds none of the declared attributes"
    ),
    "bad_document": Text(zh="整份文件无法读取", en="The document as a whole cannot be read"),
    "bad_text": Text(zh="不是所声明编码的文字", en="Not text in the encoding it is said to have"),
    "too_large": Text(
        zh="超出这个数据源的大小上限，其余未读",
        en="Beyond the limits of the feed; the rest was not read",
    ),
    "no_value": Text(
        zh="公式没有算出的值", en="A formula without a value: the file was never calculated"
    ),
    "personal_data": Text(
        zh="含有个人数据，未读入也未保存", en="Holds data of persons; neither read nor kept"
    ),
    "bad_resource": Text(zh="不符合所用标准的定义", en="Not what its standard defines"),
    "not_published": Text(
        zh="发布方声明不公开，未读入",
        en="Its publisher says that it is not to be published; not read",
    ),
    "device_error": Text(zh="设备没有给出这个值", en="The device did not give this value"),
    "unknown_id": Text(
        zh="引用了来源里没有的标识", en="Refers to something that its source does not hold"
    ),
    "duplicate": Text(zh="与已收到的读数相同", en="The same as a reading already received"),
}
"""Each reason in both languages; its keys are stable."""


def shorten(raw: object) -> str:
    """Return at most 200 characters of `raw` that can be shown: no control characters."""
    text = raw if isinstance(raw, str) else repr(raw)
    shown = "".join(c if c.isprintable() else "·" for c in text[: SAMPLE_CHARS + 1])
    return shown if len(shown) <= SAMPLE_CHARS else shown[: SAMPLE_CHARS - 1] + "…"
