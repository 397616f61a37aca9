"""The columns: one row a value, ordered by indicator, place and day. Never changed, only replaced.

A row is a key of 63 bits (indicator, place, day), its value, and the number of its record. A column of three
million rows takes 24 MB, and what belongs to an indicator, or to a place of it, lies together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

from chengmai.assess.panel.model import Entry, Parts, Point, Ref

_BITS = 20
_MASK = (1 << _BITS) - 1
MOST_CODES = 1 << _BITS
_MANY = 20_000
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass
class Names:
    """Codes and the numbers that stand for them; only ever added to."""

    numbers: dict[str, int] = field(default_factory=dict)
    codes: list[str] = field(default_factory=list)

    def number(self, code: str) -> int:
        """Return the number of a code, a new one at its first time."""
        found = self.numbers.get(code)
        if found is None:
            found = self.numbers[code] = len(self.codes)
            self.codes.append(code)
        return found


@dataclass
class Book:
    """What all columns of a tenant share: names, records, and what values were worked out from."""

    places: Names = field(default_factory=Names)
    indicators: Names = field(default_factory=Names)
    refs: list[Ref] = field(default_factory=list)
    of_entity: dict[str, int] = field(default_factory=dict)
    parts: dict[tuple[int, int], Parts] = field(default_factory=dict)


@dataclass(frozen=True)
class Newest:
    """The newest value of each place, by the number of the place; `rows` say where they stand."""

    places: Ints
    values: Floats
    rows: Ints


class Columns:
    """All values of a tenant. Of a place, indicator and day that two sources speak of both are kept."""

    def __init__(self, book: Book, keys: Ints, values: Floats, refs: Ints) -> None:
        self.book, self._keys, self._values, self._refs = book, keys, values, refs

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def megabytes(self) -> float:
        """The memory of the columns."""
        return (self._keys.nbytes + self._values.nbytes + self._refs.nbytes) / 1e6

    @property
    def indicators(self) -> list[str]:
        """Return the indicators that have a value, in order."""
        codes = self.book.indicators.codes
        # Rows are ordered by indicator: its first and last are found without looking at all between.
        begins = np.searchsorted(
            self._keys, np.arange(len(codes) + 1, dtype=np.int64) << (2 * _BITS)
        )
        return sorted(codes[number] for number in np.flatnonzero(np.diff(begins)).tolist())

    def newest(self, indicator: str, on: date, since: date = date.min) -> Newest:
        """Return of each place the newest value until a day, and not before `since`.

        Of two of one day that of the newer source is the newest.
        """
        first, last = self._span(indicator)
        days = self._keys[first:last] & _MASK
        known = days <= on.toordinal()
        if since > date.min:
            known &= days >= since.toordinal()
        rows = np.flatnonzero(known) + first
        places = (self._keys[rows] >> _BITS) & _MASK
        ends = np.flatnonzero(np.diff(places, append=-1))
        return Newest(places[ends], self._values[rows[ends]], rows[ends])

    def history(self, indicator: str, on: date) -> tuple[Ints, Ints, Floats]:
        """Return places, days and values of an indicator until a day, by place and day."""
        first, last = self._span(indicator)
        keys, values = self._keys[first:last], self._values[first:last]
        known = (keys & _MASK) <= on.toordinal()
        keys = keys[known]
        return (keys >> _BITS) & _MASK, keys & _MASK, values[known]

    def histories(self, indicator: str, places: Ints, on: date) -> tuple[Ints, Ints, Floats]:
        """Return what `history` does of some places by their numbers, with their index in `places`."""
        first, last = self._span(indicator)
        number = self.book.indicators.numbers.get(indicator, 0)
        begins = ((number << _BITS) | places) << _BITS
        keys = self._keys[first:last]
        low = np.searchsorted(keys, begins)
        counts = np.searchsorted(keys, begins + on.toordinal(), side="right") - low
        index = np.repeat(np.arange(len(places)), counts)
        rows = first + np.arange(len(index)) + np.repeat(low - (np.cumsum(counts) - counts), counts)
        return index, self._keys[rows] & _MASK, self._values[rows]

    def matrix(self, indicators: Sequence[str], on: date) -> tuple[list[str], Floats]:
        """Return the places that have any of the indicators, and a row of values for each; NaN is unknown."""
        wide = np.full((len(self.book.places.codes), len(indicators)), np.nan)
        for index, indicator in enumerate(indicators):
            newest = self.newest(indicator, on)
            wide[newest.places, index] = newest.values
        rows = np.flatnonzero(~np.isnan(wide).all(axis=1))
        codes = self.book.places.codes
        return [codes[row] for row in rows.tolist()], wide[rows]

    def series(self, place: str, indicator: str, on: date) -> list[Point]:
        """Return the values of an indicator at a place until a day, by day; of a day by date of the source."""
        span = self._of_place(place, indicator, on)
        return [self.point(row) for row in range(*span)]

    def at(self, place: str, indicator: str, on: date) -> Point | None:
        """Return the newest value of an indicator at a place, of the day or before."""
        first, last = self._of_place(place, indicator, on)
        return self.point(last - 1) if last > first else None

    def point(self, row: int) -> Point:
        """Return one row with its record."""
        key, number = int(self._keys[row]), int(self._refs[row])
        indicator, ref = key >> (2 * _BITS), self.book.refs[number]
        numerator, denominator, sample = self.book.parts.get(
            (number, indicator), (None, None, None)
        )
        return Point(
            self.book.places.codes[(key >> _BITS) & _MASK],
            self.book.indicators.codes[indicator],
            date.fromordinal(key & _MASK),
            float(self._values[row]),
            ref,
            numerator,
            denominator,
            sample,
        )

    def replaced(self, gone: Iterable[str], entries: Iterable[Entry]) -> Columns:
        """Return columns without what the entities `gone` had brought, and with new entries."""
        book = self.book
        out = [book.of_entity.pop(one) for one in gone if one in book.of_entity]
        keys, values, refs = self._keys, self._values, self._refs
        if out:
            left = np.ones(len(book.refs), dtype=np.bool_)
            left[out] = False
            stay = left[refs]
            keys, values, refs = keys[stay], values[stay], refs[stay]
        rows = Rows(book)
        for entry in entries:
            rows.add(entry)
        new_keys, new_values, new_refs = rows.taken()
        if len(new_keys) > _MANY:
            merged = (
                np.concatenate([keys, new_keys]),
                np.concatenate([values, new_values]),
                np.concatenate([refs, new_refs]),
            )
            return Columns(book, *_ordered(book, *merged))
        new_keys, new_values, new_refs = _ordered(book, new_keys, new_values, new_refs)
        places = [
            self._place_for(keys, refs, int(key), int(ref))
            for key, ref in zip(new_keys, new_refs, strict=True)
        ]
        return Columns(
            book,
            np.insert(keys, places, new_keys),
            np.insert(values, places, new_values),
            np.insert(refs, places, new_refs),
        )

    def _place_for(self, keys: Ints, refs: Ints, key: int, ref: int) -> int:
        first = int(np.searchsorted(keys, key, "left"))
        last = int(np.searchsorted(keys, key, "right"))
        told = self.book.refs
        while last > first and _age(told[int(refs[last - 1])]) > _age(told[ref]):
            last -= 1
        return last

    def _span(self, indicator: str) -> tuple[int, int]:
        number = self.book.indicators.numbers.get(indicator)
        if number is None:
            return 0, 0
        edges = np.array([number, number + 1], dtype=np.int64) << (2 * _BITS)
        first, last = np.searchsorted(self._keys, edges)
        return int(first), int(last)

    def _of_place(self, place: str, indicator: str, on: date) -> tuple[int, int]:
        named = self.book.indicators.numbers.get(indicator)
        standing = self.book.places.numbers.get(place)
        if named is None or standing is None:
            return 0, 0
        begin = (named << 2 * _BITS) | (standing << _BITS)
        edges = np.array([begin, begin + on.toordinal() + 1], dtype=np.int64)
        first, last = np.searchsorted(self._keys, edges)
        return int(first), int(last)


def no_columns() -> Columns:
    """Return columns without a value."""
    none = np.empty(0, dtype=np.int64)
    return Columns(Book(), none, np.empty(0), none)


def _age(ref: Ref) -> tuple[date, str]:
    return ref.source_date, ref.entity_id


class Rows:
    """Rows that are gathered entry by entry, so that no more than one entry is held as objects."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._parts: tuple[list[Ints], list[Floats], list[Ints]] = ([], [], [])
        self._shifted: dict[tuple[str, ...], Ints] = {}

    def add(self, entry: Entry) -> None:
        """Add the values of an entry."""
        book, named = self._book, tuple(entry.values)
        number = len(book.refs)
        book.refs.append(entry.ref)
        book.of_entity[entry.ref.entity_id] = number
        shifted = self._shifted.get(named)
        if shifted is None:
            numbers = [book.indicators.number(one) for one in named]
            shifted = self._shifted[named] = np.array(numbers, dtype=np.int64) << (2 * _BITS)
        rest = (book.places.number(entry.ref.place) << _BITS) | entry.on.toordinal()
        keys, values, refs = self._parts
        keys.append(shifted | rest)
        values.append(np.fromiter(entry.values.values(), dtype=np.float64, count=len(named)))
        refs.append(np.full(len(named), number, dtype=np.int64))
        for indicator, part in entry.parts.items():
            book.parts[number, book.indicators.number(indicator)] = part

    def taken(self) -> tuple[Ints, Floats, Ints]:
        """Return keys, values and records of all rows, in the order in which they came."""
        keys, values, refs = self._parts
        if not keys:
            none = np.empty(0, dtype=np.int64)
            return none, np.empty(0), none
        return np.concatenate(keys), np.concatenate(values), np.concatenate(refs)

    def columns(self) -> Columns:
        """Return the columns of these rows alone."""
        return Columns(self._book, *_ordered(self._book, *self.taken()))


def _ordered(book: Book, keys: Ints, values: Floats, refs: Ints) -> tuple[Ints, Floats, Ints]:
    """Order by key, and rows of one key by the age of their source; most keys are there once."""
    order = np.argsort(keys, kind="stable")
    keys, values, refs = keys[order], values[order], refs[order]
    twice = np.flatnonzero(keys[1:] == keys[:-1])
    for first in twice.tolist():
        begin = int(np.searchsorted(keys, keys[first], "left"))
        end = int(np.searchsorted(keys, keys[first], "right"))
        if first != begin:
            continue
        by_age = sorted(range(begin, end), key=lambda row: _age(book.refs[int(refs[row])]))
        values[begin:end], refs[begin:end] = values[by_age], refs[by_age]
    return keys, values, refs
