"""Rules in a running city: readings over the API, firings, cases, commands, versions, rights."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import format_instant, to_us
from chengmai.kernel.problems import Forbidden
from chengmai.ngsild.entity import name_iri, prop
from chengmai.rules.model import CommandState, Firing, FiringFilter, Rule
from chengmai.rules.problems import NothingToUndo, RuleChanged, RuleExists, RuleInvalid
from tests.api.house import House, a_house
from tests.unit.rules.builders import POLE, a_command, a_spec, manager, officer

TILTED: dict[str, Any] = {"count": 3, "within": "PT10S", "opens": "dirty_air"}


async def on(house: House, **more: Any) -> Rule:
    """Return a rule that is made and switched on."""
    service, by = house.city.rules.service, manager()
    made = await service.make(by, a_spec(**more))
    return await service.switch(by, made.id, on=True, expecting=1)


async def tell(house: House, after_s: float = 1, at: Any = None, **values: Any) -> None:
    """Move the clock and send a reading of the pole over the API."""
    house.clock.advance(timedelta(seconds=after_s))
    at = at or house.clock.now()
    observed = {"observedAt": format_instant(at)}
    body = {n: {"type": "Property", "value": v} | observed for n, v in values.items()}
    sent = [{"id": POLE, "type": "Pole"} | body]
    answer = await house.ask("POST", "/entityOperations/upsert?options=update", sent)
    assert answer.status_code in (201, 204), answer.text


async def firings(house: House) -> list[Firing]:
    return await house.city.rules.service.firings(manager(), FiringFilter())


async def test_three_readings_fire_once_open_a_case_and_recover(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await on(house, **TILTED)
        for tilt in (5, 16, 17, 18, 19, 12):
            await tell(house, tilt=tilt)

        (firing,) = await firings(house)
        assert firing.is_active
        assert [one["values"]["tilt"] for one in firing.evidence] == [5, 16, 17, 18]
        assert firing.rule_version == 2
        page = await house.city.cases.queue("city")
        (case,) = [one.case for one in page.items]
        assert (case.firing, case.about, case.vital) == (firing.id, POLE, None)
        assert firing.case == case.id
        (incident,) = (await house.city.incidents.page("city"))[0]
        assert ([one.vital for one in incident.members], incident.cases) == (
            [firing.id],
            (case.id,),
        )

        await tell(house, tilt=8)
        (firing,) = await firings(house)
        assert firing.ended == "recovered"
        ended = await house.city.incidents.get("city", incident.id)
        assert ended.state.value == "ended"
        shown = await house.city.cases.get("city", case.id)
        assert shown.case.recovered, "a recovery asks people to verify"
        assert not shown.case.has_ended
        assert [one.what for one in firing.lines] == [
            "fired",
            "case.open",
            "recovered",
            "case.recovered",
        ]


async def test_a_second_firing_adds_to_the_live_case(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await on(house, opens="dirty_air")
        for tilt in (16, 5, 17):
            await tell(house, tilt=tilt)

        assert len(await firings(house)) == 2
        page = await house.city.cases.queue("city")
        assert page.total == 1
        log = await house.city.cases.log("city", page.items[0].case.id)
        assert [line.step.value for line in log] == ["open", "recovered", "crossed_again"]


async def test_a_state_that_is_told_once_fires_when_its_time_is_up(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await on(house, q="tilt>15", **{"for": "PT5M"})
        await tell(house, tilt=20)
        house.clock.advance(timedelta(minutes=4))
        await house.city.rules.watcher.settle()
        assert not await firings(house)

        house.clock.advance(timedelta(minutes=1))
        await house.city.rules.watcher.settle()

        (firing,) = await firings(house)
        assert firing.fired_at == house.clock.now()


async def test_counters_survive_a_restart(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await on(house, **TILTED)
        await tell(house, tilt=16)
        await tell(house, tilt=17)
        clock = house.clock
    async with a_house(tmp_path, clock=clock) as house:
        await tell(house, tilt=18)

        (firing,) = await firings(house)
        assert [one["values"]["tilt"] for one in firing.evidence] == [16, 17, 18]


async def test_readings_out_of_order_count_in_their_place(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await on(house, **TILTED)
        now = house.clock.now()
        for second in (9, 2, 5):
            await tell(house, after_s=20, at=now + timedelta(seconds=second), tilt=16 + second)

        (firing,) = await firings(house)
        assert firing.fired_at == now + timedelta(seconds=9)


async def test_a_reading_that_goes_to_the_past_alone_is_judged_too(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await on(house, count=2, within="PT10S")
        await tell(house, tilt=16)
        at = house.clock.now() - timedelta(seconds=5)
        late = [(name_iri("tilt"), prop(19, at=at))]

        def remember(tx: Any) -> None:
            house.city.model.remember(tx, POLE, late, by=Actor("sys:feeds", "city"))

        await house.city.store.work.write(remember)

        (firing,) = await firings(house)
        assert [one["values"]["tilt"] for one in firing.evidence] == [19, 16]


async def test_deleting_the_entity_ends_its_firing_without_calling_it_recovered(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        await on(house)
        await tell(house, tilt=16)
        await house.ask("DELETE", f"/entities/{POLE}")

        (firing,) = await firings(house)
        assert firing.ended == "deleted"


async def test_a_missing_attribute_is_no_recovery(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await on(house, recovers={})
        await tell(house, tilt=16)
        await house.ask("DELETE", f"/entities/{POLE}/attrs/tilt")
        await tell(house, battery=5)

        assert (await firings(house))[0].is_active


async def test_a_rule_that_is_off_does_nothing_and_switching_off_ends_its_firings(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        rule = await on(house)
        await tell(house, tilt=16)
        await house.city.rules.service.switch(manager(), rule.id, on=False, expecting=rule.version)
        await tell(house, tilt=30)

        (firing,) = await firings(house)
        assert firing.ended == "changed"


async def test_every_change_is_a_version_and_undo_leads_back(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        service, by = house.city.rules.service, manager()
        rule = await service.make(by, a_spec())
        changed = await service.change(
            by, rule.id, a_spec(q="tilt>25"), expecting=1, note="too many"
        )
        back = await service.undo(by, rule.id, expecting=changed.version)

        assert (back.spec.q, back.version) == ("tilt>15", 3)
        assert [one.version for one in await service.versions(by, rule.id)] == [3, 2, 1]
        entity = await house.get(f"/entities/{rule.id}?options=keyValues")
        assert (entity["condition"], entity["ruleVersion"], entity["isOn"]) == ("tilt>15", 3, False)
        past = await house.get(
            f"/temporal/entities/{rule.id}?attrs=condition&timeproperty=modifiedAt"
            "&timerel=after&timeAt=2026-01-01T00:00:00Z"
        )
        assert len(past["condition"]) >= 2


async def test_a_change_made_on_an_old_version_is_refused(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        service, by = house.city.rules.service, manager()
        rule = await service.make(by, a_spec())
        with pytest.raises(RuleExists):
            await service.make(by, a_spec())
        with pytest.raises(NothingToUndo):
            await service.undo(by, rule.id, expecting=1)
        await service.switch(by, rule.id, on=True, expecting=1)
        with pytest.raises(RuleChanged):
            await service.change(by, rule.id, a_spec(q="tilt>25"), expecting=1)
        with pytest.raises(RuleInvalid):
            await service.change(by, rule.id, a_spec(q="tilt>>"), expecting=2)


async def test_patching_the_entity_of_a_rule_changes_no_rule(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        rule = await on(house, q="tilt>50")
        body = {"condition": {"type": "Property", "value": "tilt>1"}}
        assert (await house.ask("PATCH", f"/entities/{rule.id}/attrs", body)).status_code == 403
        await tell(house, tilt=20)

        assert not await firings(house)


@pytest.mark.parametrize("role", ["duty_officer", "auditor", "worker", "admin"])
async def test_only_a_manager_makes_rules(tmp_path: Path, role: str) -> None:
    async with a_house(tmp_path) as house:
        by = Actor("usr_x", "city", frozenset({role}), "x")
        with pytest.raises(Forbidden):
            await house.city.rules.service.make(by, a_spec())
        assert await house.city.rules.service.rules(by) == []


async def test_a_tenant_sees_no_rule_and_no_firing_of_another(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await on(house)
        await tell(house, tilt=16)
        other = Actor("usr_x", "other", frozenset({"manager"}), "x")

        assert await house.city.rules.service.rules(other) == []
        assert await house.city.rules.service.firings(other, FiringFilter()) == []


async def test_a_command_of_high_impact_waits_and_a_second_person_decides(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await on(house, command=a_command(high_impact=True))
        await tell(house, tilt=16)
        service = house.city.rules.service
        (command,) = await service.commands(manager(), [CommandState.WAITING])

        with pytest.raises(Forbidden):
            await service.decide(manager(), command.id, approve=True, reason="I made it")
        maker = Actor("usr_m1", "city", frozenset({"duty_officer"}), "m1")
        with pytest.raises(Forbidden, match="changed the rule last"):
            await service.decide(maker, command.id, approve=True, reason="I made it")
        after = await service.decide(officer(), command.id, approve=True, reason="seen it")

        assert after.state is CommandState.PENDING
        entity = await house.get(f"/entities/{command.id}?options=keyValues")
        assert (entity["commandState"], entity["decidedBy"]) == ("pending", "usr_o1")
        lines = [one.action for one in await house.audit() if one.object == command.id]
        assert len(lines) == 2


async def test_a_recovery_calls_off_a_command_that_waits(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await on(house, command=a_command(high_impact=True))
        for tilt in (16, 5):
            await tell(house, tilt=tilt)

        (command,) = await house.city.rules.service.commands(manager())
        assert command.state is CommandState.REFUSED


async def test_a_command_nobody_decided_on_in_time_is_not_sent(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await on(house, command=a_command(high_impact=True, valid_for="PT10M"))
        await tell(house, tilt=16)
        house.clock.advance(timedelta(minutes=11))
        await house.city.rules.sender.round()
        await house.city.rules.sender.idle()

        (command,) = await house.city.rules.service.commands(manager())
        assert command.state is CommandState.TIMED_OUT
        assert command.attempts == 0


async def test_a_command_without_an_address_is_refused_and_says_so(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await on(house, command=a_command(high_impact=False))
        await tell(house, tilt=16)
        await house.city.rules.sender.round()
        await house.city.rules.sender.idle()

        (command,) = await house.city.rules.service.commands(manager())
        assert command.state is CommandState.REFUSED
        assert "CHENGMAI_COMMAND_CHANNELS" not in command.lines[-1].text.en
        assert "has no address" in command.lines[-1].text.en


async def test_a_trial_finds_what_life_would_have_found_and_does_nothing(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        start = house.clock.now()
        for tilt in (5, 16, 17, 18, 19, 12, 8, 20, 21, 22):
            await tell(house, tilt=tilt)
        spec = a_spec(**TILTED, command=a_command())

        end = house.clock.now() + timedelta(seconds=1)
        trial = await house.city.rules.trying.run(manager(), spec, start, end)

        assert (trial.fired, trial.entities, trial.readings) == (2, 1, 10)
        assert (trial.cases, trial.commands) == (2, 2)
        assert [
            (one.end - one.start).total_seconds() if one.end else None for one in trial.firings
        ] == [3, None]
        assert sum(trial.per_day.values()) == 2
        assert not await firings(house)
        assert not await house.city.rules.service.commands(manager())
        assert (await house.city.cases.queue("city")).total == 0

        curve = await house.city.rules.trying.curve(manager(), spec, POLE, start, end)
        assert curve is not None
        assert [value for _, value in curve.points] == [5, 16, 17, 18, 19, 12, 8, 20, 21, 22]
        assert len(curve.firings) == 2


async def test_a_trial_agrees_with_what_happened_while_the_rule_was_on(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        start = house.clock.now()
        rule = await on(
            house, **{"for": "PT4S"}, silent_after="PT10S", recovers={"q": "tilt<10", "for": "PT3S"}
        )
        for gap, tilt in (
            (1, 16),
            (2, 17),
            (3, 16),
            (1, 8),
            (4, 7),
            (30, 20),
            (9, 21),
            (20, 20),
            (1, 22),
        ):
            await tell(house, after_s=gap, tilt=tilt)
            await house.city.rules.watcher.settle()
        trial = await house.city.rules.trying.run(manager(), rule.spec, start, house.clock.now())

        lived = [(to_us(one.fired_at), one.ended_at) for one in reversed(await firings(house))]
        tried = [(to_us(one.start), one.end) for one in trial.firings]
        assert lived == tried
        assert len(tried) == 2


async def test_a_preview_counts_what_is_selected_and_what_holds(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await tell(house, tilt=20)
        await house.ask("POST", "/entities", {"id": POLE + "2", "type": "Pole"})

        found = await house.city.rules.service.preview(manager(), a_spec())

        assert (found.selected, found.holding, found.examples) == (2, 1, (POLE,))
