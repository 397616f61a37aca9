"""Child processes of the real program: started, killed, and asked nothing but what a user can."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from chengmai.app import City
from chengmai.kernel.actors import Actor
from chengmai.settings import Settings

PROGRAM = (sys.executable, "-m", "chengmai")
START_S = 60.0


def environment(packs: Path, **settings: Any) -> dict[str, str]:
    """Return the environment of a city that reads `packs`; `settings` as in `Settings`."""
    given = {"packs": json.dumps([str(packs)]), "log_level": "error"} | settings
    return dict(os.environ) | {f"CHENGMAI_{name.upper()}": str(v) for name, v in given.items()}


def kill(process: Process) -> None:
    """End a process as a power cut would: at once, without a word."""
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)


def free_port() -> int:
    """Return a port of loopback on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def a_token(data: Path, packs: Path, *roles: str) -> str:
    """Return a token for a city in `data`, which is made when there is none."""
    city = City(Settings(data=data, packs=(packs,), feeds=False))
    try:
        admin = Actor("sys:tests", "city", frozenset({"admin"}), "tests")
        return (await city.trust.tokens.create_token("tests", roles, by=admin)).secret
    finally:
        await city.stop()


@asynccontextmanager
async def a_server(
    data: Path, env: Mapping[str, str], *, token: str = ""
) -> AsyncIterator[tuple[Process, httpx2.AsyncClient]]:
    """Yield a `chengmai serve` that answers, and a client of it; the process is killed at the end."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "serve", "--data", str(data), "--port", str(port), env=env, stdout=PIPE
    )
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    try:
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers=headers,
            limits=limits,
            timeout=START_S,
            trust_env=False,
        ) as client:
            await _until_it_answers(process, client)
            yield process, client
    finally:
        kill(process)
        await process.communicate()


async def _until_it_answers(process: Process, client: httpx2.AsyncClient) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.returncode is not None:
            raise RuntimeError(f"the server ended with {process.returncode} before it answered")
        try:
            if (await client.get("/health")).status_code == 200:
                return
        except httpx2.TransportError:
            await asyncio.sleep(0.02)
    raise RuntimeError(f"the server did not answer within {START_S} s")
