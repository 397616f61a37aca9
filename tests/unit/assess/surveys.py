"""Builders of surveys."""

from __future__ import annotations

import json
from typing import Any

YES_NO = [
    {"id": "yes", "zh": "满意", "en": "satisfied", "points": 100},
    {"id": "no", "zh": "不满意", "en": "not satisfied", "points": 0},
    {"id": "na", "zh": "不清楚", "en": "do not know"},
]
SCALE = [
    {"id": str(step), "zh": f"{step} 分", "en": f"{step} of 5", "points": (step - 1) * 25}
    for step in range(1, 6)
]
EAST = {"id": "east", "zh": "东社区", "en": "East", "population": 6000}
WEST = {"id": "west", "zh": "西社区", "en": "West", "population": 2000}


def a_question(question_id: str = "q1", **more: Any) -> dict[str, Any]:
    """Return a question whose result is a share."""
    made = {"id": question_id, "zh": "总体满意吗", "en": "Are you satisfied", "options": YES_NO}
    return made | more


def a_survey(**more: Any) -> str:
    """Return a survey by telephone among 8,000 people whose one question feeds the leaf of 2018."""
    made: dict[str, Any] = {
        "id": "exp2018",
        "zh": "市民体验调查",
        "en": "Survey of citizens",
        "place": "330100",
        "begins": "2018-06-01",
        "ends": "2018-06-30",
        "mode": "phone",
        "sampling": "random",
        "population": 8000,
        "questions": [a_question(indicator="M1")],
        "source": "统计局",
    }
    return json.dumps({name: one for name, one in (made | more).items() if one is not None})


def counts(*lines: tuple[str, str, str, int]) -> str:
    """Return a table of counts."""
    return "stratum,question,option,count\n" + "".join(f"{a},{b},{c},{n}\n" for a, b, c, n in lines)
