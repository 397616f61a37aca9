"""Builders of framework packages."""

from __future__ import annotations

import json
from typing import Any


def leaf(leaf_id: str, weight: float | None, **more: Any) -> dict[str, Any]:
    """Return a leaf whose indicator has its name."""
    names = {"id": leaf_id, "zh": leaf_id, "en": leaf_id}
    return names | {"weight": weight, "trust": "D", "indicator": leaf_id} | more


def a_package(*children: dict[str, Any], **more: Any) -> str:
    """Return a package with two stages."""
    made: dict[str, Any] = {
        "id": "f",
        "zh": "f",
        "en": "f",
        "from": "2020-01-01",
        "source": "tests",
    }
    stages = [{"id": n, "zh": n, "en": n, "from": at} for n, at in (("low", 0), ("high", 60))]
    made |= {"note_zh": "n", "note_en": "n", "stages": stages, "children": list(children)}
    return json.dumps(made | more)
