"""Content negotiation and contexts of the NGSI-LD HTTP binding (GS CIM 009 V1.9.1, clause 6.3)."""

from __future__ import annotations

import re
from typing import Any

from chengmai.kernel.problems import Invalid
from chengmai.ngsild.contexts import CORE_URL, Context, ContextCompiler
from chengmai.web.api.http import (
    InvalidRequest,
    NotAcceptable,
    Request,
    Response,
    UnsupportedMediaType,
    json_response,
)

JSON = "application/json"
JSON_LD = "application/ld+json"
GEO_JSON = "application/geo+json"
MERGE_PATCH = "application/merge-patch+json"
_NEVER_SIMPLE = frozenset({"PATCH", "PUT"})
"""Methods that no page of another site can send unasked: a body without a type is read as JSON there."""
_REL = "http://www.w3.org/ns/json-ld#context"
_LINK = re.compile(r"<([^>]*)>\s*((?:;[^,]*)*)")


def accepted(request: Request, *, geo: bool = False) -> str:
    """Return the media type to answer with; raises `NotAcceptable`."""
    offered = [JSON, JSON_LD, GEO_JSON] if geo else [JSON, JSON_LD]
    header = request.headers.get("accept", "*/*")
    if header in ("*/*", JSON):
        return JSON
    ranges: dict[str, float] = {}
    for part in header.split(","):
        media, _, rest = part.strip().partition(";")
        ranges[media.strip()] = _quality(rest)
    best: tuple[float, int, str] | None = None
    for rank, offer in enumerate(offered):
        # The most particular range that fits decides about a type (RFC 9110, 12.5.1).
        fits = next((name for name in (offer, "application/*", "*/*") if name in ranges), None)
        quality = ranges[fits] if fits is not None else 0.0
        if quality > 0 and (best is None or (quality, -rank) > best[:2]):
            best = (quality, -rank, offer)
    if best is None:
        raise NotAcceptable(
            f"none of {header!r} can be given", param="Accept", fix=f"accept {JSON}"
        )
    return best[2]


def _quality(parameters: str) -> float:
    match = re.search(r"q=([0-9.]+)", parameters)
    try:
        return float(match.group(1)) if match else 1.0
    except ValueError:
        return 1.0


def link_context(request: Request) -> str | None:
    """Return the context URL of the Link header, or None; raises `InvalidRequest` when there are several."""
    if "link" not in request.headers:
        return None
    urls = [url for url, parameters in _LINK.findall(request.headers["link"]) if _REL in parameters]
    if len(urls) > 1:
        raise InvalidRequest("several contexts are linked", param="Link", fix="link one")
    return urls[0] if urls else None


def request_context(request: Request, contexts: ContextCompiler) -> Context:
    """Return the context of a request without a body."""
    return contexts.use(link_context(request))


def body_with_context(
    request: Request, contexts: ContextCompiler, *, merge_patch: bool = False
) -> tuple[Any, Context]:
    """Return the body, without its `@context`, and the context that holds for it."""
    media = _media(request)
    linked = link_context(request)
    if media == JSON_LD:
        if linked is not None:
            raise Invalid("a Link to a context does not go with application/ld+json", param="Link")
        return _own_context(request.json(), contexts)
    if media == JSON or (merge_patch and media == MERGE_PATCH):
        body = request.json()
        if isinstance(body, dict) and "@context" in body:
            raise Invalid(
                "@context is in the body of application/json",
                param="@context",
                fix="send application/ld+json, or put the context into a Link header",
            )
        return body, contexts.use(linked)
    raise UnsupportedMediaType(
        f"content type {media!r} is not taken",
        param="Content-Type",
        fix=f"send {JSON} or {JSON_LD}"
        + ("; GeoJSON is a form of answers" if media == GEO_JSON else ""),
    )


def _media(request: Request) -> str:
    given = request.headers.get("content-type")
    if given is None and request.method in _NEVER_SIMPLE:
        return JSON
    return (given or "").partition(";")[0].strip().lower()


def _own_context(body: Any, contexts: ContextCompiler) -> tuple[Any, Context]:
    if isinstance(body, dict):
        if "@context" not in body:
            raise Invalid("@context is missing", param="@context", fix=f"add it, or send {JSON}")
        rest = {key: value for key, value in body.items() if key != "@context"}
        return rest, contexts.use(body["@context"])
    return body, contexts.use(None)


def entity_response(document: Any, context: Context, media: str, *, status: int = 200) -> Response:
    """Return entities in the media type asked for, with their context in the body or in a Link."""
    if media == JSON:
        return json_response(document, status=status).header("Link", context_link(context))
    if isinstance(document, list):
        document = [{**one, "@context": context.echo} for one in document]
    else:
        document = {**document, "@context": context.echo}
    return json_response(document, status=status, content_type=media)


def written_response(parts: list[bytes], context: Context, media: str, *, single: bool) -> Response:
    """Return what `entity_response` does, of entities as JSON (for JSON-LD with their context)."""
    body = parts[0] if single else b"[" + b",".join(parts) + b"]"
    response = Response(200, body, [("Content-Type", media)])
    return response.header("Link", context_link(context)) if media == JSON else response


def wants_context_in_body(request: Request) -> bool:
    """Return whether a GeoJSON answer carries its context (clause 6.3.6: `Prefer: body=json` says no)."""
    preferred = request.headers.get("prefer", "").replace(" ", "").lower().split(",")
    return not any(part.partition(";")[0] == "body=json" for part in preferred)


def context_link(context: Context) -> str:
    """Return the Link header value that names a context."""
    return f'<{context.url or CORE_URL}>; rel="{_REL}"; type="application/ld+json"'
