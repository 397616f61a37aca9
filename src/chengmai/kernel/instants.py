"""Instants and durations: ISO 8601 text, aware UTC datetimes, and integer microseconds.

Inside, an instant is an aware UTC `datetime` or integer microseconds since 1970 (`_us`). Text is written
with `Z` and without a fraction when the fraction is zero (NGSI-LD suites compare bucket bounds as text).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from chengmai.kernel.problems import Invalid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_DURATION = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)


class InvalidInstant(Invalid):
    code = "instant.invalid"


def to_us(at: datetime) -> int:
    """Return microseconds since 1970 of an aware instant."""
    return (at - EPOCH) // _US


def from_us(us: int) -> datetime:
    """Return the aware UTC instant of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=us)


def parse_instant(text: str, param: str | None = None) -> datetime:
    """Return the aware UTC instant of an ISO 8601 text.

    Raises `InvalidInstant` when the text is no instant or has no offset: a local time without its zone
    is two different instants twice a year, so it is refused rather than guessed.
    """
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None and "T" in text:
            return at if at.tzinfo is UTC else at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        pass
    raise InvalidInstant(
        f"{text!r} is not an instant",
        param=param,
        fix="write it as 2026-11-22T07:43:00Z",
    )


def format_instant(at: datetime) -> str:
    """Return ISO 8601 text in UTC, with `Z`, without a zero fraction."""
    text = (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat().removesuffix("+00:00")
    return (text.rstrip("0") if "." in text else text) + "Z"


def format_us(us: int) -> str:
    """Return ISO 8601 text of microseconds since 1970."""
    return format_instant(from_us(us))


def parse_us(text: str, param: str | None = None) -> int:
    """Return microseconds since 1970 of an ISO 8601 text; raises `InvalidInstant`."""
    return to_us(parse_instant(text, param))


def format_duration(length: timedelta) -> str:
    """Return an ISO 8601 duration of days and seconds, without a zero fraction (`P2DT30.5S`, `PT0S`)."""
    seconds = length - timedelta(days=length.days)
    text = f"{seconds.total_seconds():f}".rstrip("0").rstrip(".")
    return f"P{length.days}DT{text}S" if length.days else f"PT{text}S"


def parse_duration(text: str, param: str | None = None) -> timedelta:
    """Return the length of an ISO 8601 duration (`PT1H`, `P7D`, `P6W`).

    Years and months have no fixed length and are refused; write days. Raises `Invalid`.
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None or not any(match.groups()):
        raise Invalid(
            f"{text!r} is not an ISO 8601 duration",
            code="duration.invalid",
            param=param,
            fix="write it as PT15M, PT1H, P1D or P6W",
        )
    years, months, weeks, days, hours, minutes, seconds = match.groups()
    if years or months:
        raise Invalid(
            f"{text!r} uses years or months, which have no fixed length",
            code="duration.not_fixed",
            param=param,
            fix="write it in weeks or days",
        )
    return timedelta(
        weeks=int(weeks or 0),
        days=float(days or 0),
        hours=float(hours or 0),
        minutes=float(minutes or 0),
        seconds=float(seconds or 0),
    )
