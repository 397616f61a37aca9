"""The bytes of a request, read strictly: what two readers could read differently is refused (RFC 8259, 4).

A member that stands twice in an object, a parameter given twice, text that is no UTF-8: each would lose a
part of what the client meant, and nobody would say so.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson

from chengmai.kernel.problems import Invalid

MOST_PARAMETERS = 100


class InvalidRequest(Invalid):
    """The request itself is wrong, whatever it is about (ETSI type InvalidRequest)."""

    code = "request.invalid"


def document_of(body: bytes) -> Any:
    """Return the parsed JSON; raises `InvalidRequest` where and why it is none, or what stands twice."""
    if not body:
        raise InvalidRequest("the body is empty", param="body", fix="send a JSON document")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(
            f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            param="body",
            fix="send JSON in UTF-8 (RFC 8259)",
        ) from None
    if (twice := _member_given_twice(body, document)) is not None:
        raise InvalidRequest(
            f"the member {twice!r:.60} stands twice in one object",
            param=twice[:60],
            fix="leave one of them out",
        )
    return document


def parameters_of(raw_query: str) -> dict[str, str]:
    """Return the parameters by name; raises `InvalidRequest` on what is not UTF-8 or stands twice."""
    if not raw_query:
        return {}
    try:
        pairs = parse_qsl(
            raw_query,
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except UnicodeDecodeError:
        raise InvalidRequest(
            "a parameter is not UTF-8", param="query", fix="percent-encode UTF-8 (RFC 3986, 2.5)"
        ) from None
    except ValueError:
        raise InvalidRequest(
            f"there are more than {MOST_PARAMETERS} parameters", param="query", fix="send fewer"
        ) from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidRequest(
                f"the parameter {name!r:.60} is given twice",
                param=name[:60],
                fix="join the values by commas, or leave one out",
            )
        if "\0" in name or "\0" in value:
            raise InvalidRequest(
                f"the parameter {name!r:.60} holds a null character",
                param=name[:60],
                fix="leave the %00 out",
            )
        found[name] = value
    return found


def parts_of(path: str) -> list[str]:
    """Return the parts of a path, decoded; raises `InvalidRequest` on what is not UTF-8."""
    if "%" not in path and "\0" not in path:
        return path.strip("/").split("/")
    try:
        parts = [unquote(part, errors="strict") for part in path.strip("/").split("/")]
    except UnicodeDecodeError:
        raise InvalidRequest(
            "the path is not UTF-8", param="path", fix="percent-encode UTF-8 (RFC 3986, 2.5)"
        ) from None
    if any("\0" in part for part in parts):
        raise InvalidRequest(
            "the path holds a null character", param="path", fix="leave the %00 out"
        )
    return parts


def _member_given_twice(body: bytes, document: Any) -> str | None:
    # A member that was given twice is written once. Only where the counts differ is the text read again.
    if not isinstance(document, dict | list):
        return None
    try:
        if orjson.dumps(document).count(b'":') == body.count(b'":'):
            return None
    except orjson.JSONEncodeError:  # deeper than any body may be: refused for that
        return None
    twice: list[str] = []

    def seen(pairs: list[tuple[str, Any]]) -> None:
        names: set[str] = set()
        for name, _ in pairs:
            if name in names:
                twice.append(name)
            names.add(name)

    json.loads(body, object_pairs_hook=seen)
    return twice[0] if twice else None
