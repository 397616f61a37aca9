"""The processes that are measured: a city, and a bare echo on the same server stack as a reference."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench.load import Call, Target, run
from bench.measure import Row
from chengmai.web.server import serve
from tests.fault.processes import a_server, a_token, environment, free_port, kill
from tests.fault.replayed import PACK


@asynccontextmanager
async def a_city(
    prepare: Callable[[Path], Awaitable[None]] | None = None, **settings: Any
) -> AsyncIterator[tuple[Target, Path]]:
    """Yield a `chengmai serve` on a fresh folder, which `prepare` may fill, without feeds, and the folder."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        data = Path(folder) / "data"
        token = await a_token(data, PACK, "manager")
        if prepare is not None:
            await prepare(data)
        env = environment(PACK, feeds="false", vitals_every_s=3600, **settings)
        async with a_server(data, env, token=token) as (process, client):
            port = client.base_url.port
            assert port is not None
            yield Target(process, port, token), data


async def http_reference(bench: str, body: object, count: int) -> Row:
    """Return what a server of the same stack takes that reads a body and answers 204."""
    async with an_echo() as target:
        calls = (Call("POST", "/", body) for _ in range(count))
        return await run(target, bench, "reference: bare HTTP, read a body and answer 204", calls)


@asynccontextmanager
async def an_echo() -> AsyncIterator[Target]:
    """Yield a server of the same stack that reads a body and answers 204."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.servers", str(port), stdout=DEVNULL
    )
    try:
        await _until_listening(port)
        yield Target(process, port)
    finally:
        kill(process)
        await process.wait()


async def _until_listening(port: int) -> None:
    for _ in range(3000):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
    raise RuntimeError("the reference server does not listen")


async def _nothing(scope: dict[str, Any], receive: Any, send: Any) -> None:
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(_nothing, "127.0.0.1", int(sys.argv[1]), asyncio.Event()))
