"""`chengmai demo` and `chengmai serve`."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from chengmai.app import City
from chengmai.assess.demo import PLACE, furnish
from chengmai.cli.line import Line
from chengmai.cli.open import DataOption, operator, settings_with
from chengmai.cli.questions import QUESTIONS
from chengmai.kernel.problems import NotFound
from chengmai.kernel.texts import Text
from chengmai.settings import Settings
from chengmai.web.app import CityWeb
from chengmai.web.http1.limits import Limits
from chengmai.web.server import free_port
from chengmai.web.server import serve as serve_http

HostOption = Annotated[str | None, typer.Option("--host", help="Address to listen on.")]
PortOption = Annotated[int | None, typer.Option("--port", help="Port to listen on; 0 takes any.")]
FIRST_ROLES = ("admin", "manager", "duty_officer")


def serve(
    data: DataOption = None,
    host: HostOption = None,
    port: PortOption = None,
    source: Annotated[
        Path | None, typer.Option("--source", help="Folder of recordings to replay.")
    ] = None,
) -> None:
    """Run a city until it is stopped. Without --source and without live feeds it is simulated."""
    _serve(settings_with(data=data, host=host, port=port, source_data=_folder(source)))


def demo(
    data: DataOption = None,
    port: PortOption = None,
    source: Annotated[
        Path | None, typer.Option("--source", help="Folder of recordings to replay.")
    ] = None,
    speed: Annotated[
        float, typer.Option("--speed", help="City seconds in a real second.", min=1, max=3600)
    ] = 12.0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew: forget an earlier demo.")
    ] = False,
) -> None:
    """Start a living city on this machine only: simulated, or on the recordings of --source."""
    folder = _folder(source)
    name = "demo-recorded" if folder else "demo-simulated"
    data = data or Path("var") / name
    if fresh:
        _forget(data)
    _serve(demo_settings(data, port, folder, speed), furnished=True)


def demo_settings(
    data: Path, port: int | None = None, source: Path | None = None, speed: float = 12.0
) -> Settings:
    """Return the settings of a demo: a simulated city, or one on the recordings of a folder."""
    city = (
        Text(zh="演示城（录制数据）", en="Demo city (recorded data)")
        if source
        else Text(zh="脉城（模拟）", en="Maicheng (simulated)")
    )
    return settings_with(
        data=data,
        host="127.0.0.1",
        port=port,
        source_data=source,
        clock_rate=speed,
        city=city,
        place=PLACE,
        vitals_every_s=4.0,
        private_egress=True,
        log_level="warning",
    )


def _folder(source: Path | None) -> Path | None:
    if source is not None and not source.is_dir():
        raise NotFound(
            f"there is no folder {source}",
            param="--source",
            fix="name the folder of the recordings",
        )
    return source


def _forget(data: Path) -> None:
    for name in (
        "state.db",
        "state.db-wal",
        "state.db-shm",
        "history.duckdb",
        "history.duckdb.wal",
    ):
        (data / name).unlink(missing_ok=True)


def _serve(settings: Settings, *, furnished: bool = False) -> None:
    # The writer lets go of the interpreter at every statement; with the usual 5 ms it would wait that long
    # to get it back from a busy event loop, and every write behind it too.
    sys.setswitchinterval(0.0005)
    uvloop.run(_run(settings, furnished))


async def _run(settings: Settings, furnished: bool) -> None:
    port = free_port(settings.host, settings.port)
    city = City(settings)
    web, line = CityWeb(city), Line(city, QUESTIONS)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        secret = await city.trust.accounts.ensure_first_admin(
            tenant=settings.tenant, roles=FIRST_ROLES, display_name="Administrator"
        )
        await city.start()
        await line.start()
        if furnished:
            await furnish(city.assess, city.surveys, operator(city))
        _settle_collector()
        web.meter.start()
        limits = Limits(connections=settings.most_connections)
        serving = asyncio.create_task(serve_http(web, settings.host, port, stop, limits))
        _greet(settings, port, secret)
        await serving
    finally:
        web.close()
        typer.echo("Stopping …", err=True)
        await web.meter.stop()
        await line.stop()
        await city.stop()
        # Or the interpreter, as it ends, takes what was frozen for leaked, and libraries say so at length.
        gc.unfreeze()


def _settle_collector() -> None:
    # A request makes hundreds of containers and leaves hardly a cycle. With the usual thresholds
    # cycles are looked for during nearly every write, among all that was loaded.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _greet(settings: Settings, port: int, secret: str | None) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    lines = ["", f"  {settings.city.zh} · {settings.city.en}", f"  http://{host}:{port}/", ""]
    if secret is not None:
        lines += [
            "  Sign in as   admin",
            f"  Password     {secret}",
            "  It is shown this once; chengmai account password makes a new one.",
        ]
    else:
        lines += ["  Sign in as before; chengmai account password makes a new password."]
    lines += [f"  Data in      {settings.data}", "  Stop with Ctrl-C.", ""]
    typer.echo("\n".join(lines))
