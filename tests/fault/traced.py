"""What a program did to its files, in order: read from strace, and played up to any moment of it.

A power cut leaves on the disk what was synced, and of what was written since any part: whole writes may be
missing while later ones are there, and one may be torn between two sectors. `image` gives such a disk.
Names of files (made, renamed, removed) are taken to be on disk at once and in order, as journalling file
systems keep them; the contents are not.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
_CALLS = "openat,write,pwrite64,ftruncate,fsync,fdatasync,unlink,unlinkat,rename,renameat,renameat2"
_BEGUN = re.compile(r"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
_ENDED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")
_WHOLE = re.compile(r"^(\d+) +(\w+)\((.*)$")
_RESULT = re.compile(r"\) += ([^\"]*)$")
_HANDLE = re.compile(r"^(?:\d+|AT_FDCWD)<([^>]*)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True)
class Event:
    """One thing done to a file below the folder, or a note of an answer (`kind` "note", in `data`).

    `begun` is how many events had ended when a sync began: only those are certain to be on disk by it.
    """

    kind: str
    path: str
    offset: int = 0
    data: bytes = b""
    to: str = ""
    begun: int = 0


@dataclass
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, Event]] = field(default_factory=list)


def trace(arguments: Sequence[str], log: Path) -> None:
    """Run a Python program under strace to its end; raises `CalledProcessError` when either fails."""
    options = [
        "-f",
        "-y",
        "-xx",
        "-qq",
        "-s",
        "20000000",
        "-e",
        f"trace={_CALLS}",
        "-e",
        "signal=none",
    ]
    command = ["strace", *options, "-o", str(log), sys.executable, *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=300)


def events(log: Path, folder: Path, notes: Path) -> list[Event]:
    """Return what was done below `folder` and noted in `notes`, in the order in which it ended."""
    found: list[Event] = []
    open_calls: dict[tuple[str, str], tuple[str, int]] = {}
    with log.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            line = line.rstrip("\n")
            begun = len(found)
            if match := _BEGUN.match(line):
                open_calls[match[1], match[2]] = (match[3], begun)
                continue
            if match := _ENDED.match(line):
                head, begun = open_calls.pop((match[1], match[2]), ("", begun))
                name, rest = match[2], head + match[3]
            elif match := _WHOLE.match(line):
                name, rest = match[2], match[3]
            else:
                continue
            found += _event(name, rest, f"{folder}/", str(notes), begun)
    return found


def _event(name: str, rest: str, folder: str, notes: str, begun: int) -> Iterator[Event]:
    answered = _RESULT.search(rest)
    if answered is None or answered[1].startswith(("-1", "?")):
        return
    arguments, result = rest[: answered.start()], answered[1]
    handle, texts = _HANDLE.match(arguments), [_decoded(text) for text in _TEXT.findall(arguments)]
    path = _unescaped(handle[1]) if handle else ""
    if name in ("rename", "renameat", "renameat2") and texts[0].decode().startswith(folder):
        yield Event("rename", texts[0].decode(), to=texts[-1].decode())
    elif name in ("unlink", "unlinkat") and texts[0].decode().startswith(folder):
        yield Event("unlink", texts[0].decode())
    elif name == "openat" and texts[0].decode().startswith(folder):
        if "O_TRUNC" in arguments or "O_CREAT" in arguments:
            yield Event("truncate" if "O_TRUNC" in arguments else "make", texts[0].decode())
    elif path == notes and name == "write":
        yield Event("note", path, data=texts[0])
    elif not path.startswith(folder):
        return
    elif name == "write":
        yield Event("append", path, data=texts[0])
    elif name == "pwrite64":
        offset = int(arguments.rpartition(", ")[2])
        yield Event("write", path, offset, texts[0][: int(result.split()[0])])
    elif name == "ftruncate":
        yield Event("truncate", path, int(arguments.rpartition(", ")[2]))
    elif name in ("fsync", "fdatasync"):
        yield Event("sync", path, begun=begun)


def _decoded(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _unescaped(path: str) -> str:
    return _decoded(path).decode() if path.startswith("\\x") else path


def image(done: Sequence[Event], luck: random.Random) -> dict[str, bytes]:
    """Return the files (path → bytes) that a power cut after these events may leave."""
    return {path: bytes(_cut(file, luck)) for path, file in _files(done).items()}


def whole(done: Sequence[Event]) -> dict[str, bytes]:
    """Return the files as the program itself left them: what the trace must agree with."""
    files = _files(done)
    for file in files.values():
        for _, change in file.pending:
            _write(file.durable, change)
    return {path: bytes(file.durable) for path, file in files.items()}


def _files(done: Sequence[Event]) -> dict[str, _File]:
    files: dict[str, _File] = {}
    for number, event in enumerate(done):
        if event.kind == "note":
            continue
        if event.kind == "unlink":
            files.pop(event.path, None)
        elif event.kind == "rename":
            if event.path in files:
                files[event.to] = files.pop(event.path)
        else:
            _apply(files.setdefault(event.path, _File()), number, event)
    return files


def _apply(file: _File, number: int, event: Event) -> None:
    if event.kind == "sync":
        for at, change in file.pending:
            if at < event.begun:
                _write(file.durable, change)
        file.pending = [one for one in file.pending if one[0] >= event.begun]
    elif event.kind != "make":
        file.pending.append((number, event))


def _cut(file: _File, luck: random.Random) -> bytearray:
    content = bytearray(file.durable)
    # A cut may come before the disk wrote anything of it, after it wrote all, or anywhere between.
    kept = luck.choice((0.0, 0.5, 0.9, 1.0))
    for _, change in file.pending:
        if luck.random() < kept:
            _write(content, _torn(change, luck) if luck.random() < 0.2 else change)
    return content


def _torn(change: Event, luck: random.Random) -> Event:
    sectors = len(change.data) // SECTOR
    if change.kind == "truncate" or not sectors:
        return change
    left = change.data[: luck.randrange(sectors + 1) * SECTOR]
    return Event(change.kind, change.path, change.offset, left)


def _write(content: bytearray, change: Event) -> None:
    if change.kind == "truncate":
        del content[change.offset :]
        content.extend(b"\0" * (change.offset - len(content)))
        return
    at = len(content) if change.kind == "append" else change.offset
    content.extend(b"\0" * (at - len(content)))
    content[at : at + len(change.data)] = change.data
