"""What of a subscription may be on its way at once, and in which order."""

from __future__ import annotations

from chengmai.broker.lanes import Lane
from chengmai.broker.ports import DueNotification


def due(seq: int, entity: str = "urn:x:a") -> DueNotification:
    return DueNotification(seq, entity, b"[]", 0)


def a_lane(*waiting: DueNotification) -> Lane:
    lane = Lane()
    for one in waiting:
        assert lane.came(one, has_room=True)
    return lane


def taken(lane: Lane) -> list[int]:
    """Return the numbers that can be on their way at once."""
    found = []
    while (one := lane.take()) is not None:
        found.append(one.seq)
    return found


def test_entities_do_not_wait_for_each_other_but_one_entity_is_told_in_order() -> None:
    lane = a_lane(due(1, "a"), due(2, "a"), due(3, "b"))
    assert taken(lane) == [1, 3]
    lane.done("b")
    assert taken(lane) == []
    lane.done("a")
    assert taken(lane) == [2]


def test_what_is_about_several_entities_goes_alone() -> None:
    lane = a_lane(due(1, "a"), due(2, ""), due(3, "b"))
    assert taken(lane) == [1]
    lane.done("a")
    assert taken(lane) == [2]
    lane.done("")
    assert taken(lane) == [3]


def test_what_failed_comes_before_what_came_later() -> None:
    lane = a_lane(due(1, "a"), due(2, "b"), due(3, "a"))
    first, second = lane.take(), lane.take()
    assert first is not None
    assert second is not None
    lane.back("b", [second])
    lane.back("a", [first])
    assert taken(lane) == [1, 2]


def test_after_a_gap_everything_is_left_to_the_outbox() -> None:
    lane = a_lane(due(1))
    assert not lane.came(due(2), has_room=False)
    assert not lane.came(due(3), has_room=True)
    assert (lane.due, lane.known, lane.more) == (3, 1, True)
    assert taken(lane) == [1]


def test_what_comes_while_the_outbox_is_read_is_read_too() -> None:
    lane = Lane(due=2)
    lane.missed = False
    lane.came(due(3), has_room=True)
    lane.came_page([due(1), due(2)], is_full=False)
    assert lane.more
    lane.missed = False
    lane.came_page([due(3)], is_full=False)
    assert not lane.more
    assert lane.came(due(4), has_room=True)


def test_several_are_told_in_one_when_nothing_is_on_its_way() -> None:
    lane = a_lane(due(1, "a"), due(2, "b"), due(3, "a"))
    assert [one.seq for one in lane.first_ones()] == [1, 2, 3]
    lane.take_upto(2)
    assert lane.first_ones() == []
    lane.done("")
    assert taken(lane) == [3]
