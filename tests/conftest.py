"""Coroutine tests run on a loop of their own; a slow machine is no failure; nothing more is shared by all."""

from __future__ import annotations

import asyncio
import inspect
import os

import pytest
import structlog
from hypothesis import HealthCheck, settings

searching = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("searching", searching)
settings.register_profile("steady", searching, derandomize=True)
# Whether a change is accepted must not depend on luck: every run draws the same examples. Who looks for more
# sets HYPOTHESIS_SEARCH=1, and gets others each time.
settings.load_profile("searching" if os.environ.get("HYPOTHESIS_SEARCH") else "steady")
# The usual log of a developer draws every local variable of a trace, which takes minutes for a deep document.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test to its end, with its fixtures as arguments."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in wanted}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True
