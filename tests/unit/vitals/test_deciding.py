"""Whether a pass has anything to write of a sign is what its plan says, without making the plan."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chengmai.kernel.instants import parse_us
from chengmai.ngsild.entity import Entity
from chengmai.vitals import signs_of
from chengmai.vitals.deciding import Decider, Seen
from tests.unit.vitals.builders import HOUR_US, SHANGHAI, a_pack

T0 = parse_us("2026-11-22T08:00:00Z")
ticks = st.dictionaries(st.integers(0, 8), st.sampled_from((40.0, 58.0, 70.0, 130.0)), max_size=4)
passes = st.lists(st.tuples(st.integers(0, 14), ticks), min_size=1, max_size=6)


def seen(now: int, values: dict[int, float]) -> Seen:
    made = [(T0 + hour * HOUR_US, value) for hour, value in sorted(values.items())]
    newest = made[-1][0] if made else None
    return Seen("Haidian", made, newest, T0 + now * HOUR_US)


@given(passes)
def test_a_sign_is_due_when_there_is_a_plan_and_only_then(
    given_passes: list[tuple[int, dict[int, float]]],
) -> None:
    (sign,) = signs_of([a_pack()])
    decider, kept = Decider(sign, SHANGHAI), None
    for now, values in given_passes:
        one = seen(now, values)
        plan = decider.plan(kept, one)
        assert decider.is_due(kept, one) == (plan is not None)
        if plan is not None:
            kept = _merged(kept, plan.entity)
            assert not decider.is_due(kept, one)


def _merged(kept: Entity | None, part: Entity) -> Entity:
    return {**(kept or {}), **part}
