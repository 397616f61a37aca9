"""One request as a screen sees it: who looks, in which language, and how to answer."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from chengmai.kernel.actors import Actor
from chengmai.kernel.problems import NotFound, Unauthenticated
from chengmai.kernel.texts import LANGS, Lang
from chengmai.web.cockpit import csrf
from chengmai.web.cockpit.access import SECTIONS, place_of, rail_of
from chengmai.web.cockpit.assets import Assets
from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.ports import Accounts, Desk, LiveFeed
from chengmai.web.cockpit.reviewing import Reviewing
from chengmai.web.cockpit.texts import Words, best_language
from chengmai.web.cockpit.views import CityBanner

THEMES = ("system", "light", "dark")
LANG_COOKIE, THEME_COOKIE = "chengmai_lang", "chengmai_theme"
YEAR_S = 365 * 86400


@dataclass(frozen=True)
class CockpitSettings:
    """`secret` signs form tokens: at least 32 random bytes, the same after a restart.

    `secure_cookies` is for every address but loopback: cookies then travel over TLS only. `report_font` is
    embedded in reports on paper.
    """

    secret: bytes
    secure_cookies: bool = False
    report_font: Path | None = None

    @property
    def session_cookie(self) -> str:
        return "__Host-chengmai_session" if self.secure_cookies else "chengmai_session"

    @property
    def browser_cookie(self) -> str:
        return "__Host-chengmai_browser" if self.secure_cookies else "chengmai_browser"


@dataclass(frozen=True)
class Parts:
    """Everything the screens are made of; built once."""

    desk: Desk
    accounts: Accounts
    live: LiveFeed
    settings: CockpitSettings
    assets: Assets
    words: Mapping[Lang, Words]
    templates: Environment
    reviewing: Reviewing | None = None

    @property
    def looking_back(self) -> Reviewing:
        """Who looks back; raises `NotFound` where nobody does."""
        if self.reviewing is None:
            raise NotFound(
                "this city does not look back",
                code="page.no_look_back",
                fix="open the list of vital signs",
            )
        return self.reviewing


@dataclass
class Visit:
    """One request. `form` holds the posted fields once they were read and found genuine; `heard` is
    the newest news when it came in: what the page reads is at least that new.
    """

    request: Request
    parts: Parts
    viewer: Actor | None
    session: str
    browser: str
    form: dict[str, str] = field(default_factory=dict)
    heard: str = ""

    @property
    def desk(self) -> Desk:
        return self.parts.desk

    @property
    def actor(self) -> Actor:
        """The signed-in actor; raises `Unauthenticated` on a page that is open to all."""
        if self.viewer is None:
            raise Unauthenticated("nobody is signed in", code="session.ended", fix="sign in")
        return self.viewer

    @cached_property
    def words(self) -> Words:
        chosen = self.request.cookies.get(LANG_COOKIE)
        return self.parts.words[best_language(chosen, self.request.headers.get("accept-language"))]

    @property
    def theme(self) -> str:
        chosen = self.request.cookies.get(THEME_COOKIE)
        return chosen if chosen in THEMES else "system"

    @cached_property
    def banner(self) -> CityBanner:
        return self.parts.desk.banner()

    @cached_property
    def formats(self) -> Formats:
        return Formats(self.words, ZoneInfo(self.banner.zone), self.banner.now)

    def param(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])

    def asked(self, name: str, *, at_most: int = 200) -> str:
        """Return a query parameter, trimmed and cut, or an empty text."""
        return self.request.query_params.get(name, "").strip()[:at_most]

    def first(self) -> int:
        """Return the index at which a page of a list begins, as its links say; 0 for anything else."""
        said = self.asked("first", at_most=6)
        return int(said) if said.isascii() and said.isdigit() else 0

    def page(self, template: str, status: int = 200, **context: Any) -> Response:
        """Return a rendered page or fragment."""
        return HTMLResponse(self.render(template, **context), status)

    def render(self, template: str, **context: Any) -> str:
        """Return the template rendered with `context` and what every template may use."""
        state = self.request.state
        return self.parts.templates.get_template(template).render(
            **context,
            visit=self,
            actor=self.viewer,
            t=self.words,
            f=self.formats,
            lang=self.words.lang,
            other_lang=next(lang for lang in LANGS if lang != self.words.lang),
            theme=self.theme,
            banner=self.banner,
            rail=rail_of(self.viewer),
            place=place_of(self.request.url.path),
            sections=SECTIONS,
            asset=self.parts.assets.url,
            has_vendor=self.parts.assets.has_vendor,
            nonce=state.nonce,
            request_id=state.request_id,
            csrf=self.csrf_token,
            new_key=lambda: secrets.token_urlsafe(16),
            here=here(self.request),
        )

    def csrf_token(self) -> str:
        """Return a fresh form token for this browser and session."""
        return csrf.make_token(self.parts.settings.secret, self.browser, self.session)

    def redirect(self, path: str) -> Response:
        """Answer a form: go and get `path` (303, so that reloading posts nothing twice)."""
        return RedirectResponse(path, 303)


def here(request: Request) -> str:
    """Return path and query of the request, to come back to."""
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


def local_path(text: str, otherwise: str = "/") -> str:
    """Return `text` when it is a path on this host, else `otherwise`: no open redirect."""
    plain = text.isprintable() and "\\" not in text
    return text if plain and text.startswith("/") and not text.startswith("//") else otherwise


def link(*parts: str) -> str:
    """Return `/a/b/c` with each part quoted; colons stay readable."""
    return "/" + "/".join(quote(part, safe=":") for part in parts)
