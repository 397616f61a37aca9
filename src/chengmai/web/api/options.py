"""`options` and `format`: in which representation an answer comes (clause 6.3.7), and how a write is done."""

from __future__ import annotations

from typing import Any

from chengmai.web.api.http import InvalidRequest, Request

_FORMS = {
    "normalized": "normalized",
    "concise": "concise",
    "keyValues": "simplified",
    "simplified": "simplified",
}


def options(request: Request) -> set[str]:
    """Return the `options` of a request as a set."""
    return set(request.names("options"))


def form(request: Request) -> Any:
    """Return the representation asked for: normalized, concise or simplified (clause 6.3.7)."""
    if "options" not in request.query and "format" not in request.query:
        return "normalized"
    asked = request.query.get("format") or next((o for o in _FORMS if o in options(request)), None)
    if asked is None:
        return "normalized"
    if asked not in _FORMS:
        raise InvalidRequest(
            f"format={asked!r} is not known",
            param="format",
            fix="use normalized, concise or simplified",
        )
    return _FORMS[asked]


def checked_view_options(request: Request, *more: str) -> None:
    """Raise `InvalidRequest` when `options` names what no answer can be (clause 6.3.7)."""
    form(request)
    if "options" not in request.query:
        return
    if unknown := sorted(options(request) - {*_FORMS, "sysAttrs", *more}):
        raise InvalidRequest(
            f"options={unknown[0]!r:.60} is not known",
            param="options",
            fix="use normalized, concise, simplified or sysAttrs",
        )


def checked_options(request: Request, *known: str) -> set[str]:
    """Return the `options` of a write; raises `InvalidRequest` when one is not known (clause 6.3.2)."""
    given = options(request)
    if unknown := sorted(given - set(known)):
        raise InvalidRequest(
            f"options={unknown[0]!r:.60} is not known here",
            param="options",
            fix="use " + ", ".join(known),
        )
    return given


def wants_sys_attrs(request: Request) -> bool:
    """Return whether system attributes are asked for."""
    return "sysAttrs" in options(request)
