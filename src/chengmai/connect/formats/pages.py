"""Answers in pages: one after the other, each once, all within the limits of the feed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from chengmai.connect.formats.ports import Broken, Document, Get

NextOf = Callable[[Document, Any], str | None]
"""Returns the link to the next page of (document, its JSON); None after the last."""


def read_json(document: Document) -> Any:
    """Return the JSON of a document; raises `Broken`."""
    raw = document.path.read_bytes()
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        sample = raw[:200].decode("utf-8", "replace")
        raise Broken(f"not valid JSON: {error}", sample=sample) from error


async def pages(get: Get, address: str, next_of: NextOf, *, most: int) -> list[Document]:
    """Return all pages from `address` on; raises `Broken` when they go round or never end.

    Pages that were read are kept on disk; none is held in memory.
    """
    found: list[Document] = []
    seen: set[str] = set()
    here: str | None = address
    while here is not None:
        if here in seen:
            raise Broken("a page leads back to one that was read before", sample=here)
        if len(found) >= most:
            raise Broken(f"more than {most} pages", code="too_large")
        seen.add(here)
        document = await get(here)
        found.append(document)
        link = next_of(document, await asyncio.to_thread(read_json, document))
        here = get.beside(here, link) if link else None
    return found
