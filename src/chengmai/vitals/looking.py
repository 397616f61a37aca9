"""Looks back on the areas of a sign: baseline and anomaly of what is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity
from chengmai.vitals.deciding import Decider, Readout, Seen
from chengmai.vitals.entities import VALUE_IRI, state_of, vital_id
from chengmai.vitals.ports import Foresight, Past, Points


class LookBack:
    """Asks foresight about the newest tick of each area, and reads of the past what it needs for that."""

    def __init__(self, past: Past, foresight: Foresight) -> None:
        self._past, self._foresight = past, foresight

    def of(
        self,
        tx: Tx,
        tenant: str,
        decider: Decider,
        kept: Mapping[str, Entity],
        due: Sequence[Seen],
    ) -> dict[str, Readout]:
        """Return baseline and anomaly of the areas whose last tick is new or has a new value."""
        sign, spec = decider.sign, decider.sign.spec
        news = [one for one in due if decider.has_new_tick(kept.get(one.area), one)]
        told = _Told(self._past, tx, tenant, [vital_id(sign, one.area) for one in news])
        looks: dict[str, Readout] = {}
        for one in news:
            vital, (tick_us, value) = vital_id(sign, one.area), one.ticks[-1]
            trail = state_of(kept.get(one.area)).trail
            # Ticks of this pass are not in the history yet.
            fresh = dict(one.ticks[:-1])

            def load(
                start_us: int,
                end_us: int,
                vital: str = vital,
                trail: Points = trail,
                fresh: Mapping[int, float] = fresh,
            ) -> list[tuple[int, float]]:
                # The last ticks stand in the sign itself, and a tick later nothing older is asked for.
                is_known = bool(trail) and trail[0][0] <= start_us
                before = {
                    **dict(trail if is_known else told.points(vital, start_us, end_us)),
                    **fresh,
                }
                return sorted((us, v) for us, v in before.items() if start_us <= us < end_us)

            looks[one.area] = self._foresight.look_back(
                f"{tenant} {vital}",
                load,
                tick_us=tick_us,
                value=value,
                step_s=int(spec.step.total_seconds()),
                season_s=int(spec.season.total_seconds()),
            )
        return looks


class _Told:
    """The recorded values of the areas of a sign, read together when the first of them is asked for."""

    def __init__(self, past: Past, tx: Tx, tenant: str, vitals: Sequence[str]) -> None:
        self._past, self._tx, self._tenant, self._vitals = past, tx, tenant, vitals
        self._span: tuple[int, int] | None = None
        self._found: Mapping[str, Points] = {}

    def points(self, vital: str, start_us: int, end_us: int) -> Points:
        """Return the values of a vital sign in a span; there may be more on either side."""
        if self._span is None:
            self._span = (start_us, end_us)
            self._found = self._past.numbers_of(
                self._tx, self._tenant, self._vitals, VALUE_IRI, start_us, end_us
            )
        if self._span[0] <= start_us and end_us <= self._span[1]:
            return self._found.get(vital, ())
        return self._past.numbers(self._tx, self._tenant, vital, VALUE_IRI, start_us, end_us)
