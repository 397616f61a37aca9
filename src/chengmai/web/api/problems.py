"""Problems become HTTP here and nowhere else: one status a branch, one ETSI type where the API is NGSI-LD.

Body: RFC 9457 with `code`, `param`, `fix` and `request_id` beside the members of the standard.
"""

from __future__ import annotations

from typing import Any

import structlog

from chengmai.broker.distribution.problems import (
    LoopDetected,
    NotOffered,
    SourceFailed,
    SourceSilent,
)
from chengmai.broker.problems import EntityExists, OutboxFull, SubscriptionExists
from chengmai.broker.registry.problems import RegistrationConflict
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
from chengmai.ngsild.problems import ContextNotAvailable, TooManyResults
from chengmai.store.problems import StoreBusy, StoreFull
from chengmai.trust.problems import TenantNotFound
from chengmai.web.api.http import (
    InvalidRequest,
    LengthRequired,
    MethodNotAllowed,
    NotAcceptable,
    Response,
    UnsupportedMediaType,
    json_response,
)

LONGEST_DETAIL = 1000
LONGEST_PARAM = 200
"""Characters: what was sent is quoted in a problem and never given back whole."""
_ETSI = "https://uri.etsi.org/ngsi-ld/errors/"
_WIDER = frozenset({"application/problem+json", "application/*", "*/*"})
_log = structlog.get_logger(__name__)

STATUS: tuple[tuple[type[Problem], int, str], ...] = (
    # More particular classes first: the first that fits counts.
    (LengthRequired, 411, "InvalidRequest"),
    (LoopDetected, 508, "LoopDetected"),
    (SourceSilent, 504, "InternalError"),
    (SourceFailed, 502, "InternalError"),
    (NotOffered, 409, "Conflict"),
    (NotAcceptable, 406, "InvalidRequest"),
    (UnsupportedMediaType, 415, "InvalidRequest"),
    (MethodNotAllowed, 405, "OperationNotSupported"),
    (ContextNotAvailable, 504, "LdContextNotAvailable"),
    (StoreBusy, 429, "InternalError"),
    (OutboxFull, 429, "InternalError"),
    (StoreFull, 507, "InternalError"),
    (EntityExists, 409, "AlreadyExists"),
    (SubscriptionExists, 409, "AlreadyExists"),
    (RegistrationConflict, 409, "Conflict"),
    (InvalidRequest, 400, "InvalidRequest"),
    (Invalid, 400, "BadRequestData"),
    (TenantNotFound, 404, "NonexistentTenant"),
    (NotFound, 404, "ResourceNotFound"),
    (Conflict, 409, "AlreadyExists"),
    (Unauthenticated, 401, "InvalidRequest"),
    (Forbidden, 403, "InvalidRequest"),
    (NotSupported, 422, "OperationNotSupported"),
    (TooManyResults, 403, "TooManyResults"),
    (TooLarge, 413, "InvalidRequest"),
    (Unavailable, 503, "InternalError"),
    (Problem, 500, "InternalError"),
)
"""Branch of the problem tree, HTTP status, ETSI problem type (GS CIM 009 V1.9.1, table 6.3.2-1)."""


def status_of(problem: Problem) -> tuple[int, str]:
    """Return (HTTP status, name of the ETSI problem type)."""
    return next((status, name) for kind, status, name in STATUS if isinstance(problem, kind))


def problem_body(problem: Problem, request_id: str = "") -> dict[str, Any]:
    """Return the RFC 9457 body of a problem."""
    status, name = status_of(problem)
    body: dict[str, Any] = {
        "type": _ETSI + name,
        "title": problem.title,
        "status": status,
        "detail": problem.detail[:LONGEST_DETAIL],
        "code": problem.code,
    }
    if problem.param:
        body["param"] = problem.param[:LONGEST_PARAM]
    if problem.fix:
        body["fix"] = problem.fix
    if request_id:
        body["request_id"] = request_id
    return body


def problem_response(problem: Problem, request_id: str = "") -> Response:
    """Return the answer for a problem."""
    if isinstance(problem, LengthRequired):
        return Response(411)  # "just" the status, without a body (clause 6.3.4)
    body = problem_body(problem, request_id)
    response = json_response(body, status=body["status"], content_type="application/problem+json")
    if isinstance(problem, Unavailable):
        response.header("Retry-After", str(problem.retry_after_s))
    if isinstance(problem, MethodNotAllowed):
        response.header("Allow", ", ".join(problem.allowed))
    if isinstance(problem, Unauthenticated):
        response.header("WWW-Authenticate", 'Bearer realm="chengmai"')
    return response


def as_accepted(response: Response, accept: str) -> Response:
    """Return a problem, as plain JSON to who accepts that and nothing wider (RFC 9110, 12.5.1)."""
    ranges = {part.partition(";")[0].strip() for part in accept.split(",")}
    if "application/json" in ranges and not ranges & _WIDER:
        response.headers = [
            (name, "application/json" if name == "Content-Type" else value)
            for name, value in response.headers
        ]
    return response


def failure_response(error: Exception, request_id: str) -> Response:
    """Return the answer for an error nobody expected; only these are logged with a trace."""
    _log.exception("request.failed", request_id=request_id, exc_info=error)
    return problem_response(
        Problem("an error of ours; the log has it under this request id", code="internal"),
        request_id,
    )
