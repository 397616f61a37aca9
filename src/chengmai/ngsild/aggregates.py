"""Aggregates of attribute instances per period (GS CIM 009 V1.9.1, clause 4.5.19).

Which methods mean something depends on the kind of value: every value can be counted; numbers, and
booleans as 0 and 1, have all methods; texts and instants have a
least and a greatest; a list is measured by its length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import fsum, isfinite, sqrt
from typing import Any

import orjson

from chengmai.kernel.instants import format_us, parse_us
from chengmai.ngsild.entity import VALUE_MEMBER, Instance

METHODS = ("totalCount", "distinctCount", "sum", "avg", "min", "max", "stddev", "sumsq")


def aggregate(
    instances: Iterable[Instance],
    methods: Sequence[str],
    period: int,
    start: int | None,
    end: int | None,
    *,
    timeproperty: str = "observedAt",
) -> dict[str, list[list[Any]]]:
    """Return for each method `[[value, bucket start, bucket end], …]`, oldest bucket first.

    `period`, `start` and `end` are microseconds; buckets count from `start` (the first instance where it
    is None), and a `period` of 0 makes one bucket from `start` to `end`. Instances without the time
    property are left out, buckets without a value too. `stddev` is that of the population.
    """
    timed = sorted(
        (
            (parse_us(one[timeproperty], timeproperty), one)
            for one in instances
            if one.get(timeproperty) is not None
        ),
        key=lambda pair: pair[0],
    )
    made: dict[str, list[list[Any]]] = {method: [] for method in methods}
    if not timed:
        return made
    origin = timed[0][0] if start is None else start
    last = timed[-1][0] if end is None else end
    buckets: dict[int, list[Any]] = {}
    for at_us, one in timed:
        bucket = (at_us - origin) // period if period else 0
        buckets.setdefault(bucket, []).append(_value(one))
    for bucket, values in buckets.items():
        since = origin + bucket * period
        until = since + period if period else last
        for method in methods:
            result = _METHOD[method](values)
            if result is not None:
                made[method].append([result, format_us(since), format_us(until)])
    return made


def _value(instance: Instance) -> Any:
    value = instance.get(VALUE_MEMBER[instance["type"]])
    return value["@value"] if type(value) is dict and "@value" in value else value


def _numbers(values: list[Any]) -> list[float]:
    numbers = []
    for value in values:
        if isinstance(value, bool | int | float):
            numbers.append(float(value))
        elif type(value) is list:
            numbers.append(float(len(value)))
    return numbers


def _distinct(values: list[Any]) -> int:
    return len({orjson.dumps(value, option=orjson.OPT_SORT_KEYS) for value in values})


def _extreme(choose: Callable[[Any], Any]) -> Callable[[list[Any]], Any]:
    def of(values: list[Any]) -> Any:
        texts = [value for value in values if type(value) is str]
        ordered: list[Any] = texts if len(texts) == len(values) else _numbers(values)
        return choose(ordered) if ordered else None

    return of


def _over_numbers(fold: Callable[[list[float]], float]) -> Callable[[list[Any]], float | None]:
    def of(values: list[Any]) -> float | None:
        numbers = _numbers(values)
        try:
            folded = fold(numbers) if numbers else None
        except (OverflowError, ValueError):
            return None  # beyond what a number in JSON can say
        return folded if folded is not None and isfinite(folded) else None

    return of


def _mean(numbers: list[float]) -> float:
    return fsum(numbers) / len(numbers)


def _stddev(numbers: list[float]) -> float:
    mean = _mean(numbers)
    return sqrt(fsum((number - mean) * (number - mean) for number in numbers) / len(numbers))


_METHOD: dict[str, Callable[[list[Any]], Any]] = {
    "totalCount": len,
    "distinctCount": _distinct,
    "sum": _over_numbers(fsum),
    "avg": _over_numbers(_mean),
    "min": _extreme(min),
    "max": _extreme(max),
    "stddev": _over_numbers(_stddev),
    "sumsq": _over_numbers(lambda numbers: fsum(number * number for number in numbers)),
}
