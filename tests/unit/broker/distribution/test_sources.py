"""Asking sources: what they are told, and what each may cost."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from chengmai.broker.distribution.ports import Failure, Forward, Kind, Reply
from chengmai.broker.distribution.sources import MOST_AT_A_TIME
from chengmai.broker.registry.model import Registration
from chengmai.kernel.clock import FixedClock
from tests.unit.broker.distribution.builders import (
    CONTEXTS,
    NOON,
    Counted,
    TellingSources,
    a_forwarder,
    a_registration,
    asked,
)

OK = Reply(204, {})


def told(registration: Registration, **members: object) -> Forward:
    """Return what a source with this registration is told."""
    return a_forwarder(TellingSources()).forward(
        asked(**members), registration, "POST", "/entities", body=lambda context: {"id": "urn:x:1"}
    )


async def one_answer(registration: Registration, sources: TellingSources) -> Reply | Failure:
    """Return what comes back from one source."""
    forwarder = a_forwarder(sources)
    forward = forwarder.forward(asked(), registration, "GET", "/entities")
    return (await forwarder.ask(asked(), [forward]))[0]


def test_our_alias_is_added_behind_those_that_are_there() -> None:
    assert told(a_registration(), via=("far", "near")).via == ("far", "near", "here")


def test_a_source_is_told_what_its_registration_says_and_nothing_of_the_requester() -> None:
    info = [
        {"key": "X-Key", "value": "secret"},
        {"key": "user", "value": "urn:ngsi-ld:request"},
        {"key": "absent", "value": "urn:ngsi-ld:request"},
        {"key": "Authorization", "value": "urn:ngsi-ld:request"},
    ]
    headers = {"authorization": "Bearer of-the-requester", "user": "li", "x-other": "1"}
    forward = told(a_registration(contextSourceInfo=info), headers=headers)
    assert forward.headers == (("X-Key", "secret"), ("user", "li"))


def test_a_context_without_an_address_goes_in_the_body() -> None:
    context = CONTEXTS.compile({"pm": "https://example.org/pm"})
    assert told(a_registration(), context=context).inline
    assert not told(a_registration()).inline


def test_a_source_that_wants_the_context_in_the_body_gets_it_there() -> None:
    info = [{"key": "contentType", "value": "application/ld+json"}]
    forward = told(a_registration(contextSourceInfo=info))
    assert forward.inline
    assert forward.headers == ()


def test_a_registration_for_local_data_only_says_so_to_the_source() -> None:
    assert told(a_registration(management={"localOnly": True})).parameters == (("local", "true"),)


async def test_a_source_that_never_answers_is_given_up_after_its_own_time() -> None:
    quick = a_registration(management={"timeout": 20})
    answer = await one_answer(quick, TellingSources())
    assert isinstance(answer, Failure)
    assert answer.kind is Kind.TIMEOUT


async def test_a_source_that_the_request_came_through_is_left_out() -> None:
    sources = TellingSources({"http://one.example": OK})
    forwarder = a_forwarder(sources)
    one = asked(via=("there",))
    looping = a_registration(contextSourceAlias="there")
    (answer,) = await forwarder.ask(one, [forwarder.forward(one, looping, "GET", "/entities")])
    assert isinstance(answer, Failure)
    assert answer.kind is Kind.LOOP
    assert sources.got == []
    assert one.warnings[0].startswith("199 ")


async def test_508_from_a_source_is_a_loop() -> None:
    answer = await one_answer(
        a_registration(), TellingSources({"http://one.example": Reply(508, {})})
    )
    assert isinstance(answer, Failure)
    assert answer.kind is Kind.LOOP


async def test_a_source_rests_after_a_failure_for_as_long_as_its_registration_says() -> None:
    sources, clock = TellingSources({"http://one.example": Reply(500, {})}), FixedClock(NOON)
    forwarder = a_forwarder(sources, clock=clock)
    resting = a_registration(management={"cooldown": 4000})
    forward = forwarder.forward(asked(), resting, "GET", "/entities")
    await forwarder.send([forward])
    (second,) = await forwarder.send([forward])
    assert isinstance(second, Failure)
    assert second.kind is Kind.COOLING
    assert len(sources.got) == 1
    clock.advance(timedelta(seconds=4))
    (third,) = await forwarder.send([forward])
    assert isinstance(third, Reply)


async def test_a_source_that_only_says_no_does_not_rest() -> None:
    sources = TellingSources({"http://one.example": Reply(404, {})})
    forwarder = a_forwarder(sources)
    resting = a_registration(management={"cooldown": 4000})
    forward = forwarder.forward(asked(), resting, "GET", "/entities")
    for _ in range(3):
        await forwarder.send([forward])
    assert len(sources.got) == 3


async def test_an_endpoint_gets_a_bounded_number_of_requests_at_a_time() -> None:
    sources = TellingSources({"http://one.example": OK})
    forwarder = a_forwarder(sources)
    forward = forwarder.forward(asked(), a_registration(), "GET", "/entities")
    answers = await forwarder.send([forward] * (3 * MOST_AT_A_TIME))
    assert answers == [OK] * len(answers)
    assert sources.most_at_once == MOST_AT_A_TIME


async def test_a_source_that_hangs_does_not_keep_another_waiting() -> None:
    sources = TellingSources({"http://two.example": OK})
    forwarder = a_forwarder(sources)
    hanging = forwarder.forward(asked(), a_registration("one"), "GET", "/entities")
    well = forwarder.forward(asked(), a_registration("two"), "GET", "/entities")
    waiting = asyncio.ensure_future(forwarder.send([hanging] * MOST_AT_A_TIME))
    await asyncio.sleep(0)
    assert await forwarder.send([well]) == [OK]
    waiting.cancel()


async def test_nothing_found_is_no_warning_and_an_error_is() -> None:
    replies = {"http://one.example": Reply(404, {}), "http://two.example": Reply(403, {})}
    forwarder, one = a_forwarder(TellingSources(replies)), asked()
    forwards = [
        forwarder.forward(one, a_registration(name), "GET", "/entities") for name in ("one", "two")
    ]
    await forwarder.ask(one, forwards)
    (warning,) = one.warnings
    assert warning.startswith("299 urn:ngsi-ld:ContextSourceRegistration:two ")


async def test_what_became_of_requests_is_counted() -> None:
    counted = Counted()
    replies = {"http://one.example": Reply(409, {}), "http://two.example": Reply(503, {})}
    forwarder = a_forwarder(TellingSources(replies), counted=counted)
    forwards = [
        forwarder.forward(asked(), a_registration(name), "GET", "/e") for name in ("one", "two")
    ]
    await forwarder.send(forwards)
    assert sorted(failure or "" for _, failure in counted.seen) == ["", "it answered 503"]
