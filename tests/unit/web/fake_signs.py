"""Invented vital signs: smooth, repeatable, some of them out of order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chengmai.kernel.problems import NotFound
from chengmai.kernel.texts import Text
from chengmai.web.cockpit.views import (
    BandView,
    ForecastPoint,
    ForecastView,
    Level,
    Point,
    VitalCard,
)

NOW = datetime(2026, 11, 22, 7, 43, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEST, SOUTH = 121.30, 31.10


def text(zh: str, en: str) -> Text:
    """Return a text in both languages."""
    return Text(zh=zh, en=en)


@dataclass(frozen=True)
class Sign:
    """How one invented sign behaves."""

    key: str
    title: Text
    pack: str
    unit: str
    mid: float
    swing: float
    watch: float
    act: float
    above: bool = True
    decimals: int = 1


PACKS = {
    "transport": text("智能交通", "Transport"),
    "environment": text("生态环境", "Environment"),
    "power": text("智能电网", "Power"),
}
AREAS = (text("东湖区", "East Lake"), text("北站区", "North Station"), text("老港区", "Old Port"))
SIGNS = (
    Sign(
        "pm25",
        text("PM2.5 小时均值", "PM2.5, hourly mean"),
        "environment",
        "µg/m³",
        48,
        22,
        75,
        115,
    ),
    Sign(
        "no2",
        text("二氧化氮小时均值", "Nitrogen dioxide, hourly mean"),
        "environment",
        "µg/m³",
        40,
        15,
        120,
        200,
    ),
    Sign(
        "o3",
        text("臭氧小时均值", "Ozone, hourly mean"),
        "environment",
        "µg/m³",
        60,
        40,
        160,
        200,
        decimals=0,
    ),
    Sign("noise", text("昼间噪声", "Daytime noise"), "environment", "dB", 58, 6, 65, 70),
    Sign(
        "speed",
        text("主干路平均车速", "Mean speed on arterial roads"),
        "transport",
        "km/h",
        38,
        9,
        25,
        18,
        above=False,
    ),
    Sign("share", text("拥堵路段占比", "Congested share of roads"), "transport", "%", 9, 6, 20, 30),
    Sign(
        "bikes",
        text("可借单车站点占比", "Stations with bicycles"),
        "transport",
        "%",
        84,
        8,
        60,
        40,
        above=False,
        decimals=0,
    ),
    Sign("delay", text("公交平均晚点", "Mean bus delay"), "transport", "min", 2.6, 1.4, 6, 10),
    Sign(
        "load", text("变压器负载率", "Transformer load"), "power", "%", 61, 16, 85, 100, decimals=0
    ),
    Sign("oil", text("变压器油温", "Transformer oil temperature"), "power", "°C", 52, 9, 85, 95),
    Sign(
        "volt",
        text("电压合格率", "Voltage within limits"),
        "power",
        "%",
        99.6,
        0.3,
        98,
        95,
        above=False,
        decimals=2,
    ),
    Sign(
        "outage",
        text("停电用户数", "Customers without power"),
        "power",
        "",
        12,
        9,
        200,
        1000,
        decimals=0,
    ),
)
ODD: dict[tuple[str, int], tuple[Level, float]] = {
    ("pm25", 0): ("act", 2.9),
    ("pm25", 1): ("watch", 1.8),
    ("speed", 2): ("watch", -0.38),
    ("oil", 1): ("act", 1.87),
    ("load", 1): ("watch", 1.45),
    ("noise", 2): ("unknown", 1.0),
}
FIRST_CASE = "urn:ngsi-ld:CityCase:2026-000131"


def sign_value(sign: Sign, area: int, at: datetime) -> float:
    """Return a smooth value with a daily pattern and a little repeatable noise."""
    hours = at.timestamp() / 3600
    daily = math.sin((hours + 3 * area) * math.tau / 24) + 0.4 * math.sin(hours * math.tau / 12)
    noise = 0.25 * math.sin(hours * 7.3 + area) + 0.2 * math.sin(hours * 2.1 + 1.7 * area)
    return sign.mid + sign.swing * 0.55 * (daily + noise)


def position(area: int, shift: int = 0) -> tuple[float, float]:
    return WEST + 0.1 * area + 0.03 + 0.012 * (shift % 5), SOUTH + 0.03 * area + 0.03 + 0.017 * (
        shift % 6
    )


def observed(sign: Sign, area: int, at: datetime, now: datetime) -> float:
    level, factor = ODD.get((sign.key, area), ("normal", 1.0))
    age = (now - at) / HOUR
    usual = sign_value(sign, area, at)
    if level in ("normal", "unknown") or age > 8:
        return usual
    share = 1 - age / 8
    target = sign.mid * abs(factor) if factor > 0 else sign.mid * (1 + factor) - 4
    return usual + (target - usual) * share


def card(sign: Sign, area: int, now: datetime, hostile: str = "") -> VitalCard:
    level, _ = ODD.get((sign.key, area), ("normal", 1.0))
    mid = sign_value(sign, area, now - timedelta(days=7))
    unknown = level == "unknown"
    reasons = {
        "act": text("连续 2 小时越过处置阈值。", "Beyond the act threshold for 2 hours."),
        "watch": text("已越过关注阈值。", "Beyond the watch threshold."),
        "unknown": text("已超过 3 小时没有读数。", "No reading for more than 3 hours."),
        "normal": text("在所有阈值之内。", "Within every threshold."),
    }
    times = [now - timedelta(minutes=30 * n) for n in range(48, -1, -1)]
    vital_id = f"urn:ngsi-ld:VitalSign:{sign.pack}:{sign.key}:{AREAS[area].en.replace(' ', '-')}"
    return VitalCard(
        id=vital_id,
        title=sign.title,
        pack=sign.pack,
        pack_title=PACKS[sign.pack],
        area=AREAS[area].en + hostile,
        level=level,
        value=None if unknown else observed(sign, area, now, now),
        unit=sign.unit,
        observed_at=now - (timedelta(hours=4) if unknown else timedelta(minutes=3 + area)),
        since=now - timedelta(hours=2),
        reason=reasons[level],
        decimals=sign.decimals,
        expected_low=mid - sign.swing * 0.5,
        expected_high=mid + sign.swing * 0.5,
        recent=tuple(
            Point(at, observed(sign, area, at, now)) for at in times[: 40 if unknown else 49]
        ),
        position=position(area, len(sign.key)),
        case_id=FIRST_CASE if level == "act" else None,
    )


def find_sign(vital_id: str) -> tuple[Sign, int]:
    for sign in SIGNS:
        for index, area in enumerate(AREAS):
            if vital_id.endswith(f":{sign.key}:{area.en.replace(' ', '-')}"):
                return sign, index
    raise NotFound(f"there is no vital sign {vital_id}", code="vital.not_found")


def forecast(sign: Sign, area: int, now: datetime) -> ForecastView:
    origin = now.replace(minute=0)
    points = []
    shown = sign.key != "noise"
    for n in range(1, 25):
        at = origin + HOUR * n
        near = observed(sign, area, now, now)
        usual = sign_value(sign, area, at)
        median = usual + (near - usual) * math.exp(-n / 6)
        width = sign.swing * (0.2 + 0.02 * n)
        points.append(ForecastPoint(at, median, median - width, median + width, usual))
    because = (
        text(
            "回测误差比季节性朴素基线低 36%。",
            "In the back-test its error is 36 % lower than the seasonal-naive one.",
        )
        if shown
        else text(
            "回测未优于季节性朴素基线。",
            "In the back-test it did not beat the seasonal-naive baseline.",
        )
    )
    return ForecastView(
        "seasonal-ets",
        "1",
        origin,
        HOUR,
        0.8,
        tuple(points),
        shown,
        because,
        9.14,
        14.2,
        0.356,
        0.79,
        40,
    )


def polygon(
    kind: str, zh: str, en: str, x: float, y: float, width: float, height: float
) -> dict[str, Any]:
    west, south = WEST + x, SOUTH + y
    ring = [
        [west, south],
        [west + width, south + 0.01],
        [west + width, south + height],
        [west + 0.01, south + height - 0.01],
        [west, south],
    ]
    properties = {"kind": kind, "name:zh": zh, "name:en": en}
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def bands(sign: Sign) -> tuple[BandView, ...]:
    def band(level: Any, bound: float, **more: Any) -> BandView:
        above, below = (bound, None) if sign.above else (None, bound)
        return BandView(level=level, above=above, below=below, **more)

    return (
        band(
            "watch",
            sign.watch,
            source=Text(zh="HJ 633-2012 表 1", en="HJ 633-2012, table 1"),
            trust="S",
            from_date=date(2016, 1, 1),
        ),
        band(
            "act",
            sign.act,
            source=Text(zh="市应急预案第三节", en="City emergency plan, section 3"),
            trust="C",
            clear=sign.act * 0.95,
        ),
        band(
            "act",
            sign.act * 1.3,
            source=Text(zh="旧版", en="Earlier edition"),
            trust="M",
            until_date=date(2015, 12, 31),
            in_force=False,
        ),
    )


def silent(at: datetime, now: datetime) -> bool:
    """Three hours in which nothing arrived, so that every chart has a gap."""
    return timedelta(hours=14) < now - at < timedelta(hours=17)
