"""Links to the next and the previous page (clause 6.3.10)."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from chengmai.broker.model import EntityQuery
from chengmai.web.api.http import Request


def page_links(
    request: Request, query: EntityQuery, *, more: bool, media: str = "application/json"
) -> list[tuple[str, str]]:
    """Return Link headers to the next and previous page, which come as `media` too (clause 6.3.10)."""
    asked = sorted({**request.query, "offset": ""}.items())
    return _page_links(request, query, asked, media, more=more)


def list_links(request: Request, query: EntityQuery, *, more: bool) -> list[tuple[str, str]]:
    """Return Link headers to the next and previous page of a list of subscriptions or registrations.

    Its parameters stand as they were asked, and what it leads to is called JSON-LD, whatever was accepted.
    """
    asked = list({**request.query, "offset": ""}.items())
    return _page_links(request, query, asked, "application/ld+json", more=more)


def _page_links(
    request: Request,
    query: EntityQuery,
    asked: list[tuple[str, str]],
    media: str,
    *,
    more: bool,
) -> list[tuple[str, str]]:
    links = []
    for relation, offset in (
        ("next", query.offset + query.limit),
        ("prev", query.offset - query.limit),
    ):
        wanted = more if relation == "next" else query.offset > 0
        if wanted and query.limit:
            at = str(max(offset, 0))
            parameters = [(name, at if name == "offset" else value) for name, value in asked]
            target = urlencode(parameters, quote_via=quote, safe=":*,;/~!@$()")
            link = f'<{request.path.rstrip("/")}?{target}>; rel="{relation}"'
            links.append(("Link", f'{link}; type="{media}"'))
    return links
