"""How a screen is declared and guarded.

A screen names its path, its handler and the roles that may open it; there is no way to add a page without
saying who may see it. `roles=None` opens it to everybody and is used by sign-in and preferences only.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qsl, quote

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from chengmai.kernel.problems import Forbidden, Invalid, Problem, TooLarge, Unauthenticated
from chengmai.web.cockpit import csrf
from chengmai.web.cockpit.access import Roles
from chengmai.web.cockpit.errors import fault_page, problem_page
from chengmai.web.cockpit.visit import YEAR_S, Parts, Visit, here

Handler: TypeAlias = Callable[[Visit], Awaitable[Response]]
MAX_FORM_BYTES = 64 * 1024
MAX_FIELDS = 40


@dataclass(frozen=True)
class Screen:
    """One address. `quiet` answers a signed-out visitor with 401 instead of the sign-in page."""

    path: str
    handler: Handler
    roles: Roles | None
    methods: tuple[str, ...] = ("GET",)
    quiet: bool = False


def route(screen: Screen, parts: Parts) -> Route:
    """Return the Starlette route of a screen."""

    async def endpoint(request: Request) -> Response:
        visit = await _begin(request, parts)
        try:
            response = await _guarded(screen, visit)
        except Problem as problem:
            response = problem_page(visit, problem)
        except Exception:
            structlog.get_logger().exception("screen failed", request_id=request.state.request_id)
            response = fault_page(visit)
        _remember_browser(visit, response)
        return response

    return Route(screen.path, endpoint, methods=list(screen.methods))


async def _begin(request: Request, parts: Parts) -> Visit:
    heard = parts.live.latest()
    session = request.cookies.get(parts.settings.session_cookie, "")
    browser = request.cookies.get(parts.settings.browser_cookie, "")
    actor = await parts.accounts.actor_of(session) if session else None
    return Visit(
        request,
        parts,
        actor,
        session if actor else "",
        browser or secrets.token_hex(16),
        heard=heard,
    )


async def _guarded(screen: Screen, visit: Visit) -> Response:
    if screen.roles is not None and visit.viewer is None:
        return _sign_in_first(screen, visit)
    if screen.roles is not None and visit.actor.roles.isdisjoint(screen.roles):
        raise Forbidden("this page is not part of your role", code="page.not_yours")
    if visit.request.method == "POST":
        visit.form = await _genuine_form(visit)
    return await screen.handler(visit)


def _sign_in_first(screen: Screen, visit: Visit) -> Response:
    if screen.quiet:
        return problem_page(
            visit,
            Unauthenticated("the session has ended", code="session.ended", fix="sign in again"),
        )
    if visit.request.method not in ("GET", "HEAD"):
        return RedirectResponse("/sign-in", 303)
    back = here(visit.request)
    return RedirectResponse("/sign-in" + (f"?next={quote(back)}" if back != "/" else ""), 303)


async def _genuine_form(visit: Visit) -> dict[str, str]:
    """Return the posted fields; raises `Forbidden` unless our own page in this session made the form."""
    fields = await read_form(visit.request)
    token = fields.pop(csrf.FIELD, "")
    genuine = csrf.is_valid(visit.parts.settings.secret, token, visit.browser, visit.session)
    if csrf.comes_from_elsewhere(visit.request) or not genuine:
        raise Forbidden(
            "this form was not made by this session",
            code="form.not_genuine",
            fix="open the page again and repeat the step",
        )
    return fields


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of an urlencoded form; raises `TooLarge` or `Invalid`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise TooLarge(
                f"the form is larger than {MAX_FORM_BYTES} bytes",
                code="form.too_large",
                fix="shorten the text",
            )
    try:
        return dict(
            parse_qsl(
                body.decode("utf-8"),
                keep_blank_values=True,
                max_num_fields=MAX_FIELDS,
                errors="strict",
            )
        )
    except ValueError as wrong:
        raise Invalid(
            "the form cannot be read", code="form.unreadable", fix="send it from the page"
        ) from wrong


def _remember_browser(visit: Visit, response: Response) -> None:
    settings = visit.parts.settings
    if visit.request.cookies.get(settings.browser_cookie) != visit.browser:
        response.set_cookie(
            settings.browser_cookie,
            visit.browser,
            max_age=YEAR_S,
            httponly=True,
            samesite="lax",
            secure=settings.secure_cookies,
        )
