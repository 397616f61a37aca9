"""The line to a running city: what needs its history is asked of the process that holds it.

DuckDB lets one process in at a time. A city that runs listens on a socket in its folder, which only who may
read the folder can reach: whoever can would be the operator without it as well. One question a connection: a
line of JSON goes in; lines of progress come out, and a document or a problem at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import structlog

from chengmai.app import City
from chengmai.cli.open import opened, settings_with
from chengmai.cli.output import progress, to_json
from chengmai.kernel.problems import Problem, Unavailable

Advance: TypeAlias = Callable[[int, int | None, str], None]
"""Told (done, of how many when known, in words)."""
Question: TypeAlias = Callable[[City, dict[str, Any], Advance], Awaitable[Any]]
"""Answers a question about a city with what JSON can hold."""

SOCKET = "operator.sock"
LONGEST_QUESTION = 1 << 20
LONGEST_LINE = 1 << 30
MOST_AT_ONCE = 2
_TOLD_EVERY_S = 0.2
_log = structlog.get_logger("chengmai.line")


class Line:
    """Answers `questions` about a running city; `start` and `stop` it with the city."""

    def __init__(self, city: City, questions: Mapping[str, Question]) -> None:
        self._city, self._questions = city, questions
        self._path = city.settings.data / SOCKET
        self._turn = asyncio.Semaphore(MOST_AT_ONCE)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; a folder whose path is too long for a socket goes without, and the log says so."""
        if not hasattr(socket, "AF_UNIX"):
            return
        if (other := _connected(self._path)) is not None:
            other.close()  # another city runs on this folder: the line is its own
            return
        self._path.unlink(missing_ok=True)
        try:
            self._server = await asyncio.start_unix_server(
                self._answer, self._path, limit=LONGEST_QUESTION
            )
            self._path.chmod(0o600)
        except OSError as error:
            _log.warning("line.none", why=str(error))

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
            asked = orjson.loads(await reader.readuntil(b"\n"))
            asking = asyncio.create_task(self._told(asked, writer))
            # Whoever asked and hung up wants no answer any more.
            leaving = asyncio.create_task(reader.read(1))
            await asyncio.wait({asking, leaving}, return_when=asyncio.FIRST_COMPLETED)
            for task in (asking, leaving):
                task.cancel()
            await asyncio.gather(asking, leaving, return_exceptions=True)
        writer.close()

    async def _told(self, asked: Any, writer: asyncio.StreamWriter) -> None:
        loop, last = asyncio.get_running_loop(), 0.0

        def advance(done: int, of: int | None, words: str) -> None:
            nonlocal last
            if loop.time() - last >= _TOLD_EVERY_S:
                last = loop.time()
                writer.write(to_json({"done": done, "of": of, "words": words}) + b"\n")

        try:
            name, given = str(asked["ask"]), dict(asked["given"])
            question = self._questions.get(name)
            if question is None:
                raise Unavailable(
                    f"the city that runs does not know {name}",
                    fix="stop it and start it again: it is of another version",
                )
            async with self._turn:
                made = await question(self._city, given, advance)
            said = {"made": made}
        except Problem as problem:
            parts = ("detail", "code", "param", "fix")
            said = {"problem": {part: getattr(problem, part) for part in parts}}
        except Exception as error:
            _log.exception("line.failed")
            said = {"problem": {"detail": f"the city that runs failed: {error}"}}
        writer.write(to_json(said) + b"\n")
        await writer.drain()


def answered(data: Path | None, name: str, question: Question, given: Mapping[str, Any]) -> Any:
    """Return the answer to a question, of the city that runs on `data` or else of the city opened here."""

    async def run() -> Any:
        settings = settings_with(data=data)
        with progress() as bar:
            task = bar.add_task(name, total=None)

            def advance(done: int, of: int | None, words: str) -> None:
                bar.update(task, completed=done, total=of, description=words or name)

            line = _connected(settings.data / SOCKET)
            if line is not None:
                return await _asked(line, name, given, advance)
            async with opened(settings) as city:
                await city.store.history.recover()
                # The same document as comes over the line.
                return orjson.loads(to_json(await question(city, dict(given), advance)))

    return asyncio.run(run())


async def _asked(line: socket.socket, name: str, given: Mapping[str, Any], advance: Advance) -> Any:
    reader, writer = await asyncio.open_unix_connection(sock=line, limit=LONGEST_LINE)
    try:
        writer.write(to_json({"ask": name, "given": given}) + b"\n")
        await writer.drain()
        while text := await reader.readline():
            said = orjson.loads(text)
            if "made" in said:
                return said["made"]
            if "problem" in said:
                raise Problem(**said["problem"])
            advance(said["done"], said["of"], said["words"])
    except ConnectionError:
        pass
    finally:
        writer.close()
    raise Unavailable("the city stopped before it answered", fix="ask again")


def _connected(path: Path) -> socket.socket | None:
    """Return a connection to whoever listens at `path`, or None when nobody does."""
    if not hasattr(socket, "AF_UNIX") or not path.exists():
        return None
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.connect(str(path))
    except OSError:
        line.close()
        return None
    return line
