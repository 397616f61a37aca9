"""Readings in long form made wide: one row an entity and instant, one column an attribute."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from chengmai.vitals.ports import Instants, ReadingColumns


def instants_of(readings: ReadingColumns) -> Instants:
    """Return readings by entity and instant, in order of instant; `values` has every attribute."""
    at_us = np.asarray(readings.at_us, dtype=np.int64)
    entity = np.asarray(readings.entity, dtype=np.int32)
    order = np.lexsort((entity, at_us))
    at_us, entity = at_us[order], entity[order]
    attribute, value = readings.attribute[order], readings.value[order]
    first = np.ones(len(at_us), dtype=np.bool_)
    first[1:] = (np.diff(at_us) != 0) | (np.diff(entity) != 0)
    row = np.cumsum(first) - 1
    values = {}
    for place, name in enumerate(readings.attributes):
        of = attribute == place
        column = np.full(int(first.sum()), np.nan)
        column[row[of]] = value[of]
        values[name] = column
    return Instants(readings.entities, readings.areas, entity[first], at_us[first], values)


def some_of(whole: Instants, columns: Mapping[str, str], begin: int, end: int) -> Instants:
    """Return rows [begin, end) with some attributes under other names: `columns` maps a name to an attribute.

    A row in which none of them was read is left out.
    """
    values = {name: whole.values[attribute][begin:end] for name, attribute in columns.items()}
    entity, at_us = whole.entity[begin:end], whole.at_us[begin:end]
    shown = np.zeros(len(at_us), dtype=np.bool_)
    for column in values.values():
        shown |= ~np.isnan(column)
    if not shown.all():
        values = {name: column[shown] for name, column in values.items()}
        entity, at_us = entity[shown], at_us[shown]
    return Instants(whole.entities, whole.areas, entity, at_us, values)
