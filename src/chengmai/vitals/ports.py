"""What the room needs: readings, an engine for its queries, its own past, and foresight.

`history.ports.HistoryStore` offers the first and the third but for the way it writes a span of time; the
composition root puts the two together, since siblings do not import each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from chengmai.kernel.clock import Clock
from chengmai.kernel.events import Events
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import Instance
from chengmai.ngsild.model import Model
from chengmai.packs.model import TableSpec
from chengmai.vitals.model import Sign
from chengmai.vitals.sql import CheckedSql

Points = Sequence[tuple[int, float]]
PastValue = tuple[str, str, int, float, str]
"""Entity id, attribute IRI, instant in µs, number, unit code."""


class ReadingColumns(Protocol):
    """Numeric readings in long form, at most one a series and instant.

    Reading i is of `entities[entity[i]]`, attribute `attributes[attribute[i]]`, at `at_us[i]`, with
    `value[i]`. `areas[j]` is the area of `entities[j]`, empty when it has none.
    """

    @property
    def entities(self) -> Sequence[str]: ...
    @property
    def areas(self) -> Sequence[str]: ...
    @property
    def attributes(self) -> Sequence[str]: ...
    @property
    def entity(self) -> NDArray[np.int32]: ...
    @property
    def attribute(self) -> NDArray[np.int32]: ...
    @property
    def at_us(self) -> NDArray[np.int64]: ...
    @property
    def value(self) -> NDArray[np.float64]: ...


@dataclass(frozen=True)
class Wanted:
    """What all signs together read of an entity type; attributes are IRIs.

    `attributes` are time series, `fixed` what does not change, `area` names the area.
    """

    entity_type: str
    attributes: tuple[str, ...]
    fixed: tuple[str, ...]
    area: str


class KeptReadings(ReadingColumns, Protocol):
    """Readings in order of instant, then entity; kept between passes.

    `version` grows when readings have come, were corrected or went; `about` when an entity came or went, or its
    area or something fixed changed. Series i is of `entities[series_entity[i]]`, attribute
    `attributes[series_attribute[i]]`, and may have no reading here.
    """

    @property
    def version(self) -> int: ...
    @property
    def about(self) -> int: ...
    @property
    def series_entity(self) -> NDArray[np.int32]: ...
    @property
    def series_attribute(self) -> NDArray[np.int32]: ...


class Readings(Protocol):
    """Port: the numeric readings of all entities of a type."""

    def columns(
        self,
        tx: Any,
        tenant: str,
        entity_type: str,
        attributes: Sequence[str],
        area: str,
        start_us: int,
        end_us: int,
    ) -> ReadingColumns:
        """Return readings in [start, end) of the attributes (IRIs); `area` is the IRI that names the area."""
        ...

    def latest(self, tx: Any, tenant: str, wanted: Wanted, start_us: int) -> KeptReadings:
        """Return readings from an instant on, and perhaps older ones: cheap where little is new since."""
        ...


@dataclass(frozen=True, eq=False)
class Instants:
    """Readings in wide form: row i is what `entities[entity[i]]` showed at `at_us[i]`; NaN is nothing.

    `areas[j]` is the area of `entities[j]`, empty when it has none. An entity without readings has no rows.
    """

    entities: Sequence[str]
    areas: Sequence[str]
    entity: NDArray[np.int32]
    at_us: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class ViewRows:
    """The rows of one view: readings by column, and the constants of each entity that has one, by column."""

    view: str
    rows: Instants
    constants: Mapping[str, Mapping[str, float | str]]
    texts: frozenset[str] = frozenset()
    """Those of `constants` that hold texts."""


class Analysis(Protocol):
    """Port: runs the checked query of a sign. May be slow; called in a worker thread."""

    def evaluate(
        self,
        checked: CheckedSql,
        views: Sequence[ViewRows],
        *,
        start_us: int,
        end_us: int,
        step: timedelta,
        zone: ZoneInfo,
        tables: Sequence[TableSpec] = (),
    ) -> list[tuple[str, int, float]]:
        """Return (area, tick in µs, value) for ticks in [start, end), by area and tick.

        `tables` are those that the query joins.

        A row without area or with a value that is no finite number is left out. Raises
        `EvaluationFailed` when the query fails, takes too long, or gives two values for a tick of an area.
        """
        ...


class Past(Protocol):
    """Port: the recorded past of numeric attributes."""

    def numbers(
        self, tx: Any, tenant: str, entity_id: str, attribute: str, start_us: int, end_us: int
    ) -> Points:
        """Return (instant in µs, value) in [start, end), in order of time."""
        ...

    def numbers_of(
        self,
        tx: Any,
        tenant: str,
        entity_ids: Sequence[str],
        attribute: str,
        start_us: int,
        end_us: int,
    ) -> Mapping[str, Points]:
        """Return what `numbers` does of each of some entities; one without any may be left out."""
        ...

    def record(
        self, tx: Any, tenant: str, entity_id: str, changes: Sequence[tuple[str, Instance]]
    ) -> None:
        """Keep (attribute IRI, instance) observations that are not, or no longer, the current value."""
        ...

    async def import_values(self, tenant: str, block_id: str, values: Sequence[PastValue]) -> bool:
        """Bring in a block of the past once; return False when it was brought in before."""
        ...


class Foresight(Protocol):
    """Port: looks back and ahead on one series. Pure numerics; called in a worker thread."""

    def span_s(self, step_s: int, season_s: int) -> int:
        """Return how many seconds of history a forecast likes to see."""
        ...

    def look_back(
        self,
        key: str,
        load: Callable[[int, int], Points],
        *,
        tick_us: int,
        value: float,
        step_s: int,
        season_s: int,
    ) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """Return the baseline band (None without enough past) and the anomaly score of a value."""
        ...

    def faults(
        self,
        keys: Mapping[str, str],
        due: Mapping[str, Any],
        *,
        step_s: int,
        one_field: bool,
    ) -> Mapping[str, dict[str, Any] | None]:
        """Return `kind`, `steps` and `sentence` of what speaks against the sensors of each area due, or None.

        `keys` are those of the sign in all its areas, by area; `due` gives the kind told before. Judged at the
        last completed step; after `look_back`.
        """
        ...

    def forecasts(
        self,
        key: str,
        points: Mapping[str, Points],
        *,
        step_s: int,
        season_s: int,
        horizon: int = 24,
        beside: Mapping[str, Mapping[str, Points]] | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Return the forecast of each series of a group, as stored in the entity `Forecast`.

        `beside` gives other quantities by name and area, None where they were not asked for.
        """
        ...

    def fit_span_s(self, step_s: int, season_s: int) -> int:
        """Return how many seconds of history a fit likes to see."""
        ...

    def is_fit_due(self, key: str, last_us: int) -> bool:
        """Return whether `forecasts` will fit a group that ends at an instant, by its age."""
        ...

    def wants_beside(self, key: str, last_us: int) -> bool:
        """Return whether `forecasts` has use for other quantities beside a group that ends at an instant."""
        ...

    def judge(
        self,
        points: Mapping[str, Points],
        *,
        step_s: int,
        season_s: int,
        horizon: int = 24,
        beside: Mapping[str, Mapping[str, Points]] | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Return the forecast of each series of a group, fitted anew and not kept."""
        ...

    def trained_us(self, key: str) -> int | None:
        """Return until when the history reached that a group was fitted to; None before it was."""
        ...

    def model_state(self, key: str) -> dict[str, Any] | None:
        """Return the fitted models of a group as JSON holds them."""
        ...

    def restore_model(self, key: str, state: Mapping[str, Any]) -> bool:
        """Take back what `model_state` gave; return False when it cannot be read."""
        ...


class Models(Protocol):
    """Port: fitted models, kept as parameters and versions so that a restart need not fit anew."""

    def load(self, tx: Any, tenant: str, key: str) -> dict[str, Any] | None:
        """Return the state kept under a key, or None."""
        ...

    def save(
        self, tx: Any, tenant: str, key: str, state: Mapping[str, Any], *, trained_us: int
    ) -> None:
        """Keep a state under its key in place of the one before."""
        ...


class StandingSigns(Protocol):
    """Port: the signs with the thresholds that hold in a city."""

    async def signs(self, tenant: str) -> Mapping[str, Sign]:
        """Return every sign by its key; the same object until a threshold changes."""
        ...

    def signs_in(self, tx: Any, tenant: str) -> Mapping[str, Sign]:
        """Return what `signs` does, inside a transaction."""
        ...


@dataclass(frozen=True)
class Ports:
    """Everything the room works through."""

    work: Work[Tx]
    model: Model
    readings: Readings
    analysis: Analysis
    past: Past
    foresight: Foresight
    models: Models
    events: Events
    clock: Clock
