"""Reads the recorded data of the protocols; every function names the folder it wants below `--data`."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import numpy as np

from chengmai.forecast.model import Floats

POLLUTANTS = ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3")
WEATHER = ("TEMP", "PRES", "DEWP", "RAIN", "WSPM")
_WINDS = (
    *("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE"),
    *("S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"),
)
COUNTS = ("casual", "registered", "cnt")


def beijing(data: Path) -> dict[str, Floats]:
    """Return hours x stations for each pollutant, from the CSV files in `beijing_air`."""
    columns: dict[str, list[Floats]] = {name: [] for name in POLLUTANTS}
    for path in sorted((data / "beijing_air").glob("*.csv")):
        rows = _rows(path)
        for name in POLLUTANTS:
            columns[name].append(np.array([_number(row[name]) for row in rows]))
    return {name: np.stack(some, axis=1) for name, some in columns.items() if some}


def beijing_weather(data: Path) -> dict[str, Floats]:
    """Return hours x stations of what the weather was: five quantities, and the wind by its two parts."""
    columns: dict[str, list[Floats]] = {}
    for path in sorted((data / "beijing_air").glob("*.csv")):
        rows = _rows(path)
        for name in WEATHER:
            columns.setdefault(name, []).append(np.array([_number(row[name]) for row in rows]))
        known = [_WINDS.index(row["wd"]) if row["wd"] in _WINDS else np.nan for row in rows]
        turn, speed = np.array(known) * np.pi / 8, columns["WSPM"][-1]
        columns.setdefault("wind from east", []).append(speed * np.sin(turn))
        columns.setdefault("wind from north", []).append(speed * np.cos(turn))
    return {name: np.stack(some, axis=1) for name, some in columns.items()}


def bike_share(data: Path) -> Floats:
    """Return hours x (casual, registered, all) from `bike_share/hour.csv`; hours without a row are missing."""
    rows = _rows(data / "bike_share" / "hour.csv")
    at = [_day(row["dteday"]).toordinal() * 24 + int(row["hr"]) for row in rows]
    values = np.full((max(at) - min(at) + 1, len(COUNTS)), np.nan)
    for hour, row in zip(at, rows, strict=True):
        values[hour - min(at)] = [_number(row[name]) for name in COUNTS]
    return values


def ett(data: Path, name: str = "ETTh1") -> Floats:
    """Return hours x channels from `ett`, or from a file of that form: a date, then the channels."""
    path = data if data.is_file() else data / "ett" / f"{name}.csv"
    return np.array([[_number(cell) for cell in row[1:]] for row in _cells(path)])


def los_loop(data: Path) -> Floats:
    """Return steps of five minutes x 207 detectors from `los_loop/los_speed.csv`."""
    return np.array(
        [[_number(cell) for cell in row] for row in _cells(data / "los_loop" / "los_speed.csv")]
    )


def influenza(data: Path) -> Floats:
    """Return weeks x 7 columns from `ili/ILI.csv`."""
    return np.array([[_number(c) for c in row[1:]] for row in _cells(data / "ili" / "ILI.csv")])


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def _number(cell: str) -> float:
    return float("nan") if cell.strip() in ("", "NA") else float(cell)


def _day(text: str) -> date:
    if "/" not in text:
        return date.fromisoformat(text)
    month, day, year = (int(part) for part in text.split("/"))
    return date(year + 2000 if year < 100 else year, month, day)
