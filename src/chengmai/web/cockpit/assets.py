"""Static files: read once, named by content, served for ever.

An address is `/static/<hash>/<path>`. With the right hash the answer may be kept for ever; with another
one (a relative import, an old page) the present file is served and must be asked for again.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
VENDOR_PROOF = "vendor/vendor.json"


@dataclass(frozen=True)
class Asset:
    """One static file in memory."""

    body: bytes
    kind: str

    @cached_property
    def digest(self) -> str:
        """The first 12 hexadecimal digits of its SHA-256."""
        return hashlib.sha256(self.body).hexdigest()[:12]

    @cached_property
    def packed(self) -> bytes:
        """The body, gzip-compressed (made on first use)."""
        return gzip.compress(self.body, 9, mtime=0)


@dataclass(frozen=True)
class Assets:
    """All static files by path, with `/` between the parts."""

    files: Mapping[str, Asset]

    @property
    def has_vendor(self) -> bool:
        """Whether the browser libraries were built (`npm ci && npm run build`)."""
        return VENDOR_PROOF in self.files

    def url(self, path: str) -> str:
        """Return the address of a file that exists; raises `KeyError` for one that does not."""
        return f"/static/{self.files[path].digest}/{path}"

    def answer(self, request: Request) -> Response:
        """Return the file that the path parameters `digest` and `path` name, or 404."""
        asset = self.files.get(request.path_params["path"])
        if asset is None:
            return Response("not found", 404, media_type="text/plain")
        right = request.path_params["digest"] == asset.digest
        headers = {
            "Cache-Control": FOREVER if right else ASK_AGAIN,
            "ETag": f'"{asset.digest}"',
            "Vary": "Accept-Encoding",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(None, 304, headers)
        if "gzip" in request.headers.get("accept-encoding", "") and len(asset.body) > 1000:
            headers["Content-Encoding"] = "gzip"
            return Response(asset.packed, 200, headers, media_type=asset.kind)
        return Response(asset.body, 200, headers, media_type=asset.kind)


def read_assets(folder: Path) -> Assets:
    """Return every file below `folder` whose kind is known; others are not served."""
    return Assets(
        {
            path.relative_to(folder).as_posix(): Asset(path.read_bytes(), _TYPES[path.suffix])
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix in _TYPES
        }
    )
