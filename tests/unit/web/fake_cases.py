"""Invented cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chengmai.web.cockpit.views import (
    CaseRow,
    StepChoice,
)
from tests.unit.web.fake_signs import position, text

DISPATCH = StepChoice(
    "dispatch", text("派遣", "Dispatch"), target=text("生态环境局值班组", "Environment duty team")
)
RETURN = StepChoice("return", text("退回", "Send back"), needs_note=True)
VERIFY = StepChoice("verify", text("核查", "Verify"))
CLOSE = StepChoice("close", text("结案", "Close"), needs_note=True)


def case_rows(now: datetime, hostile: str = "") -> list[CaseRow]:
    first = CaseRow(
        id="urn:ngsi-ld:CityCase:2026-000131",
        number="2026-000131",
        title=text("东湖区 PM2.5 超过处置阈值", "PM2.5 beyond the act threshold in East Lake"),
        category=text("大气重污染", "Heavy air pollution"),
        state="open",
        state_label=text("立案", "Opened"),
        kind="real",
        level="act",
        area="East Lake" + hostile,
        opened_at=now - timedelta(minutes=38),
        version=3,
        unit=text("生态环境局", "Environment bureau"),
        due_at=now + timedelta(minutes=22),
        light="yellow",
        next_step=DISPATCH,
        vital_id="urn:ngsi-ld:VitalSign:environment:pm25:East-Lake",
        position=position(0, 3),
    )
    second = replace(
        first,
        id="urn:ngsi-ld:CityCase:2026-000127",
        number="2026-000127",
        title=text("北站区变压器油温越限", "Transformer oil too hot in North Station"),
        category=text("设备过热", "Overheating"),
        area="North Station",
        light="red",
        due_at=now - timedelta(minutes=50),
        opened_at=now - timedelta(hours=5),
        next_step=CLOSE,
        recovered=True,
        vital_id=None,
        state="verify",
        state_label=text("待核查", "To verify"),
        unit=text("供电公司", "Power company"),
        position=position(1, 4),
    )
    third = replace(
        first,
        id="urn:ngsi-ld:CityCase:2026-000133",
        number="2026-000133",
        title=text(
            "预计 18:00 老港区主干路车速低于 18 km/h",
            "Arterial speed in Old Port expected below 18 km/h at 18:00",
        ),
        category=text("交通拥堵", "Congestion"),
        area="Old Port",
        kind="predicted",
        level="watch",
        light="green",
        due_at=now + timedelta(hours=3),
        opened_at=now - timedelta(minutes=4),
        next_step=VERIFY,
        vital_id=None,
        unit=text("交警支队", "Traffic police"),
        position=None,
    )
    return [second, first, third]
