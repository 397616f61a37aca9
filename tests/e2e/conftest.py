"""A real city behind a real HTTP server, and a real browser before it."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from chengmai.app import City
from chengmai.kernel.clock import Clock, FixedClock
from chengmai.settings import Settings
from chengmai.web.app import CityWeb
from chengmai.web.server import free_port, serve

# The city's clock stands still, at the same instant in every run: a working day in the city, at noon.
NOW = datetime(2026, 11, 23, 4, 5, tzinfo=UTC)
PASSWORD = "correct horse battery"
CHROMIUM = os.environ.get("E2E_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-swiftshader",
)


class House:
    """A city that is served from a thread of its own; `run` runs a coroutine inside it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.port = free_port("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.port}"
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._thread.start()
        assert self._ready.wait(90), "the city did not start"
        if self._failure is not None:
            raise self._failure

    def run(self, coroutine: Any) -> Any:
        """Return what a coroutine returns in the city's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(90)

    def close(self) -> None:
        """Stop server and city."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(20)

    def _main(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as failure:
            self._failure = failure
            self._ready.set()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self.city = City(self.settings, real_clock=self.clock)
        web = CityWeb(self.city)
        await self.city.trust.accounts.ensure_first_admin(roles=("admin",))
        accounts = await self.city.trust.accounts.list_accounts(_operator())
        by = accounts[0].actor
        await self.city.trust.accounts.add_account(
            "officer", ("manager", "duty_officer"), by=by, password=PASSWORD
        )
        await self.city.trust.accounts.add_account(
            "auditor", ("auditor",), by=by, password=PASSWORD
        )
        await self.city.start()
        self._loop.call_later(0.3, self._ready.set)
        await serve(web, "127.0.0.1", self.port, self._stop)
        web.close()
        await self.city.stop()


def _operator() -> Any:
    from chengmai.kernel.actors import Actor

    return Actor("sys:test", roles=frozenset({"admin"}))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Build houses that are closed at the end."""
    built: list[House] = []

    def build(name: str = "city", clock: Clock | None = None, **settings: Any) -> House:
        made = House(
            Settings(
                data=tmp_path / name,
                vitals_every_s=0.5,
                log_level="error",
                private_egress=True,
                **settings,
            ),
            clock or FixedClock(NOW),
        )
        built.append(made)
        return made

    yield build
    for one in built:
        one.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium here: apt-get install chromium, or set E2E_CHROMIUM")
    expect.set_options(timeout=90_000)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        started.close()


class Visitor:
    """A signed-in person at a browser; what the page asks for and complains about is kept."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.page: Page = context.new_page()
        self.url = url
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text)
                if message.type == "error" and "Failed to load resource" not in message.text
                else None
            ),
        )

    def sign_in(self, name: str = "officer", password: str = PASSWORD) -> None:
        """Fill in the form of the sign-in page."""
        self.page.goto(self.url)
        self.page.fill("#name", name)
        self.page.fill("#password", password)
        with self.page.expect_navigation(wait_until="domcontentloaded"):
            self.page.press("#password", "Enter")

    def go(self, path: str) -> None:
        """Open a page of the city."""
        self.page.goto(self.url + path)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Open browsers with a language of their own."""
    contexts: list[BrowserContext] = []

    def open_(url: str, lang: str = "en", **options: Any) -> Visitor:
        context = browser.new_context(
            locale="zh-CN" if lang == "zh" else "en-GB",
            viewport={"width": 1366, "height": 768},
            **options,
        )
        context.set_default_timeout(90_000)
        contexts.append(context)
        return Visitor(context, url)

    yield open_
    for context in contexts:
        context.close()
