"""Laying a city's changes over the bands of a pack: each holds from its day until the next one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from chengmai.packs.model import Band, VitalSpec
from chengmai.vitals.bands import bands_on, bound_of, side_of
from chengmai.vitals.model import Sign
from chengmai.vitals.thresholds.model import BandKey, Change, source_of_change
from chengmai.vitals.thresholds.problems import ThresholdFixed, ThresholdInvalid

_DAY = timedelta(days=1)
_FREE = ("M", "C")
"""Trust marks of thresholds that a city may set: from memory, or a city's choice."""
Span = tuple[date | None, date | None]


def changed_sign(sign: Sign, changes: Sequence[Change]) -> Sign:
    """Return the sign with the thresholds that a city gave it; the same one when there is no change."""
    own = [change for change in changes if change.sign == sign.key]
    if not own:
        return sign
    bands = bands_with(sign.spec.bands, own)
    return replace(sign, spec=sign.spec.model_copy(update={"bands": bands}))


def bands_with(bands: Sequence[Band], changes: Iterable[Change]) -> tuple[Band, ...]:
    """Return the bands of a sign after its changes, given in the order in which they were decided.

    A change holds from its first day until the day before the next change of the same threshold; of two from
    the same day the later decision holds. Days before the first change are as the pack has them.
    """
    by_key: dict[BandKey, dict[date, Change]] = {}
    for change in changes:
        by_key.setdefault(change.key, {})[change.from_on] = change
    made: list[Band] = []
    for band in bands:
        spans = _spans(by_key.get(BandKey.of(band), {}))
        made += _without(band, [span for change, span in spans if not change.is_return])
    for key, own in by_key.items():
        like = [band for band in bands if BandKey.of(band) == key]
        for change, (first, last) in _spans(own):
            if like and not change.is_return and first is not None:
                made.append(_band_of(change, _near(like, first), first, last))
    return tuple(made)


def is_free(band: Band) -> bool:
    """Return whether a threshold is the city's to set."""
    return band.trust in _FREE


def band_for(spec: VitalSpec, key: BandKey, on: date) -> Band:
    """Return the band of a threshold on a day; raises `ThresholdInvalid` when there is none then."""
    for band in bands_on(spec.bands, on):
        if BandKey.of(band) == key:
            return band
    names = sorted({BandKey.of(band).name for band in bands_on(spec.bands, on)})
    raise ThresholdInvalid(
        f"the sign has no threshold {key.name} on {on}",
        param="threshold",
        fix="use one of " + ", ".join(names)
        if names
        else "choose a day on which it has thresholds",
    )


def check_change(spec: VitalSpec, change: Change, today: date) -> None:
    """Raise `ThresholdFixed` or `ThresholdInvalid` unless the change may come into force on its day.

    `spec` is the sign as it stands with the changes decided so far. A change begins after today, so that no
    level of the past is another one afterwards.
    """
    if change.from_on <= today:
        raise ThresholdInvalid(
            f"a change cannot begin on {change.from_on}: levels of the past stay as they were",
            code="thresholds.past",
            day=change.from_on.isoformat(),
            first=(today + _DAY).isoformat(),
            param="from",
            fix=f"give a day from {today + _DAY} on",
        )
    band = band_for(spec, change.key, change.from_on)
    if not is_free(band):
        raise ThresholdFixed(
            f"{change.key.name} of {change.sign} comes from {band.source.en}",
            param="threshold",
            fix="only thresholds marked M or C are the city's to set; a standard is changed in the pack",
        )
    if change.value is None:
        return
    _check_clear(change)
    _check_order(spec, change)


def _check_clear(change: Change) -> None:
    if change.value is None or change.clear is None:
        return
    above = change.key.side == "above"
    if (change.clear > change.value) if above else (change.clear < change.value):
        raise ThresholdInvalid(
            f"the level would end at {change.clear:g}, beyond the threshold of {change.value:g}",
            code="thresholds.clear",
            clear=f"{change.clear:g}",
            value=f"{change.value:g}",
            param="clear",
            fix="give a value on the good side of the threshold, or none",
        )


def _check_order(spec: VitalSpec, change: Change) -> None:
    """Raise unless watch comes before act on the way up (or down)."""
    assert change.value is not None
    for other in bands_on(spec.bands, change.from_on):
        if side_of(other) != change.key.side or other.level == change.key.level:
            continue
        watch, act = (
            (change.value, bound_of(other))
            if change.key.level == "watch"
            else (bound_of(other), change.value)
        )
        if (watch > act) if change.key.side == "above" else (watch < act):
            raise ThresholdInvalid(
                f"watch at {watch:g} would come after act at {act:g}",
                code="thresholds.order",
                watch=f"{watch:g}",
                act=f"{act:g}",
                param="value",
                fix="keep watch on the milder side of act, or change act first",
            )


def _spans(changes: dict[date, Change]) -> list[tuple[Change, Span]]:
    """Return each change with its first and last day."""
    starts = sorted(changes)
    ends = [following - _DAY for following in starts[1:]]
    return [
        (changes[start], (start, ends[n] if n < len(ends) else None))
        for n, start in enumerate(starts)
    ]


def _without(band: Band, spans: Iterable[Span]) -> list[Band]:
    """Return what is left of a band on the days that no span takes."""
    left = [band]
    for first, last in spans:
        left = [piece for one in left for piece in _cut(one, first, last)]
    return left


def _cut(band: Band, first: date | None, last: date | None) -> list[Band]:
    pieces = []
    if first is not None and (band.from_ is None or band.from_ < first):
        until = first - _DAY if band.until is None else min(band.until, first - _DAY)
        pieces.append(band.model_copy(update={"until": until}))
    if last is not None and (band.until is None or band.until > last):
        start = last + _DAY if band.from_ is None else max(band.from_, last + _DAY)
        pieces.append(band.model_copy(update={"from_": start}))
    return pieces


def _near(like: Sequence[Band], on: date) -> Band:
    """Return the band in force on a day, else the last one: what a change keeps of it is `inclusive`."""
    return next(iter(bands_on(like, on)), like[-1])


def _band_of(change: Change, like: Band, first: date, last: date | None) -> Band:
    assert change.value is not None
    return Band.model_validate(
        {
            "level": change.key.level,
            "grade": change.key.grade,
            change.key.side: change.value,
            "inclusive": like.inclusive,
            "clear": change.clear,
            "from": first,
            "until": last,
            "source": source_of_change(change).model_dump(),
            "trust": "C",
        }
    )
