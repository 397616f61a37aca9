"""What a format is: which documents it needs, and the records they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from chengmai.connect.reading import shorten
from chengmai.connect.tables import Fault

OBSERVED = "observed_at"
"""The column that every format adds: seconds since 1970 at which the record was true."""


@dataclass(frozen=True)
class Document:
    """What was fetched: a file on disk, where it came from, and the digest of its bytes."""

    address: str
    path: Path
    digest: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Get(Protocol):
    """Port: fetch one document of at most `most` bytes (left out: the feed's limit); raises `SourceFailed`."""

    async def __call__(self, address: str, /, *, most: int | None = None) -> Document: ...

    def matching(self, address: str, /) -> list[str]:
        """Return the files that a path with `*` names, in order; any other address as it is."""
        ...

    async def keep(self, address: str, content: bytes, /) -> Document:
        """Return what was read in another way as a document."""
        ...

    async def host(self, host: str, port: int, /) -> str:
        """Return the checked network address of a host; raises `SourceFailed` where the feed may not go."""
        ...

    def beside(self, address: str, link: str, /) -> str:
        """Return the address that `link` in the document at `address` names; only on the same host.

        Raises `SourceFailed` for a link that leads elsewhere: a document must not send us around.
        """
        ...


@dataclass(frozen=True)
class Item:
    """One record, or why there is none: `where` names its place in the document."""

    where: str
    record: Mapping[str, Any] | None
    fault: Fault | None = None


class Broken(Exception):
    """A document that cannot be read at all; counted once, and the feed goes on with the next one."""

    def __init__(self, detail: str, *, code: str = "bad_document", sample: str = "") -> None:
        super().__init__(detail)
        self.fault = Fault(code, detail, shorten(sample))


class Format(Protocol):
    """Port: one standard. `timed` says whether its records carry their own time of observation."""

    timed: bool

    async def gather(self, get: Get) -> Sequence[Document]:
        """Fetch what is needed; raises `SourceFailed`, or `Broken` when a document cannot be understood."""
        ...

    def items(self, documents: Sequence[Document], now: datetime) -> Iterator[Item]:
        """Yield the records, in bounded memory; raises `Broken`. Runs beside the event loop."""
        ...

    def close(self) -> None:
        """Let go of what is kept between two fetches."""
        ...


@runtime_checkable
class Resumed(Protocol):
    """Port: a format that goes on where it was after a restart; its state is a small JSON object."""

    def resume(self, state: Mapping[str, Any] | None) -> None:
        """Go on from what `state` gave before; None at the very first start."""
        ...

    def state(self) -> dict[str, Any]:
        """Return where to go on once everything handed over so far is committed."""
        ...


def fault(where: str, code: str, detail: str, sample: object = "") -> Item:
    """Return an item without a record."""
    return Item(where, None, Fault(code, detail, shorten(sample) if sample != "" else ""))
