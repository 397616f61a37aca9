from __future__ import annotations

from datetime import timedelta

from chengmai.incidents import Ration, Shown
from chengmai.incidents.budget import Waiting, ration, review
from tests.unit.cases.builders import MONDAY, an_actor
from tests.unit.incidents.builders import OFFICER, City


def watch(*names: str) -> list[Waiting]:
    return [Waiting(name, "watch") for name in names]


def rationed(waiting: list[Waiting], *known: Shown, used: int = 0, budget: int = 2) -> Ration:
    return ration("usr_1", waiting, known, used, budget=budget, now=MONDAY)


def test_what_the_budget_does_not_cover_is_held_back() -> None:
    made = rationed(watch("a", "b", "c"))
    assert (made.shown, made.held, made.used) == (("a", "b"), ("c",), 2)


def test_act_is_never_held_back_and_is_counted() -> None:
    made = rationed([*watch("a", "b"), Waiting("worst", "act")], used=2)
    assert (made.shown, made.held, made.used) == (("worst",), ("a", "b"), 3)


def test_act_takes_its_share_of_the_budget_first() -> None:
    made = rationed([*watch("a", "b"), Waiting("worst", "act")])
    assert made.shown == ("a", "worst")


def test_what_was_shown_stays_shown_and_costs_nothing_more() -> None:
    made = rationed(watch("a", "b", "c"), Shown("usr_1", "a", "watch", MONDAY), used=1)
    assert (made.shown, made.held) == (("a", "b"), ("c",))


def test_what_was_held_is_shown_when_there_is_room_again() -> None:
    held = Shown("usr_1", "a", "watch", None, MONDAY - timedelta(hours=1))
    made = rationed(watch("a"), held, used=1)
    assert made.news == (Shown("usr_1", "a", "watch", MONDAY, held.held_at),)


def test_the_hour_of_a_person_slides() -> None:
    city = City(budget=2)
    for number, minutes in enumerate((0, 30, 30, 15)):
        city.wait(minutes=minutes)
        made = city.run(
            city.incidents.ration(OFFICER, watch(*(f"i{n}" for n in range(number + 1))))
        )
    # At 75 minutes the first of the two shown lies more than an hour back: the third came in at 60.
    assert (made.used, made.held) == (2, ("i3",))


def test_two_people_have_a_budget_each() -> None:
    city = City(budget=1)
    for person in (OFFICER, an_actor("manager")):
        assert city.run(city.incidents.ration(person, watch("a"))).shown == ("a",)


def test_the_review_counts_each_hour_of_a_person() -> None:
    shown = [Shown("p", f"a{n}", "watch", MONDAY + timedelta(minutes=n)) for n in range(7)]
    shown += [Shown("p", "late", "act", MONDAY + timedelta(hours=2), MONDAY)]
    shown += [Shown("p", "waits", "watch", None, MONDAY)]
    made = review(shown, alarms=20, incidents=5, length=timedelta(days=7))
    assert (made.shown, made.held, made.held_now, made.act_shown) == (8, 2, 1, 1)
    assert (made.person_hours, made.mean, made.most) == (2, 4.0, 7)
    assert (made.above_acceptable, made.above_manageable) == (0.5, 0.0)
