"""Subscriptions to registrations: what they mean, and what their notifications say."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from chengmai.broker.ports import DueNotification
from chengmai.broker.problems import SubscriptionInvalid
from chengmai.broker.registry.watched import compile_source_subscription
from chengmai.broker.registry.watching import SourceLetters
from chengmai.kernel.problems import Invalid
from tests.unit.broker.registry.builders import CONTEXTS, TENANT, a_registration, an_info

VEHICLES, BUSES = an_info({"type": "Vehicle"}), an_info({"type": "Bus"}, properties=["line"])


def a_watch(**members: Any) -> dict[str, Any]:
    return {
        "id": "urn:ngsi-ld:Subscription:one",
        "type": "Subscription",
        "notification": {"endpoint": {"uri": "http://receiver.example"}},
        **members,
    }


def parts(watch: dict[str, Any], *information: dict[str, Any], **members: Any) -> tuple[int, ...]:
    compiled = compile_source_subscription(TENANT, watch, CONTEXTS)
    return compiled.parts_of(a_registration("one", *information, **members), CONTEXTS.core)


def test_only_the_entries_that_are_meant_are_named() -> None:
    assert parts(a_watch(entities=[{"type": "Bus"}]), VEHICLES, BUSES) == (1,)
    assert parts(a_watch(entities=[{"type": "Bus"}, {"type": "Vehicle"}]), VEHICLES, BUSES) == (
        0,
        1,
    )
    assert parts(a_watch(entities=[{"type": "Tram"}]), VEHICLES, BUSES) == ()


def test_watched_attributes_alone_choose_sources_too() -> None:
    assert parts(a_watch(watchedAttributes=["line"]), BUSES) == (0,)
    assert parts(a_watch(watchedAttributes=["speed"]), BUSES) == ()


def test_a_pattern_is_held_against_ids() -> None:
    one = an_info({"type": "Vehicle", "id": "urn:x:1"})
    assert parts(a_watch(entities=[{"type": "Vehicle", "idPattern": "1$"}]), one) == (0,)
    assert parts(a_watch(entities=[{"type": "Vehicle", "idPattern": "2$"}]), one) == ()


def test_a_window_asks_for_sources_of_the_past() -> None:
    past = {"observationInterval": {"startAt": "2020-01-01T00:00:00Z"}}
    window = {"timerel": "after", "timeAt": "2021-01-01T00:00:00Z"}
    about = [{"type": "Vehicle"}]
    assert parts(a_watch(entities=about, temporalQ=window), VEHICLES, **past) == (0,)
    assert parts(a_watch(entities=about, temporalQ=window), VEHICLES) == ()
    assert parts(a_watch(entities=about), VEHICLES, **past) == ()


@pytest.mark.parametrize("member", ["temporalQ", "csf", "q", "geoQ"])
def test_a_filter_that_cannot_be_read_is_refused(member: str) -> None:
    given: dict[str, Any] = {"temporalQ": {}, "csf": "(", "q": "a>", "geoQ": {"georel": "near"}}
    with pytest.raises(Invalid):
        parts(a_watch(entities=[{"type": "Bus"}], **{member: given[member]}), BUSES)


def test_a_subscription_about_nothing_is_refused() -> None:
    with pytest.raises(SubscriptionInvalid):
        parts(a_watch(csf="owner"), BUSES)


def due(seq: int, reason: str, *ids: str) -> DueNotification:
    data = [{"id": one, "n": seq} for one in ids]
    return DueNotification(seq, "", orjson.dumps({"triggerReason": reason, "data": data}), 0)


def test_several_are_merged_as_long_as_the_reason_is_the_same() -> None:
    merged = SourceLetters().merged(
        [due(1, "updated", "a", "b"), due(2, "updated", "a"), due(3, "noLongerMatching", "a")]
    )
    assert merged.seq == 2
    assert orjson.loads(merged.body) == {
        "triggerReason": "updated",
        "data": [{"id": "a", "n": 2}, {"id": "b", "n": 1}],
    }
