from __future__ import annotations

from datetime import timedelta

from chengmai.trust.cache import ActorCache
from tests.unit.trust.builders import NOON, an_actor

LATER = NOON + timedelta(minutes=1)
ONE, OTHER = an_actor("worker"), an_actor("manager")


def test_an_answer_is_forgotten_at_its_instant() -> None:
    cache = ActorCache()
    cache.put("d", ONE, LATER, read_at_age=cache.age)
    assert cache.get("d", NOON) == ONE
    assert cache.get("d", LATER) is None


def test_dropping_somebody_leaves_the_others() -> None:
    cache = ActorCache()
    cache.put("a", ONE, LATER, read_at_age=cache.age)
    cache.put("b", OTHER, LATER, read_at_age=cache.age)
    cache.drop(ONE.id)
    assert (cache.get("a", NOON), cache.get("b", NOON)) == (None, OTHER)


def test_what_was_read_before_a_drop_is_not_put_in_after_it() -> None:
    cache = ActorCache()
    age = cache.age
    cache.drop(ONE.id)
    cache.put("a", ONE, LATER, read_at_age=age)
    assert cache.get("a", NOON) is None


def test_it_stays_bounded_and_forgets_the_oldest() -> None:
    cache = ActorCache(most=2)
    for digest in "abc":
        cache.put(digest, ONE, LATER, read_at_age=cache.age)
    assert [cache.get(digest, NOON) for digest in "abc"] == [None, ONE, ONE]
