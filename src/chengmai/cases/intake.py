"""Checks of what people send about a case, before anything is decided on it."""

from __future__ import annotations

import math
from typing import Any

import orjson

from chengmai.cases.problems import FactsInvalid, LocationInvalid, TextInvalid, WordsTooLong

MOST_NOTE = 4000
MOST_TITLE = 200
MOST_FACTS = 16_384


def clean_text(text: str, param: str, *, most: int, required: bool = False) -> str:
    """Return `text` without blanks around it; raises `TextInvalid` or `WordsTooLong`."""
    words = text.strip()
    if required and not words:
        raise TextInvalid(f"{param} is empty", param=param, fix=f"write something in {param}")
    if len(words) > most:
        raise WordsTooLong(param, len(words), most)
    # A lone surrogate or a NUL can be held by a Python string and by no database.
    if "\x00" in words or any("\ud800" <= c <= "\udfff" for c in words):
        raise TextInvalid(
            f"{param} holds characters that are not text",
            param=param,
            fix="send valid UTF-8 without NUL",
        )
    return words


def clean_facts(facts: dict[str, Any]) -> dict[str, Any]:
    """Return `facts` as plain JSON; raises `FactsInvalid` or `WordsTooLong`."""
    try:
        written = orjson.dumps(facts)
    except (TypeError, ValueError) as error:
        raise FactsInvalid(
            f"facts are not JSON: {error}", param="facts", fix="send text keys and JSON values only"
        ) from error
    if len(written) > MOST_FACTS:
        raise WordsTooLong("facts", len(written), MOST_FACTS)
    plain: dict[str, Any] = orjson.loads(written)
    return plain


def clean_location(location: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a GeoJSON Point in WGS 84 degrees, or None; raises `LocationInvalid`."""
    if location is None:
        return None
    coordinates = location.get("coordinates") if location.get("type") == "Point" else None
    if isinstance(coordinates, list | tuple) and len(coordinates) in (2, 3):
        numbers = [c for c in coordinates if isinstance(c, int | float) and not isinstance(c, bool)]
        if len(numbers) == len(coordinates) and all(math.isfinite(n) for n in numbers):
            lon, lat = numbers[:2]
            if -180 <= lon <= 180 and -90 <= lat <= 90:
                return {"type": "Point", "coordinates": list(numbers)}
    raise LocationInvalid(
        "the location is not a point on the earth",
        param="location",
        fix='send {"type": "Point", "coordinates": [longitude, latitude]} in degrees',
    )
