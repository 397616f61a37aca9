"""What may become of a command, and how it is addressed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.ngsild.entity import entity, prop, rel
from chengmai.rules.commands import (
    body_of,
    called_off,
    decided,
    due_at,
    may_become,
    moved,
    new_command,
)
from chengmai.rules.model import CommandState
from chengmai.rules.problems import CommandDecided, ReasonNeeded, SecondPersonNeeded
from tests.unit.rules.builders import (
    NOON,
    a_command,
    a_firing,
    a_made_command,
    a_rule,
    a_spec,
    manager,
    officer,
)


def test_a_command_of_high_impact_waits_for_a_person_until_it_is_no_longer_valid() -> None:
    command = a_made_command(high_impact=True, valid_for="PT20M")

    assert command.state is CommandState.WAITING
    assert due_at(command) == NOON + timedelta(minutes=20)


def test_a_command_of_low_impact_is_sent_at_once() -> None:
    assert a_made_command(high_impact=False).state is CommandState.PENDING


def test_the_same_firing_gives_the_same_id() -> None:
    assert a_made_command().id == a_made_command().id
    assert body_of(a_made_command())["commandId"] == a_made_command().id


def test_a_payload_cannot_take_the_id_over() -> None:
    body = body_of(a_made_command(payload={"commandId": "mine", "on": True}))

    assert body["commandId"] != "mine"
    assert body["on"] is True


def test_a_decision_needs_a_reason_and_a_second_person() -> None:
    command = a_made_command(high_impact=True)

    with pytest.raises(ReasonNeeded):
        decided(command, officer(), NOON, approve=True, reason="")
    with pytest.raises(SecondPersonNeeded):
        decided(command, manager("m1"), NOON, approve=True, reason="I made it")
    approved = decided(command, officer(), NOON, approve=True, reason="looked at the camera")
    assert approved.state is CommandState.PENDING
    with pytest.raises(CommandDecided):
        decided(approved, officer("o2"), NOON, approve=False, reason="too late")


def test_a_refused_command_ends() -> None:
    refused = decided(a_made_command(), officer(), NOON, approve=False, reason="a bird")

    assert refused.state is CommandState.REFUSED
    assert due_at(refused) is None


def test_a_command_that_went_out_is_not_called_off() -> None:
    waiting = a_made_command(high_impact=True)
    out = a_made_command(high_impact=False).model_copy(update={"attempts": 1})

    off = called_off(waiting, NOON)
    assert off is not None
    assert off.state is CommandState.REFUSED
    assert called_off(out, NOON) is None


@given(st.lists(st.sampled_from(list(CommandState)), max_size=8))
def test_what_ended_stays_ended_and_nothing_goes_back(wanted: list[CommandState]) -> None:
    order = list(CommandState)
    command = a_made_command(high_impact=True, effect={"q": "lit==true", "within": "PT1M"})
    for state in wanted:
        before = command
        if may_become(command, state):
            command = moved(command, state, NOON, "一", "one", sent_at=NOON)
            assert order.index(command.state) > order.index(before.state)
        if before.ended_at is not None:
            assert command is before


def test_a_device_is_the_entity_one_it_relates_to_or_one_by_its_id() -> None:
    pole = entity("urn:ngsi-ld:Pole:p/1", "Pole", tilt=prop(20), refLamp=rel("urn:ngsi-ld:Lamp:7"))
    addressed = {}
    for device in ("", "refLamp", "urn:ngsi-ld:Siren:{key}"):
        rule = a_rule(a_spec(command=a_command(device=device)))
        assert rule.spec.command is not None
        made = new_command(rule, a_firing(rule), rule.spec.command, pole, NOON)
        addressed[device] = (made.device, made.to)

    assert addressed == {
        "": ("urn:ngsi-ld:Pole:p/1", "poles/p_1/set"),
        "refLamp": ("urn:ngsi-ld:Lamp:7", "poles/7/set"),
        "urn:ngsi-ld:Siren:{key}": ("urn:ngsi-ld:Siren:p/1", "poles/p_1/set"),
    }
