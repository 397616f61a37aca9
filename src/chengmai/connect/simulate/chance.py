"""Chance without state: numbers that look random and depend only on a seed, a name and a time."""

from __future__ import annotations

from zlib import crc32

_MASK = (1 << 64) - 1


def key_of(seed: int, name: str) -> int:
    """Return a number for `name` under `seed`; names give independent numbers."""
    return _mixed((seed << 32) ^ crc32(name.encode()))


def uniform(key: int, number: int) -> float:
    """Return a number in [0, 1) for (key, number)."""
    return _mixed(key ^ _mixed(number & _MASK)) / 2**64


def bell(key: int, number: int) -> float:
    """Return a number near 0, between -1 and 1, roughly bell-shaped (the mean of three uniforms)."""
    mixed = _mixed(key ^ _mixed(number & _MASK))
    parts = (mixed & 0x1FFFFF) + ((mixed >> 21) & 0x1FFFFF) + ((mixed >> 42) & 0x1FFFFF)
    return parts / (1.5 * 0x1FFFFF) - 1


def drift(key: int, hours: float, scale_h: float) -> float:
    """Return a smooth course between -1 and 1 that changes over about `scale_h` hours."""
    position = hours / scale_h
    step = int(position // 1)
    part = position - step
    weight = part * part * (3 - 2 * part)
    here, there = uniform(key, step), uniform(key, step + 1)
    return 2 * (here + (there - here) * weight) - 1


def _mixed(number: int) -> int:
    # The finaliser of SplitMix64 (Steele, Lea, Flood 2014), which spreads every bit over all others.
    number = (number + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)
