"""`chengmai load`: entities from files into the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Annotated, Any

import orjson
import typer
from rich.progress import Progress

from chengmai.app import City
from chengmai.cli.open import DataOption, JsonOption, operator, run_in
from chengmai.cli.output import print_json, progress
from chengmai.kernel.problems import Invalid, NotFound, Problem
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.expand import expand_entity
from chengmai.ngsild.problems import ContextWanted

_CHUNK = 500
_MOST_TOLD = 20
_MOST_CONTEXTS = 20


@dataclass
class _Outcome:
    """What became of the entities; every refusal goes to `refused` too, where that is a file."""

    created: int = 0
    updated: int = 0
    failed: int = 0
    failures: list[dict[str, Any]] = field(default_factory=list)
    refused: IO[bytes] | None = None

    def fail(self, where: str, problem: Problem) -> None:
        told = {
            "where": where,
            "detail": problem.detail,
            "param": problem.param,
            "fix": problem.fix,
        }
        self.failed += 1
        if len(self.failures) < _MOST_TOLD:
            self.failures.append(told)
        if self.refused is not None:
            self.refused.write(orjson.dumps(told) + b"\n")


def load(
    files: Annotated[
        list[Path],
        typer.Argument(help="NGSI-LD entities: NDJSON, a JSON list, or one entity, with @context."),
    ],
    key_values: Annotated[
        bool,
        typer.Option(
            "--key-values",
            help="They are in simplified form: a geometry is a GeoProperty, any other value a Property.",
        ),
    ] = False,
    refused: Annotated[
        Path | None,
        typer.Option("--refused", help="File that gets every refusal, a JSON object a line."),
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Create or update entities from files. A bad entity is counted and told, and the rest goes on."""
    for file in files:
        if not file.is_file():
            raise NotFound(f"there is no file {file}", param="file")
    outcome = _Outcome(refused=refused.open("wb") if refused is not None else None)

    async def run(city: City) -> None:
        await city.shelf.load()
        loader = _Loader(city, outcome, key_values=key_values)
        with progress() as bar:
            for file in files:
                await loader.load(file, bar)

    try:
        run_in(data, run)
    finally:
        if outcome.refused is not None:
            outcome.refused.close()
    _tell(outcome, json=json)
    if outcome.failed:
        raise typer.Exit(1)


class _Loader:
    """Reads files and commits their entities, some hundreds at a time."""

    def __init__(self, city: City, outcome: _Outcome, *, key_values: bool) -> None:
        self._city = city
        self._by = operator(city)
        self._outcome = outcome
        self._key_values = key_values

    async def load(self, file: Path, bar: Progress) -> None:
        """Bring the entities of one file in."""
        task = bar.add_task(f"Loading {file.name}", total=None)
        chunk: list[Entity] = []
        for where, document in _documents(file):
            try:
                chunk.append(await self._expanded(document))
            except Problem as problem:
                self._outcome.fail(f"{file}, {where}", problem)
            if len(chunk) == _CHUNK:
                await self._commit(file, chunk)
                chunk = []
            bar.advance(task)
        await self._commit(file, chunk)

    async def _expanded(self, document: Any) -> Entity:
        if isinstance(document, Problem):
            raise document
        own = document.get("@context") if isinstance(document, dict) else None
        for _ in range(_MOST_CONTEXTS):
            try:
                context = self._city.contexts.compile(own)
                return expand_entity(document, context, simplified=self._key_values)
            except ContextWanted as wanted:
                await self._city.shelf.fetch(wanted.url)
        return expand_entity(document, self._city.contexts.compile(own))

    async def _commit(self, file: Path, chunk: Sequence[Entity]) -> None:
        if not chunk:
            return
        result = await self._city.broker.batch_upsert(self._by, chunk, update=True)
        self._outcome.created += len(result.created)
        self._outcome.updated += len(result.updated)
        for entity_id, problem in result.failed:
            self._outcome.fail(f"{file}, {entity_id}", problem)


def _tell(outcome: _Outcome, *, json: bool) -> None:
    if json:
        told = ("created", "updated", "failed", "failures")
        print_json({name: getattr(outcome, name) for name in told})
        return
    typer.echo(f"{outcome.created} created, {outcome.updated} updated, {outcome.failed} failed")
    for failure in outcome.failures:
        typer.echo(f"  {failure['where']}: {failure['detail']}", err=True)
        if failure["fix"]:
            typer.echo(f"    to do: {failure['fix']}", err=True)
    if outcome.failed > len(outcome.failures):
        more = outcome.failed - len(outcome.failures)
        hint = "" if outcome.refused else "; --refused FILE keeps them all"
        typer.echo(f"  and {more} more{hint}", err=True)


def _documents(file: Path) -> Iterator[tuple[str, Any]]:
    """Yield where each entity of a file stands, and the entity or what is wrong with its JSON."""
    if _is_lines(file):
        yield from _lines(file)
        return
    try:
        whole = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        yield (
            f"line {error.lineno}",
            Invalid(f"not JSON: {error.msg} in column {error.colno}", param=str(file)),
        )
        return
    if isinstance(whole, list):
        yield from ((f"entity {number}", one) for number, one in enumerate(whole, 1))
    else:
        yield "entity 1", whole


def _lines(file: Path) -> Iterator[tuple[str, Any]]:
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                yield f"line {number}", orjson.loads(line)
            except orjson.JSONDecodeError as error:
                yield f"line {number}", Invalid(f"not JSON: {error.msg}", param=f"line {number}")


def _is_lines(file: Path) -> bool:
    """Return whether a file is read line by line: its first line that says anything is a whole object."""
    with file.open("rb") as stream:
        first = next((line for line in stream if line.strip()), b"")
    try:
        return isinstance(orjson.loads(first), dict)
    except orjson.JSONDecodeError:
        return first.count(b"{") == first.count(b"}") > 0 and not first.lstrip().startswith(b"[")
