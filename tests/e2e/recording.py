"""A made-up recording in the form of the Beijing air data, so that a test can change one reading of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from chengmai.connect.shift import Recording, days_to_now

HEADER = (
    '"No","year","month","day","hour","PM2.5","PM10","SO2","NO2","CO","O3",'
    '"TEMP","PRES","DEWP","RAIN","wd","WSPM","station"'
)
START = datetime(2014, 1, 1)  # noqa: DTZ001  the clock on the recording's wall
HOURS = 2 * 365 * 24
FILE = "beijing_air/PRSA_Data_Dongsi_20130301-20170228.csv"


def write(folder: Path, pm25_at: dict[datetime, float] | None = None) -> Path:
    """Write a calm two-year recording; `pm25_at` changes readings by their recorded hour."""
    path = folder / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [HEADER]
    for number in range(HOURS):
        at = START + timedelta(hours=number)
        pm25 = (pm25_at or {}).get(at, 20 + at.hour % 12)
        lines.append(
            f"{number + 1},{at.year},{at.month},{at.day},{at.hour},"
            f'{pm25},40,5,30,500,40,12,1015,2,0,"N",1.5,"Dongsi"'
        )
    path.write_text("\n".join(lines) + "\n")
    return folder


def recorded_hour(now: datetime, zone: str = "Asia/Shanghai") -> datetime:
    """Return the recorded hour that a replay shows at `now`."""
    wall = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    span = Recording(START, START + timedelta(hours=HOURS - 1), timedelta(hours=1))
    hour: datetime = wall - days_to_now(span, wall)
    return hour.replace(minute=0, second=0, microsecond=0)


def row_hour(line: str) -> datetime | None:
    """Return the recorded hour of a line of the table; None for the header."""
    parts = line.split(",")
    if not parts[0].isdigit():
        return None
    return datetime(*map(int, parts[1:5]))  # type: ignore[arg-type]  # noqa: DTZ001
