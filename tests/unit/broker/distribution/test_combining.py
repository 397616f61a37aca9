"""One answer out of several: when a problem is the answer, and when it is part of one."""

from __future__ import annotations

import pytest

from chengmai.broker.distribution.combining import (
    Part,
    failed_of_batch,
    part_of_answer,
    problem_of,
    settled,
)
from chengmai.broker.distribution.ports import Failure, Kind, Reply
from chengmai.broker.distribution.problems import (
    LoopDetected,
    SourceConflict,
    SourceFailed,
    SourceFoundNothing,
    SourceSilent,
)
from chengmai.broker.problems import EntityExists, EntityNotFound
from chengmai.kernel.problems import Problem
from chengmai.ngsild.entity import DEFAULT_VOCAB
from tests.unit.broker.distribution.builders import CONTEXTS, a_registration

ONE = a_registration()
SPEED = DEFAULT_VOCAB + "speed"
IDS = ["urn:a", "urn:b"]


def test_the_problem_of_the_only_holder_is_the_answer() -> None:
    with pytest.raises(EntityExists):
        settled([Part(problem=EntityExists("urn:a"))])


def test_that_nobody_has_it_is_one_answer_however_many_were_asked() -> None:
    missing = SourceFoundNothing("nothing there")
    with pytest.raises(EntityNotFound):
        settled([Part(problem=EntityNotFound("urn:a")), Part(problem=missing)])


def test_reasons_of_several_holders_are_all_told() -> None:
    problems: list[Problem] = [EntityExists("urn:a"), SourceConflict("there too")]
    outcome = settled(Part(problem=one) for one in problems)
    assert outcome.problems == problems
    assert not outcome.is_done_somewhere


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Failure(Kind.TIMEOUT, ""), SourceSilent),
        (Failure(Kind.UNREACHABLE, ""), SourceSilent),
        (Failure(Kind.COOLING, ""), SourceSilent),
        (Failure(Kind.INVALID, ""), SourceFailed),
        (Failure(Kind.DENIED, ""), SourceFailed),
        (Failure(Kind.LOOP, ""), LoopDetected),
        (Reply(404, {}), SourceFoundNothing),
        (Reply(409, {}), SourceConflict),
        (Reply(401, {}), SourceFailed),
        (Reply(500, {}), SourceFailed),
    ],
)
def test_every_kind_of_failure_is_a_problem_that_names_the_registration(
    answer: Reply | Failure, kind: type[Problem]
) -> None:
    problem = problem_of(ONE, answer)
    assert type(problem) is kind
    assert problem.facts["registration"] == ONE.id


def test_what_a_source_says_is_cut_short() -> None:
    problem = problem_of(ONE, Reply(409, {}, {"detail": "x" * 10_000}))
    assert problem is not None
    assert len(problem.detail) < 400


@pytest.mark.parametrize("document", [None, [], "x", {"notUpdated": 3}, {"notUpdated": [{}, 1]}])
def test_a_part_that_is_not_described_counts_as_not_done(document: object) -> None:
    part = part_of_answer(ONE, [SPEED], Reply(207, {}, document), CONTEXTS.core)
    assert [one.name for one in part.not_updated] == [SPEED]
    assert settled([part]).updated == []


@pytest.mark.parametrize("document", [None, [], {"errors": "x"}, {"success": 1, "errors": [1]}])
def test_a_batch_that_is_not_described_counts_as_not_done(document: object) -> None:
    assert failed_of_batch(ONE, IDS, Reply(207, {}, document)).keys() == set(IDS)


def test_entities_that_a_source_did_not_get_are_not_believed() -> None:
    said = {"success": IDS, "errors": [{"entityId": "urn:other", "error": {"status": 400}}]}
    assert failed_of_batch(ONE, IDS, Reply(207, {}, said)) == {}
