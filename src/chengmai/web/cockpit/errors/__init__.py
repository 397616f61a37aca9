"""Pages for what went wrong, in both languages, with the number of the request."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from chengmai.kernel.problems import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    NotSupported,
    Problem,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from chengmai.kernel.texts import Text
from chengmai.web.api.problems import status_of
from chengmai.web.cockpit.texts import Words
from chengmai.web.cockpit.visit import Visit

_BRANCHES: tuple[tuple[type[Problem], str], ...] = (
    (Invalid, "invalid"),
    (NotFound, "not_found"),
    (Conflict, "conflict"),
    (Forbidden, "forbidden"),
    (Unauthenticated, "unauthenticated"),
    (NotSupported, "not_supported"),
    (TooLarge, "too_large"),
    (Unavailable, "unavailable"),
)


@dataclass(frozen=True)
class ErrorView:
    """A problem as a page or a message shows it. `detail` is English where no translation exists."""

    status: int
    title: str
    advice: str
    detail: str
    fix: str


def describe(problem: Problem, words: Words) -> ErrorView:
    """Return status and words of a problem: its own sentence where the catalogs hold one."""
    branch = next((name for kind, name in _BRANCHES if isinstance(problem, kind)), "fault")
    own = f"problem.{problem.code}"
    translated = words.has(own)
    facts = {
        key: words.pick(one) if isinstance(one, Text) else one for key, one in problem.facts.items()
    }
    return ErrorView(
        status=status_of(problem)[0],
        title=words(own, **facts) if translated else words(f"error.{branch}.title"),
        advice=words(f"error.{branch}.advice"),
        detail="" if translated else problem.detail,
        fix="" if translated else problem.fix or "",
    )


def problem_page(visit: Visit, problem: Problem) -> Response:
    """Return the page for a problem; unavailable says when to come back."""
    view = describe(problem, visit.words)
    response = visit.page("errors/page.html", view.status, view=view)
    if isinstance(problem, Unavailable):
        response.headers["Retry-After"] = str(problem.retry_after_s)
    return response


def fault_page(visit: Visit) -> Response:
    """Return the page for a fault of ours; the number of the request leads to its log line."""
    words = visit.words
    view = ErrorView(500, words("error.fault.title"), words("error.fault.advice"), "", "")
    return visit.page("errors/page.html", 500, view=view)
