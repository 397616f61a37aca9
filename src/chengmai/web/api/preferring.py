"""The header Prefer: which edition of the standard the client understands (clauses 4.3.6.8 and 6.3.6)."""

from __future__ import annotations

import re

import orjson

from chengmai.ngsild.earlier import NATIVE, Version, amended
from chengmai.web.api.http import Request, Response

_VERSION = re.compile(r"\"?1\.(\d{1,2})(?:\.\d{1,2})?\"?")
_ENTITIES = ("entities", "entityOperations")


def preferred_version(header: str) -> Version | None:
    """Return the edition that a Prefer header names (RFC 7240), at most the one offered here; None for none."""
    for preference in header.split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "ngsi-ld":
            match = _VERSION.fullmatch(value.strip())
            return None if match is None else min((1, int(match.group(1))), NATIVE)
    return None


def as_preferred(request: Request, response: Response) -> Response:
    """Return an answer as the preferred edition knows it: 203 when entities had to be changed for it."""
    version = preferred_version(request.headers["prefer"])
    if version is None or response.status not in (200, 201, 206) or not response.body:
        return response
    response.header("Preference-Applied", f"ngsi-ld={version[0]}.{version[1]}")
    kind, over_time = request.resource
    if kind not in _ENTITIES or version >= NATIVE or request.method not in ("GET", "POST"):
        return response
    document = orjson.loads(response.body)
    if (made := amended(document, version, over_time=over_time)) != document:
        response.body = orjson.dumps(made)
        if response.status == 200:
            response.status = 203
    return response
