"""Puts the screens together into one ASGI application."""

from __future__ import annotations

import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chengmai.web.cockpit import live
from chengmai.web.cockpit.assess import routes as assess
from chengmai.web.cockpit.assets import Assets, read_assets
from chengmai.web.cockpit.audit import routes as audit
from chengmai.web.cockpit.cases import routes as cases
from chengmai.web.cockpit.desk import routes as desk_routes
from chengmai.web.cockpit.domains import routes as domains
from chengmai.web.cockpit.feeds import routes as feeds
from chengmai.web.cockpit.forecasts import routes as forecasts
from chengmai.web.cockpit.guard import Guard
from chengmai.web.cockpit.help import routes as help_
from chengmai.web.cockpit.incidents import routes as incidents
from chengmai.web.cockpit.lookback import routes as lookback
from chengmai.web.cockpit.pools import routes as pools
from chengmai.web.cockpit.ports import Accounts, Desk, LiveFeed
from chengmai.web.cockpit.reviewing import Reviewing
from chengmai.web.cockpit.rules import routes as rules
from chengmai.web.cockpit.screens import Screen, route
from chengmai.web.cockpit.search import routes as search
from chengmai.web.cockpit.signin import routes as signin
from chengmai.web.cockpit.survey import routes as survey
from chengmai.web.cockpit.svg.citymap import shape
from chengmai.web.cockpit.svg.draw import element
from chengmai.web.cockpit.texts import read_words
from chengmai.web.cockpit.thresholds import routes as thresholds
from chengmai.web.cockpit.visit import CockpitSettings, Parts, link
from chengmai.web.cockpit.vitals import routes as vitals

WEB = Path(__file__).parent.parent
MODULES = {
    "htmx": "vendor/htmx.mjs",
    "uplot": "vendor/uplot.mjs",
    "maplibre-gl": "vendor/maplibre/maplibre-gl.mjs",
}


def all_screens() -> tuple[Screen, ...]:
    """Return every screen in the order of matching; the last one takes whatever is left."""
    return (
        *desk_routes.SCREENS,
        *assess.SCREENS,
        *vitals.SCREENS,
        *lookback.SCREENS,
        *domains.SCREENS,
        *forecasts.SCREENS,
        *thresholds.SCREENS,
        *pools.SCREENS,
        *cases.SCREENS,
        *incidents.SCREENS,
        *feeds.SCREENS,
        *rules.SCREENS,
        *search.SCREENS,
        *audit.SCREENS,
        *survey.SCREENS,
        *signin.SCREENS,
        *live.SCREENS,
        *help_.SCREENS,
    )


def build_cockpit(
    desk: Desk,
    accounts: Accounts,
    live_feed: LiveFeed,
    settings: CockpitSettings,
    *,
    reviewing: Reviewing | None = None,
    strict_texts: bool = False,
    static: Path = WEB / "static",
) -> Starlette:
    """Return the application; mount it last, since it answers every address that is left.

    Reads catalogs, templates and static files once. `strict_texts` makes a missing word a failure (tests).
    """
    assets = read_assets(static)
    parts = Parts(
        desk=desk,
        accounts=accounts,
        live=live_feed,
        settings=settings,
        assets=assets,
        words=read_words(WEB / "catalogs", strict=strict_texts),
        templates=_templates(assets),
        reviewing=reviewing,
    )

    async def static_file(request: Request) -> Response:
        return assets.answer(request)

    return Starlette(
        routes=[
            Route("/static/{digest}/{path:path}", static_file),
            *(route(screen, parts) for screen in all_screens()),
        ],
        middleware=[Middleware(Guard), Middleware(GZipMiddleware, minimum_size=1000)],
    )


def _templates(assets: Assets) -> Environment:
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(link=link, level_mark=level_mark, import_map=_import_map(assets))
    return found


def level_mark(level: str) -> Markup:
    """Return the shape of a level as a small picture; its word always stands beside it."""
    known = {"act": "act", "watch": "watch", "unknown": "unknown"}.get(level, "normal")
    drawn = shape(known, 8.0, 8.0, 6.5)  # type: ignore[arg-type]
    return element(
        "svg",
        drawn,
        class_="level-mark",
        viewBox="0 0 16 16",
        width=16,
        height=16,
        aria_hidden="true",
        focusable="false",
    )


def _import_map(assets: Assets) -> Markup:
    imports = {name: assets.url(path) for name, path in MODULES.items() if path in assets.files}
    own = [path for path in assets.files if path.endswith(".mjs") and "/" not in path]
    imports |= {f"chengmai/{path.removesuffix('.mjs')}": assets.url(path) for path in own}
    return Markup(json.dumps({"imports": imports}))  # noqa: S704  hashes and our own file names
