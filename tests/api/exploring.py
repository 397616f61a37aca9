"""Requests made from the OpenAPI description, asked of a real city: what no person would think of sending."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from chengmai.web.api.openapi import openapi
from tests.api.house import STATION, House, a_house, a_station, created

BASE = "http://city.test"
OURS = frozenset({504, 508})
"""Statuses above 499 that tell of somebody else: a context or a source that does not answer (6.3.2)."""
SUBSCRIPTION = "urn:ngsi-ld:Subscription:kept"
KNOWN = {"entityId": STATION, "attrId": "pm25", "type": "AirQualityObserved", "attribute": "pm25"}


class Explorer:
    """Asks a city what a description offers; `statuses` counts the answers."""

    def __init__(self, runner: asyncio.Runner, house: House) -> None:
        self._runner, self._house = runner, house
        self.schema = schemathesis.openapi.from_dict(openapi())
        self.statuses: Counter[int] = Counter()

    def all_problems(self, examples: int, mode: GenerationMode) -> list[str]:
        """Return what was found wrong in any operation, each with the smallest request that shows it."""
        found = []
        for result in self.schema.get_all_operations():
            operation: Any = result.ok()  # type: ignore[union-attr]
            try:
                self.explore(operation, examples, mode)
            except BaseException as problem:  # failures of schemathesis are exception groups
                if isinstance(problem, KeyboardInterrupt | SystemExit):
                    raise
                found.append(f"{operation.label}: {_told(problem)}")
        return found

    def explore(self, operation: Any, examples: int, mode: GenerationMode) -> None:
        """Send requests to one operation; raises when an answer is our fault or not as described."""

        @hypothesis.settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode), known=st.booleans())
        def ask(case: Any, known: bool) -> None:
            self._ask(case, known=known)

        ask()

    def _ask(self, case: Any, *, known: bool) -> None:
        for name in ("NGSILD-Tenant", "Link"):
            (case.headers or {}).pop(name, None)
        if known:
            kept = {**KNOWN, "id": SUBSCRIPTION}
            case.path_parameters.update({k: kept[k] for k in case.path_parameters if k in kept})
        wire = requests.Request(**_sendable(case.as_transport_kwargs(base_url=BASE))).prepare()
        headers = {str(k): _text(v) for k, v in wire.headers.items()}
        headers["Authorization"] = f"Bearer {self._house.bearer}"
        body: Any = wire.body
        sent = self._house.client.request(
            str(wire.method), str(wire.url), headers=headers, content=body
        )
        response = self._runner.run(sent)
        self.statuses[response.status_code] += 1
        said = f"{wire.method} {wire.url} {wire.body!r:.500}: {response.text:.500}"
        assert response.status_code < 500 or response.status_code in OURS, said
        case.validate_response(response, checks=_checks())


def _checks() -> list[Any]:
    checks = schemathesis.checks
    return [
        checks.CHECKS.get_one(name)
        for name in (
            "status_code_conformance",
            "content_type_conformance",
            "response_schema_conformance",
        )
    ]


def _told(problem: BaseException) -> str:
    inner = problem.exceptions if isinstance(problem, BaseExceptionGroup) else [problem]
    return "; ".join(f"{type(one).__name__} {one}"[:3000] for one in inner)


def _sendable(given: dict[str, Any]) -> dict[str, Any]:
    names = ("method", "url", "headers", "files", "data", "params", "auth", "cookies", "json")
    return {name: given[name] for name in names if name in given}


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


@contextmanager
def an_explorer(folder: Path) -> Iterator[Explorer]:
    """Yield an explorer of a city that has one station and one subscription."""
    kept = {
        "id": SUBSCRIPTION,
        "type": "Subscription",
        "entities": [{"type": "Nothing"}],
        "notification": {"endpoint": {"uri": "http://127.0.0.1:9/"}},
    }
    with asyncio.Runner() as runner:
        opened = a_house(folder)
        house = runner.run(opened.__aenter__())
        try:
            runner.run(created(house, a_station()))
            runner.run(house.ask("POST", "/subscriptions", kept))
            yield Explorer(runner, house)
        finally:
            runner.run(opened.__aexit__(None, None, None))
