"""Fetches documents of feeds: to checked addresses or from the folder of feed files, bounded, onto disk."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx2

from chengmai.connect.formats.ports import Document
from chengmai.connect.outbound import checked_address, pinned
from chengmai.connect.problems import SourceFailed, SourceMissing
from chengmai.kernel.problems import Problem

_PIECE = 256 * 1024
_MOST_FILES = 2000


@dataclass(frozen=True)
class Reach:
    """Where feeds may fetch from: private addresses or not, and the folder of feed files."""

    private: bool = False
    folder: Path | None = None


@dataclass
class Fetcher:
    """Implements `formats.ports.Get` for one fetch of a feed; documents are put into `scratch`.

    Links are followed to the host of the first address only, and credentials go nowhere else. Redirects are
    not followed: a source could point anywhere inside our network.
    """

    client: httpx2.AsyncClient
    scratch: Path
    reach: Reach
    max_bytes: int
    timeout_s: float
    headers: Mapping[str, str] = field(default_factory=dict)
    count: int = 0

    async def __call__(self, address: str, *, most: int | None = None) -> Document:
        most = most or self.max_bytes
        try:
            # The timeout of the client is between two bytes; this one is for the whole answer.
            async with asyncio.timeout(2 * self.timeout_s):
                if is_url(address):
                    return await self._download(address, most)
                return await asyncio.to_thread(self._file, address, most)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as error:
            said = str(error) or type(error).__name__
            raise SourceFailed(
                f"{shown(address)}: {said}", fix="check the address and the server"
            ) from error

    def matching(self, address: str) -> list[str]:
        if is_url(address) or "*" not in address:
            return [address]
        if self.reach.folder is None:
            file_below(None, address)
        assert self.reach.folder is not None
        folder = self.reach.folder.resolve()
        found = sorted(
            str(path.relative_to(folder)) for path in folder.glob(address) if path.is_file()
        )
        if not found:
            raise SourceMissing(
                f"no file matches {address} below {folder}",
                param="source.address",
                fix="put the files there, or correct the address",
            )
        return found[:_MOST_FILES]

    def beside(self, address: str, link: str) -> str:
        if not is_url(address):
            # A system kept in files still names its documents by their addresses elsewhere.
            return str(Path(address).parent / urlsplit(link).path.rpartition("/")[2])
        there = urljoin(address, link)
        if _origin(there) != _origin(address):
            raise SourceFailed(
                f"{shown(address)} leads to {shown(there)}, which is another host",
                fix="a feed follows links to its own host only; give it the other address itself",
            )
        return there

    async def keep(self, address: str, content: bytes) -> Document:
        if len(content) > self.max_bytes:
            raise _too_large(address, self.max_bytes)
        self.count += 1
        path = self.scratch / f"{self.count}.json"
        await asyncio.to_thread(path.write_bytes, content)
        return Document(address, path, hashlib.sha256(content).hexdigest())

    async def host(self, host: str, port: int) -> str:
        try:
            return await checked_address(host, port, private=self.reach.private)
        except Problem as problem:
            raise SourceFailed(problem.detail, fix=problem.fix) from problem

    async def _download(self, address: str, most: int) -> Document:
        try:
            target, host = await pinned(address, private=self.reach.private)
        except Problem as problem:
            raise SourceFailed(f"{shown(address)}: {problem.detail}", fix=problem.fix) from problem
        # A few compressed bytes could become any number of them.
        headers = {**self.headers, "Host": host, "Accept-Encoding": "identity"}
        async with self.client.stream(
            "GET",
            target,
            headers=headers,
            extensions={"sni_hostname": urlsplit(address).hostname},
        ) as answer:
            if answer.status_code != 200:
                raise SourceFailed(
                    f"{shown(address)} answered {answer.status_code}",
                    fix="check the address and the credentials",
                )
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise SourceFailed(f"{shown(address)} sent something compressed, unasked")
            self.count += 1
            path = self.scratch / str(self.count) / _name(address)
            path.parent.mkdir()
            digest, size = hashlib.sha256(), 0
            with path.open("wb") as file:
                async for piece in answer.aiter_raw():
                    size += len(piece)
                    if size > most:
                        raise _too_large(address, most)
                    digest.update(piece)
                    file.write(piece)
        named = {name.lower(): value for name, value in answer.headers.items()}
        return Document(address, path, digest.hexdigest(), named)

    def _file(self, address: str, most: int) -> Document:
        path = file_below(self.reach.folder, address)
        if path.stat().st_size > most:
            raise _too_large(address, most)
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
        return Document(address, path, digest.hexdigest())


def _too_large(address: str, most: int) -> SourceFailed:
    return SourceFailed(
        f"{shown(address)} holds more than {most} bytes",
        fix="ask for less, or raise max_bytes of the feed",
    )


def is_url(address: str) -> bool:
    """Return whether an address is on the network, not a file."""
    return address.startswith(("http://", "https://"))


def shown(address: str) -> str:
    """Return an address as it may be shown: keys in its query or user part are left out."""
    if not is_url(address):
        return address
    parts = urlsplit(address)
    query = "?…" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{query}"


def file_below(folder: Path | None, address: str) -> Path:
    """Return the file of an address below the folder of feed files; raises `SourceMissing`."""
    if folder is None:
        raise SourceMissing(
            f"{address} is a file, and the city has no folder of feed files",
            param="source.address",
            fix="set CHENGMAI_FEED_FILES to the folder, or give an http(s) address",
        )
    path = (folder / address).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise SourceMissing(
            f"there is no file {address} below {folder}",
            param="source.address",
            fix="put the file there, or correct the address",
        )
    return path


def _name(address: str) -> str:
    """Return a safe name for the file of an address: its own where that is plain."""
    name = urlsplit(address).path.rpartition("/")[2]
    return name if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,100}", name) else "document"


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
