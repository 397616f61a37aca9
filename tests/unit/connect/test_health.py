from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.connect.health import FeedHealth, feed_entity, load_entity
from chengmai.connect.reading import REJECT_TEXTS, Reject
from chengmai.ngsild.entity import value_of
from tests.unit.connect.builders import NOW, a_feed

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("silence", "state"),
    [(0, "live"), (3, "live"), (3.01, "late"), (10, "late"), (10.01, "silent")],
)
def test_silence_is_measured_in_periods(silence: float, state: str) -> None:
    health = FeedHealth().after(1, [], seen=NOW, newest=NOW)
    assert health.state(a_feed(), NOW + silence * HOUR) == state


def test_a_feed_that_only_sends_rubbish_is_not_alive() -> None:
    reject = Reject("bad_json", "topic", "not valid JSON", "{", NOW)
    health = FeedHealth().after(0, [reject], seen=None, newest=None)
    assert health.state(a_feed(), NOW) == "waiting"
    assert (health.received, health.rejected) == (1, 1)


@given(st.lists(st.sampled_from(sorted(REJECT_TEXTS)), max_size=60))
def test_health_survives_being_saved(codes: list[str]) -> None:
    rejects = [Reject(code, "f:1", "why", "what", NOW) for code in codes]
    health = FeedHealth().after(3, rejects, seen=NOW, newest=NOW - HOUR)
    assert FeedHealth.from_json(health.as_json()) == health
    assert sum(health.reasons.values()) == health.rejected == len(codes)
    assert len(health.last_rejects) <= 20


def test_the_entity_says_how_far_the_feed_lags() -> None:
    health = FeedHealth().after(1, [], seen=NOW, newest=NOW - HOUR)
    told = feed_entity("air", a_feed(), health, NOW)
    assert value_of(told, "lagSeconds") == 3600
    assert value_of(told, "lastSeen") == "2026-11-22T04:00:00Z"
    assert value_of(told, "simulated") is False


def test_the_load_counts_feeds_that_do_not_deliver_and_leaves_out_those_that_wait() -> None:
    live = FeedHealth().after(5, [], seen=NOW, newest=NOW)
    late = FeedHealth().after(3, [], seen=NOW - 4 * HOUR, newest=NOW)
    ended = FeedHealth(ended="finished", accepted=2)
    made = load_entity([(a_feed(), one) for one in (live, late, ended, FeedHealth())], NOW)
    told = {term: value_of(made, term) for term in ("feeds", "lateFeeds", "received", "rejected")}
    assert told == {"feeds": 2, "lateFeeds": 1, "received": 10, "rejected": 0}


def test_a_feed_without_an_address_is_off_and_says_what_would_set_it_going() -> None:
    health = FeedHealth(ended="off")
    made = feed_entity("air", a_feed(), health, NOW)
    assert value_of(made, "feedState") == "off"
    assert 'CHENGMAI_FEED_ADDRESSES={"gauges": "https://…"}' in value_of(made, "note")["en"]
