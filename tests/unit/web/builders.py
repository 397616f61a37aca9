"""What the tests of the screens are built from."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from starlette.testclient import TestClient

from chengmai.kernel.texts import Lang
from chengmai.web.cockpit.build import WEB, build_cockpit
from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.live_hub import LiveHub
from chengmai.web.cockpit.texts import Words, read_words
from chengmai.web.cockpit.visit import CockpitSettings
from tests.unit.web.fake_city import PASSWORD, FakeCity
from tests.unit.web.fake_signs import NOW

SHANGHAI = ZoneInfo("Asia/Shanghai")
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
KEY = re.compile(r'name="key" value="([^"]+)"')


@cache
def all_words() -> dict[Lang, Words]:
    """Return the words of both languages, read once."""
    return read_words(WEB / "catalogs", strict=True)


def formats(lang: Lang = "en", now: datetime = NOW) -> Formats:
    """Return formats of the fake city in one language."""
    return Formats(all_words()[lang], SHANGHAI, now)


def browser(
    city: FakeCity | None = None, lang: str = "en", static: Path | None = None
) -> TestClient:
    """Return a browser that has not signed in; a server fault is an answer, not an exception."""
    chosen = city or FakeCity()
    app = build_cockpit(
        chosen,
        chosen,
        LiveHub("test"),
        CockpitSettings(b"s" * 32),
        strict_texts=True,
        static=static or WEB / "static",
    )
    return TestClient(
        app,
        follow_redirects=False,
        raise_server_exceptions=False,
        headers={"Accept-Language": lang},
    )


def token_of(page: str) -> str:
    """Return the first form token of a page."""
    found = TOKEN.search(page)
    assert found is not None, "the page holds no form"
    return found[1]


def signed_in(
    city: FakeCity | None = None, lang: str = "en", static: Path | None = None
) -> TestClient:
    """Return a browser after sign-in."""
    client = browser(city, lang, static)
    token = token_of(client.get("/sign-in").text)
    form = {"csrf": token, "name": "Li Wei", "password": PASSWORD}
    assert client.post("/sign-in", data=form).status_code == 303
    return client
