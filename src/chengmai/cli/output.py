"""What commands print: tables for people, JSON for programs, progress for the patient, logs on stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any

import orjson
import structlog
import typer
from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from chengmai.kernel.problems import Problem


def print_json(document: Any) -> None:
    """Print a document as JSON."""
    typer.echo(to_json(document, orjson.OPT_INDENT_2).decode())


def to_json(document: Any, options: int = 0) -> bytes:
    """Return a document as JSON, models and all."""
    return orjson.dumps(document, default=_plain, option=options | orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> Any:
    return value.model_dump() if isinstance(value, BaseModel) else str(value)


def print_json_line(document: Any) -> None:
    """Print a document as one line of JSON, at once."""
    typer.echo(orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS).decode())
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows as a table; as tab-separated lines when nobody looks at a terminal."""
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(str(cell) for cell in row))
        return
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    Console().print(table)


def progress() -> Progress:
    """Return a progress display on stderr, so that output stays clean."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def fail(problem: Problem) -> None:
    """Print a problem on stderr: what, where, what to do."""
    typer.echo(f"Error: {problem.detail}", err=True)
    if problem.param:
        typer.echo(f"  where: {problem.param}", err=True)
    if problem.fix:
        typer.echo(f"  to do: {problem.fix}", err=True)


def set_up_logs(level: str) -> None:
    """Send logs to stderr as JSON lines at `level` and above."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_dump),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_on_stderr,
        cache_logger_on_first_use=False,
    )


def _on_stderr(*_: Any) -> structlog.PrintLogger:
    """Return what writes to stderr as it is now: who changed it for a while has closed what it was then."""
    return structlog.PrintLogger(sys.stderr)


def _dump(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()
