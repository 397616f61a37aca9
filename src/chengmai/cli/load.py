"""`chengmai load`: entities from a file into the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from chengmai.app import City
from chengmai.cli.open import DataOption, JsonOption, operator, run_in
from chengmai.cli.output import print_json, progress
from chengmai.kernel.problems import Invalid, NotFound, Problem
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.expand import expand_entity

_CHUNK = 500


def load(
    file: Annotated[Path, typer.Argument(help="NDJSON, or a JSON list, of NGSI-LD entities.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Create or update entities from a file. A bad entity is counted and told, and the rest goes on."""
    if not file.is_file():
        raise NotFound(f"there is no file {file}", param="file")

    async def run(city: City) -> dict[str, Any]:
        outcome: dict[str, Any] = {"created": 0, "updated": 0, "failed": 0, "failures": []}
        by = operator(city)
        chunk: list[Entity] = []

        async def flush() -> None:
            result = await city.broker.batch_upsert(by, chunk, update=True)
            outcome["created"] += len(result.created)
            outcome["updated"] += len(result.updated)
            for entity_id, problem in result.failed:
                _failed(outcome, entity_id, problem)
            chunk.clear()

        with progress() as bar:
            task = bar.add_task(f"Loading {file.name}", total=None)
            for where, document in _documents(file):
                try:
                    chunk.append(_expanded(city, document))
                except Problem as problem:
                    _failed(outcome, where, problem)
                if len(chunk) == _CHUNK:
                    await flush()
                bar.advance(task)
            if chunk:
                await flush()
        return outcome

    outcome = run_in(data, run)
    if json:
        print_json(outcome)
    else:
        typer.echo("{created} created, {updated} updated, {failed} failed".format(**outcome))
        for failure in outcome["failures"]:
            typer.echo(f"  {failure['where']}: {failure['detail']}", err=True)
    if outcome["failed"]:
        raise typer.Exit(1)


def _expanded(city: City, document: Any) -> Entity:
    if isinstance(document, Problem):
        raise document
    own = document.pop("@context", None) if isinstance(document, dict) else None
    return expand_entity(document, city.contexts.compile(own))


def _failed(outcome: dict[str, Any], where: str, problem: Problem) -> None:
    outcome["failed"] += 1
    if len(outcome["failures"]) < 20:
        outcome["failures"].append(
            {"where": where, "detail": problem.detail, "param": problem.param, "fix": problem.fix}
        )


def _documents(file: Path) -> Iterator[tuple[str, Any]]:
    with file.open("rb") as stream:
        first = stream.read(1)
    if first == b"[":
        try:
            documents = orjson.loads(file.read_bytes())
        except orjson.JSONDecodeError as error:
            raise Invalid(f"{file} is not JSON: {error}", param=str(file)) from None
        for number, document in enumerate(documents, 1):
            yield f"entity {number}", document
        return
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                yield f"line {number}", orjson.loads(line)
            except orjson.JSONDecodeError as error:
                yield f"line {number}", Invalid(f"not JSON: {error.msg}", param=f"line {number}")
