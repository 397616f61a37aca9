"""Zip files from outside: bounded before and while they are unpacked."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from chengmai.connect.formats.ports import Broken

_PIECE = 256 * 1024
_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError)


class Archive:
    """A zip whose members together hold at most `most` bytes; raises `Broken` when they hold more.

    Members are found by the last part of their name, as some put the tables into a folder.
    """

    def __init__(self, path: Path, most: int) -> None:
        try:
            with zipfile.ZipFile(path) as archive:
                self._names = {
                    info.filename.rpartition("/")[2]: info.filename
                    for info in archive.infolist()
                    if not info.is_dir()
                }
                told = sum(info.file_size for info in archive.infolist())
        except _ERRORS as error:
            raise Broken(f"not a readable zip: {error}") from error
        if told > most:
            raise Broken(
                f"the zip unpacks to {told} bytes; at most {most} are read", code="too_large"
            )
        self._path = path
        self._left = most

    def names(self) -> list[str]:
        """Return the names of the members, without folders."""
        return sorted(self._names)

    def unpack(self, name: str, folder: Path) -> Path | None:
        """Return the member `name` as a file in `folder`, None when there is none; raises `Broken`."""
        if name not in self._names:
            return None
        path = folder / name
        try:
            with (
                zipfile.ZipFile(self._path) as archive,
                archive.open(self._names[name]) as member,
                path.open("wb") as file,
            ):
                while piece := member.read(_PIECE):
                    self._left -= len(piece)
                    if self._left < 0:
                        # A zip can lie about the size of its members.
                        raise Broken(f"{name} unpacks to more than is read", code="too_large")
                    file.write(piece)
        except _ERRORS as error:
            raise Broken(f"{name} in the zip cannot be unpacked: {error}") from error
        return path
