"""The protocol of `bench.foresight faults` on a smaller city: one measure of eight weeks."""

from __future__ import annotations

import pytest

from bench.foresight.faults import Tally, bundles, tally


@pytest.fixture(scope="module")
def found() -> Tally:
    return tally(bundles(seed=5, measures=1, weeks=8))


def test_most_faults_are_found_and_called_by_their_names(found: Tally) -> None:
    for name in ("stuck", "gap", "drift"):
        assert len(found.delays[name]) >= 0.7 * found.there[name], name


def test_a_real_incident_is_rarely_called_a_fault(found: Tally) -> None:
    assert found.there["real incident"] > 0
    assert found.called_fault <= 0.1 * found.there["real incident"]


def test_sensors_are_rarely_suspected_where_nothing_was_put_in(found: Tally) -> None:
    assert sum(found.false.values()) <= 0.5 * found.quiet_steps / 720
