"""What was read lately is given out again only while nothing can have changed it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import orjson
import pytest

from chengmai.broker.model import EntityQuery, Found, StoredEntities, Which
from chengmai.broker.recent import Recent
from chengmai.ngsild.contexts import ContextCompiler, core_documents
from chengmai.ngsild.ordering import Ordering
from chengmai.ngsild.q import parse_q
from chengmai.ngsild.select import Selector

_LAMP = "urn:ngsi-ld:Lamp:1"


class _Tide:
    """A tide that is told what happens."""

    def __init__(self) -> None:
        self.number: int | None = 0
        self.changed: list[Hashable] | None = []

    def happens(self, *entities: tuple[str, str]) -> None:
        assert self.number is not None
        self.number += 1
        self.changed = [("entity", *one) for one in entities]

    def of_type(self, name: str) -> None:
        assert self.changed is not None
        self.changed.append(("type", "t", name))

    def nobody_knows_what(self) -> None:
        assert self.number is not None
        self.number += 1
        self.changed = None

    def at(self) -> int | None:
        return self.number

    def take(self, since: int, until: int) -> list[Hashable] | None:
        return self.changed


def _found(doc: bytes = b"{}", after: str | None = None) -> Found:
    page = StoredEntities([(1, doc)])
    last = None if after is None else (2, orjson.dumps({"id": after}))
    return Found(entities=page, shown=page, total=None, more=after is not None, after=last)


def _kept(
    recent: Recent, query: EntityQuery, found: Found | None = None, tenant: str = "t"
) -> None:
    for _ in range(2):
        recent.keep(recent.now(), tenant, query, found or _found())


def _of(*types: str, **asked: Any) -> EntityQuery:
    return EntityQuery(which=(Which(types=Selector((frozenset(types),))),), **asked)


def test_the_mark_of_an_entity_is_known_until_it_changes() -> None:
    tide = _Tide()
    recent = Recent(tide)
    recent.note(recent.now(), "t", _LAMP, (7, b"{}"))
    tide.happens(("t", "urn:ngsi-ld:Lamp:2"))
    assert recent.mark("t", _LAMP) == (7, hash(b"{}"))
    assert recent.mark("u", _LAMP) is None
    tide.happens(("t", _LAMP))
    assert recent.mark("t", _LAMP) is None


def test_what_was_read_before_a_change_that_is_known_by_now_is_not_kept() -> None:
    tide = _Tide()
    recent = Recent(tide)
    at = recent.now()
    tide.happens(("t", _LAMP))
    recent.now()
    recent.note(at, "t", _LAMP, (7, b"old"))

    assert recent.mark("t", _LAMP) is None


def test_an_answer_is_kept_from_the_second_time_on() -> None:
    recent, query = Recent(_Tide()), EntityQuery()
    recent.keep(recent.now(), "t", query, _found())
    assert recent.answer("t", query) is None
    recent.keep(recent.now(), "t", query, _found())
    assert recent.answer("t", query) is not None
    assert recent.answer("t", EntityQuery()) is None
    assert recent.answer("u", query) is None


def test_an_answer_is_forgotten_with_any_change_of_its_tenant_and_no_other() -> None:
    tide = _Tide()
    recent, query = Recent(tide), EntityQuery()
    _kept(recent, query)
    tide.happens(("u", _LAMP))
    assert recent.answer("t", query) is not None
    tide.happens(("t", _LAMP))
    assert recent.answer("t", query) is None


def test_an_answer_that_was_under_way_during_a_change_is_not_kept() -> None:
    tide = _Tide()
    recent, query = Recent(tide), EntityQuery()
    _kept(recent, query)
    begun = recent.now()
    tide.happens(("t", _LAMP))
    recent.now()
    recent.keep(begun, "t", query, _found())

    assert recent.answer("t", query) is None


def test_a_page_with_more_behind_it_holds_until_something_changes_up_to_what_is_behind_it() -> None:
    tide = _Tide()
    recent, query = Recent(tide), EntityQuery()
    _kept(recent, query, _found(after="urn:ngsi-ld:Lamp:5"))
    tide.happens(("t", "urn:ngsi-ld:Lamp:6"), ("t", "urn:ngsi-ld:Lamp:51"))
    assert recent.answer("t", query) is not None
    tide.happens(("t", "urn:ngsi-ld:Lamp:6"), ("t", "urn:ngsi-ld:Lamp:5"))
    assert recent.answer("t", query) is None


@pytest.mark.parametrize(
    "query",
    [
        EntityQuery(count=True),
        EntityQuery(order=Ordering((), None, collated=False)),
        EntityQuery(join="flat"),
        EntityQuery(q=parse_q("a{b}==1", ContextCompiler(core_documents(), None).core)),
    ],
)
def test_what_rests_on_more_than_its_page_is_forgotten_with_any_change(query: EntityQuery) -> None:
    tide = _Tide()
    recent = Recent(tide)
    _kept(recent, query, _found(after="urn:ngsi-ld:Lamp:5"))
    assert recent.answer("t", query) is not None
    tide.happens(("t", "urn:ngsi-ld:Lamp:6"))
    assert recent.answer("t", query) is None


def test_an_answer_holds_while_only_entities_of_other_types_change() -> None:
    tide = _Tide()
    recent = Recent(tide)
    every, lamps, linked = EntityQuery(), _of("urn:Lamp"), _of("urn:Lamp", join="inline")
    for query in (every, lamps, linked):
        _kept(recent, query)
    tide.happens(("t", "urn:ngsi-ld:Room:1"))
    tide.of_type("urn:Room")
    assert recent.answer("t", lamps) is not None
    assert recent.answer("t", every) is None
    assert recent.answer("t", linked) is None
    tide.happens(("t", "urn:ngsi-ld:Room:1"))
    tide.of_type("urn:Room")
    tide.of_type("urn:Lamp")
    assert recent.answer("t", lamps) is None


def test_an_answer_is_forgotten_with_a_change_of_which_no_type_is_said() -> None:
    tide = _Tide()
    recent, query = Recent(tide), _of("urn:Lamp")
    _kept(recent, query)
    tide.happens(("t", "urn:ngsi-ld:Room:1"))

    assert recent.answer("t", query) is None


def test_everything_is_forgotten_where_nobody_knows_what_changed() -> None:
    tide = _Tide()
    recent, query = Recent(tide), EntityQuery()
    recent.note(recent.now(), "t", _LAMP, (7, b"{}"))
    _kept(recent, query)
    tide.nobody_knows_what()

    assert recent.mark("t", _LAMP) is None
    assert recent.answer("t", query) is None


def test_nothing_is_kept_where_changes_cannot_be_told() -> None:
    tide = _Tide()
    tide.number = None
    recent, query = Recent(tide), EntityQuery()
    recent.note(recent.now(), "t", _LAMP, (7, b"{}"))
    _kept(recent, query)

    assert recent.mark("t", _LAMP) is None
    assert recent.answer("t", query) is None


def test_what_is_kept_is_bounded() -> None:
    recent = Recent(_Tide(), most_marks=3, most_bytes=40_000)
    for row in range(10):
        recent.note(recent.now(), "t", f"urn:ngsi-ld:Lamp:{row}", (row, b"{}"))
    known = [recent.mark("t", f"urn:ngsi-ld:Lamp:{row}") for row in range(10)]
    queries = [EntityQuery(limit=n) for n in range(10)]
    for query in queries:
        _kept(recent, query)
    large = EntityQuery()
    _kept(recent, large, _found(b" " * 10_000))

    assert 0 < sum(one is not None for one in known) <= 3
    assert sum(recent.answer("t", query) is not None for query in queries) < 10
    assert recent.answer("t", large) is None
