"""How numbers, instants, ages and spans are written, in both languages and in the city's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chengmai.web.cockpit.texts import Words

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_MINUS = "\N{MINUS SIGN}"
NO_VALUE = "\N{EN DASH}"


@dataclass(frozen=True)
class Formats:
    """Writes values for one language, one zone and one present instant."""

    words: Words
    zone: ZoneInfo
    now: datetime

    def number(self, value: float | None, decimals: int = 0) -> str:
        """Return `1,234.5` with a true minus sign; an en dash for no value."""
        if value is None:
            return NO_VALUE
        text = f"{value:,.{decimals}f}"
        if float(text.replace(",", "")) == 0:
            text = text.lstrip("-")
        return text.replace("-", _MINUS)

    def quantity(self, value: float | None, unit: str, decimals: int = 0) -> str:
        """Return the number with its unit; no space before `%`, as both languages print it."""
        number = self.number(value, decimals)
        if not unit or value is None:
            return number
        return f"{number}{unit}" if unit == "%" else f"{number} {unit}"

    def percent(self, share: float | None, decimals: int = 0) -> str:
        """Return a share of one as a percentage."""
        return NO_VALUE if share is None else self.number(share * 100, decimals) + "%"

    def local(self, at: datetime) -> datetime:
        """Return the instant in the city's zone."""
        return at.astimezone(self.zone)

    def instant(self, at: datetime | None) -> str:
        """Return `2026年11月22日 07:43` or `22 Nov 2026 07:43`."""
        if at is None:
            return NO_VALUE
        return f"{self.day(self.local(at).date())} {self.clock(at)}"

    def clock(self, at: datetime) -> str:
        """Return `07:43`."""
        return f"{self.local(at):%H:%M}"

    def near(self, at: datetime | None) -> str:
        """Return the clock time of an instant of today, and day and clock time of any other."""
        if at is None:
            return NO_VALUE
        there, here = self.local(at), self.local(self.now)
        if there.date() == here.date():
            return self.clock(at)
        return f"{self.short_day(there.date())} {self.clock(at)}"

    def day(self, day: date | None) -> str:
        """Return `2026年11月22日` or `22 Nov 2026`."""
        if day is None:
            return NO_VALUE
        if self.words.lang == "zh-CN":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def short_day(self, day: date) -> str:
        """Return `11月22日` or `22 Nov`."""
        if self.words.lang == "zh-CN":
            return f"{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]}"

    def age(self, at: datetime | None) -> str:
        """Return how long ago: `just now`, `3 min ago`, `2 h ago`, `5 d ago`."""
        if at is None:
            return self.words("age.never")
        gone = self.now - at
        if gone < timedelta(minutes=1):
            return self.words("age.now")
        return self.words("age.ago", span=self.span(gone))

    def span(self, length: timedelta) -> str:
        """Return a length in its largest useful unit: `45 s`, `3 min`, `2 h`, `5 d`."""
        seconds = abs(length.total_seconds())
        if seconds < 60:
            return self.words("span.s", n=round(seconds))
        if seconds < 3600:
            return self.words("span.min", n=int(seconds // 60))
        if seconds < 48 * 3600:
            hours, minutes = int(seconds // 3600), int(seconds % 3600 // 60)
            if minutes and hours < 10:
                return self.words("span.h_min", h=hours, m=minutes)
            return self.words("span.h", n=hours)
        return self.words("span.d", n=int(seconds // 86400))

    def remaining(self, due: datetime | None) -> str:
        """Return `40 min left`, `overdue by 2 h`, or that there is no deadline."""
        if due is None:
            return self.words("due.none")
        span = self.span(due - self.now)
        return (
            self.words("due.left", span=span)
            if due >= self.now
            else self.words("due.over", span=span)
        )
