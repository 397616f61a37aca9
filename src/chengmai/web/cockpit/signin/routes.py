"""Addresses of sign-in, sign-out and preferences: the only ones open to everybody."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from chengmai.kernel.problems import Problem
from chengmai.kernel.texts import LANGS
from chengmai.web.cockpit.access import SIGNED_IN, home_of
from chengmai.web.cockpit.errors import describe
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.visit import (
    LANG_COOKIE,
    THEME_COOKIE,
    THEMES,
    YEAR_S,
    Visit,
    local_path,
)


async def show(visit: Visit) -> Response:
    if visit.viewer is not None:
        return RedirectResponse(home_of(visit.viewer), 303)
    return visit.page("signin/page.html", name="", back=local_path(visit.asked("next")), wrong=None)


async def sign_in(visit: Visit) -> Response:
    """Begin a session; the answer to a wrong name and to a wrong password is the same."""
    name, back = visit.form.get("name", "").strip()[:120], local_path(visit.form.get("next", ""))
    peer = visit.request.client
    try:
        session = await visit.parts.accounts.sign_in(
            name, visit.form.get("password", "")[:1024], peer.host if peer else ""
        )
    except Problem as problem:
        wrong = describe(problem, visit.words)
        return visit.page("signin/page.html", wrong.status, name=name, back=back, wrong=wrong)
    response = visit.redirect(back if back != "/" else home_of(session.actor))
    settings = visit.parts.settings
    response.set_cookie(
        settings.session_cookie,
        session.token,
        # The clock of the browser may be wrong: it is told how long, and not until when.
        max_age=round(session.lasts.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=settings.secure_cookies,
    )
    return response


async def sign_out(visit: Visit) -> Response:
    settings = visit.parts.settings
    await visit.parts.accounts.sign_out(visit.session)
    response = visit.redirect("/sign-in")
    response.delete_cookie(
        settings.session_cookie, httponly=True, samesite="lax", secure=settings.secure_cookies
    )
    return response


async def prefer(visit: Visit) -> Response:
    """Keep language and appearance in cookies and go back."""
    response = visit.redirect(local_path(visit.form.get("next", "")))
    chosen = {
        LANG_COOKIE: (visit.form.get("lang"), LANGS),
        THEME_COOKIE: (visit.form.get("theme"), THEMES),
    }
    for cookie, (value, allowed) in chosen.items():
        if value in allowed:
            response.set_cookie(
                cookie,
                value,
                max_age=YEAR_S,
                httponly=True,
                samesite="lax",
                secure=visit.parts.settings.secure_cookies,
            )
    return response


SCREENS = (
    Screen("/sign-in", show, None),
    Screen("/sign-in", sign_in, None, methods=("POST",)),
    Screen("/sign-out", sign_out, SIGNED_IN, methods=("POST",)),
    Screen("/preferences", prefer, None, methods=("POST",)),
)
