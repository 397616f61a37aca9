"""One answer out of what became of each share of a write (clauses 5.2.16 to 5.2.19 and 6.3.17). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chengmai.broker.distribution.ports import Answer, Failure, Kind, Reply
from chengmai.broker.distribution.problems import (
    LoopDetected,
    NotOffered,
    SourceConflict,
    SourceFailed,
    SourceFoundNothing,
    SourceRefused,
    SourceSilent,
)
from chengmai.broker.registry.model import Registration
from chengmai.kernel.problems import NotFound, Problem
from chengmai.ngsild.contexts import Context

NOT_SAID = "the source did a part of it and did not say which"
_LONGEST_REASON = 300
_SILENT = frozenset({Kind.TIMEOUT, Kind.UNREACHABLE, Kind.COOLING})
_OF_STATUS: dict[int, type[Problem]] = {
    400: SourceRefused,
    404: SourceFoundNothing,
    409: SourceConflict,
    413: SourceRefused,
    415: SourceRefused,
    422: SourceRefused,
}


@dataclass(frozen=True, slots=True)
class Part:
    """What became of one holder's share; `registration` None means this broker.

    `problem`: nothing of it was done, or what a source did of it is not known (`is_partial`). `refused`
    are attributes of `names` that were left as they are, and why. `is_created`: a source made something new.
    """

    names: tuple[str, ...] = ()
    registration: str | None = None
    problem: Problem | None = None
    refused: tuple[tuple[str, str], ...] = ()
    is_partial: bool = False
    is_created: bool = False

    @property
    def not_updated(self) -> list[Refused]:
        """Return the attributes of the share that were not updated, and why."""
        if self.problem is not None:
            return [Refused(one, self.problem.detail, self.registration) for one in self.names]
        return [Refused(one, why, self.registration) for one, why in self.refused]


@dataclass(frozen=True, slots=True)
class Refused:
    """An attribute that a holder did not update (NotUpdatedDetails, clause 5.2.19)."""

    name: str
    reason: str
    registration: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a write: `parts` of which at least one was done, wholly or not."""

    parts: tuple[Part, ...]

    @property
    def problems(self) -> list[Problem]:
        """Return why holders did not do their shares."""
        return [part.problem for part in self.parts if part.problem is not None]

    @property
    def is_done_somewhere(self) -> bool:
        """Whether any holder did its share."""
        return any(part.problem is None for part in self.parts)

    @property
    def updated(self) -> list[str]:
        """Return the attributes that some holder updated."""
        return list(
            dict.fromkeys(
                name
                for part in self.parts
                if part.problem is None
                for name in part.names
                if name not in {one for one, _ in part.refused}
            )
        )

    @property
    def not_updated(self) -> list[Refused]:
        """Return every attribute that a holder did not update."""
        return [one for part in self.parts for one in part.not_updated]


def settled(parts: Iterable[Part]) -> Outcome:
    """Return the outcome; raise the problem where nobody did anything and there is one reason for it.

    That is the reason of the only holder, or that nobody has what is asked for. Several holders with
    reasons of their own make an outcome that names them all.
    """
    outcome = Outcome(tuple(parts))
    failed = outcome.problems
    if failed and len(failed) == len(outcome.parts):
        alone = len(failed) == 1 and not outcome.parts[0].is_partial
        if alone or all(isinstance(one, NotFound) for one in failed):
            raise failed[0]
    return outcome


def not_offered(registration: Registration, names: Sequence[str]) -> Part:
    """Return the part of a source that holds something alone and does not offer the operation."""
    problem = NotOffered(
        f"the source of {registration.id} holds this, and does not offer the operation",
        fix="ask the source itself, or have its registration changed",
        registration=registration.id,
    )
    return Part(tuple(names), registration.id, problem)


def part_of_answer(
    registration: Registration, names: Sequence[str], answer: Answer, context: Context
) -> Part:
    """Return what became of a share that was forwarded; names in the answer are those of `context`."""
    given = tuple(names)
    if isinstance(answer, Reply) and answer.status == 207:
        return _multi_status(registration, given, answer.document, context)
    is_created = isinstance(answer, Reply) and answer.status == 201
    problem = problem_of(registration, answer)
    return Part(given, registration.id, problem, is_created=is_created)


def problem_of(registration: Registration, answer: Answer) -> Problem | None:
    """Return what is wrong with an answer, None when all was done."""
    facts = {"registration": registration.id}
    if isinstance(answer, Failure):
        text = f"{registration.id}: {answer.detail}"
        if answer.kind is Kind.LOOP:
            return LoopDetected(text, fix="have the registration changed", **facts)
        if answer.kind in _SILENT:
            return SourceSilent(text, fix="try again later", **facts)
        return SourceFailed(text, **facts)
    if answer.is_success:
        return None
    said = answer.document.get("detail") if isinstance(answer.document, dict) else None
    text = f"{registration.id} answered {answer.status}"
    if isinstance(said, str) and said:
        text = f"{text}: {said}"[:_LONGEST_REASON]
    return _OF_STATUS.get(answer.status, SourceFailed)(text, **facts)


def partly(registration: Registration, detail: str = NOT_SAID) -> Problem:
    """Return the problem of a source that did not do all of its share."""
    return SourceFailed(f"{registration.id}: {detail}", registration=registration.id)


def _multi_status(
    registration: Registration, names: tuple[str, ...], document: Any, context: Context
) -> Part:
    """Return the part of an answer 207 with an UpdateResult; anything else says nothing to rely on."""
    listed = document.get("notUpdated") if isinstance(document, dict) else None
    refused: list[tuple[str, str]] = []
    for one in listed if isinstance(listed, list) else ():
        name = one.get("attributeName") if isinstance(one, dict) else None
        if isinstance(name, str) and (iri := context.expand(name)) in names:
            refused.append((iri, str(one.get("reason", ""))[:_LONGEST_REASON]))
    if refused:
        return Part(names, registration.id, refused=tuple(refused))
    if names:
        return Part(names, registration.id, refused=tuple((one, NOT_SAID) for one in names))
    return Part(names, registration.id, partly(registration), is_partial=True)


def failed_of_batch(
    registration: Registration, ids: Sequence[str], answer: Answer
) -> dict[str, Problem]:
    """Return which entities of a batch a source did not take, and why (clause 5.2.16)."""
    if not (isinstance(answer, Reply) and answer.status == 207):
        problem = problem_of(registration, answer)
        return {} if problem is None else dict.fromkeys(ids, problem)
    document = answer.document if isinstance(answer.document, dict) else {}
    errors = document.get("errors")
    failed: dict[str, Problem] = {}
    for one in errors if isinstance(errors, list) else ():
        entity_id = one.get("entityId") if isinstance(one, dict) else None
        if isinstance(entity_id, str) and entity_id in ids:
            failed[entity_id] = problem_of(registration, _reply_of(one)) or partly(registration)
    done = document.get("success")
    if not failed and not isinstance(done, list):
        return dict.fromkeys(ids, partly(registration))
    if isinstance(done, list):
        # What is in neither list was not said to be done.
        said = {one for one in done if isinstance(one, str)} | failed.keys()
        failed |= {one: partly(registration) for one in ids if one not in said}
    return failed


def _reply_of(error: dict[str, Any]) -> Reply:
    problem = error.get("error")
    status = problem.get("status") if isinstance(problem, dict) else None
    return Reply(status if isinstance(status, int) and status >= 400 else 502, {}, problem)
