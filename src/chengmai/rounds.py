"""Work that is done again and again while a city stands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from chengmai.kernel.problems import Problem

_log = structlog.get_logger(__name__)
Round = Callable[[], Coroutine[Any, Any, None]]


async def every(seconds: float, fn: Round) -> None:
    """Do `fn` for ever, with so many seconds after each time."""
    while True:
        await attempt(fn)
        await asyncio.sleep(seconds)


async def attempt(fn: Round) -> None:
    """Do `fn` once; that it failed is told in the log and nowhere else."""
    try:
        await fn()
    except Problem as problem:
        _log.warning("task.failed", task=fn.__name__, why=problem.detail)
    except Exception:
        # One round that fails is told and the next one is tried: a city is not left unwatched.
        _log.exception("task.failed", task=fn.__name__)
