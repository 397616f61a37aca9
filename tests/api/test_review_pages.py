"""The pages that look back, on a real city: what they show, their twins, and what they refuse."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chengmai.forecast.telling import why_title
from chengmai.kernel.actors import Actor
from tests.api.house import NOON, House
from tests.api.test_look_back import VITAL, looked_back, usually

PASSWORD = "correct horse battery"
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
SIGN = f"/vitals/{VITAL}"
PAGES = (
    f"{SIGN}/back",
    f"{SIGN}/back?length=week&versus=year_earlier",
    f"{SIGN}/forecasts",
    f"{SIGN}/thresholds",
    "/domains/air",
    "/forecasts",
    "/forecasts?pack=air",
    "/thresholds",
)


class Person:
    """Somebody who is signed in."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def get(self, path: str, status: int = 200) -> httpx2.Response:
        """Return the answer, whose status must be the one expected."""
        answer = await self._client.get(path)
        assert answer.status_code == status, answer.text[:2000]
        return answer

    async def post(self, form_at: str, path: str, status: int = 303, **form: Any) -> Any:
        """Fill in a form of the page `form_at` and return the answer."""
        page = (await self.get(form_at)).text
        token = TOKEN.findall(page)[-1]
        answer = await self._client.post(path, data={"csrf": token, **form})
        assert answer.status_code == status, answer.text[:2000]
        return answer


@asynccontextmanager
async def signed_in(house: House, *roles: str, lang: str = "en") -> AsyncIterator[Person]:
    """Yield somebody with these roles at the cockpit."""
    admin = Actor("sys:tests", roles=frozenset({"admin"}))
    name = "-".join(["somebody", *roles, lang, str(id(roles))])
    await house.city.trust.accounts.add_account(name, roles, by=admin, password=PASSWORD)
    transport = httpx2.ASGITransport(app=house.web)
    headers = {"Accept-Language": lang}
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://city.test", headers=headers
    ) as client:
        first = await client.get("/sign-in")
        token = TOKEN.search(first.text)
        assert token is not None
        kept = _cookies(first)
        form = {"csrf": token[1], "name": name, "password": PASSWORD}
        second = await client.post("/sign-in", data=form, headers={"Cookie": "; ".join(kept)})
        assert second.status_code == 303
        # Kept by hand: the city's clock stands a day ago, and a browser would take them for expired.
        client.cookies.clear()
        client.headers["Cookie"] = "; ".join([*kept, *_cookies(second)])
        yield Person(client)


def _cookies(answer: httpx2.Response) -> list[str]:
    return [cookie.partition(";")[0] for cookie in answer.headers.get_list("set-cookie")]


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_every_page_is_shown_in_both_languages(tmp_path: Path, lang: str) -> None:
    async with looked_back(tmp_path) as house, signed_in(house, "manager", lang=lang) as person:
        for path in PAGES:
            page = (await person.get(path)).text
            assert not re.search(r">[a-z_]+\.[a-z_]+\.?[a-z_]*<", page), path


async def test_the_look_back_shows_what_explains_the_change(tmp_path: Path) -> None:
    async with looked_back(tmp_path) as house, signed_in(house, "manager") as person:
        page = (await person.get(f"{SIGN}/back?versus=week_earlier")).text
        assert "e2" in page
        assert "Like for like" in page
        found = (await person.get(f"{SIGN}/back.json?versus=week_earlier")).json()
        entities = found["causes"]["entity"]
        total = sum(share["own"] + share["mix"] for share in entities["shares"])
        assert total == pytest.approx(entities["after"] - entities["before"])
        rows = list(csv.reader(io.StringIO((await person.get(f"{SIGN}/back.csv")).text)))
        assert {row[0] for row in rows} >= {"value", "value against", "by area", "by hour"}


@pytest.mark.parametrize("asked", ["on=never", "on=2999-01-01", "length=eon&versus=nothing", "on="])
async def test_what_cannot_be_asked_for_is_answered_with_today(tmp_path: Path, asked: str) -> None:
    async with looked_back(tmp_path, weeks=1) as house, signed_in(house, "manager") as person:
        assert "22 Nov 2026" in (await person.get(f"{SIGN}/back?{asked}")).text


async def test_a_note_is_put_on_the_curve_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    async with looked_back(tmp_path, weeks=1) as house, signed_in(house, "manager") as person:
        back = f"{SIGN}/back"
        await person.post(back, f"{SIGN}/notes", note="<b>roadworks</b>", at="2026-11-22T10:00")
        page = (await person.get(back)).text
        assert "&lt;b&gt;roadworks&lt;/b&gt;" in page
        wrong: tuple[dict[str, Any], ...] = (
            {"note": "", "at": "2026-11-22T10:00"},
            {"note": "x" * 501, "at": "2026-11-22T10:00"},
            {"note": "tomorrow", "at": "2026-11-23T10:00"},
            {"note": "when?", "at": "noon"},
        )
        for form in wrong:
            answer = await person.post(back, f"{SIGN}/notes", 400, **form)
            assert "note" in answer.text.lower()
        assert (await person.get(back)).text.count("roadworks") == 1


async def test_a_threshold_is_tried_proposed_and_approved_by_another(tmp_path: Path) -> None:
    async with looked_back(tmp_path) as house:
        asked = "threshold=watch-above&value=42&from=2026-11-23&reason=a+basin"
        async with signed_in(house, "manager") as first:
            form = f"{SIGN}/thresholds?{asked}"
            page = (await first.get(form)).text
            assert "What it would have meant" in page
            assert 'name="clear" inputmode="decimal" maxlength="20" value=""' in page
            given: dict[str, Any] = {"threshold": "watch-above", "value": "42", "clear": ""}
            given |= {"from": "2026-11-23", "reason": "a basin"}
            answer = await first.post(form, f"{SIGN}/thresholds", **given)
            change = answer.headers["location"]
            own = (await first.get(change)).text
            assert "waits for another manager" in own
            await first.post(change, change, 403, verdict="approve", note="")
        async with signed_in(house, "duty_officer", lang="en") as officer:
            assert 'value="approve"' not in (await officer.get(change)).text
        async with signed_in(house, "manager", "duty_officer") as second:
            await second.post(change, change, verdict="approve", note="agreed")
            assert "approved" in (await second.get("/thresholds")).text
            (kept,) = (await second.get("/thresholds.json")).json()
            assert (kept["state"], kept["value"], kept["decision"]) == ("approved", 42.0, "agreed")
            await second.post(change, change, 409, verdict="refuse", note="no")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("threshold=watch-above&value=high&from=2026-11-23", "no number"),
        ("threshold=watch-above&value=42&from=soon", "no day"),
        ("threshold=watch-above&value=42&from=2026-11-22", "levels of the past stay"),
        ("threshold=watch-above&value=999&from=2026-11-23", "Watch at 999"),
        ("threshold=calm&value=1&from=2026-11-23", "no threshold"),
    ],
)
async def test_a_threshold_that_will_not_do_is_explained(
    tmp_path: Path, asked: str, said: str
) -> None:
    async with looked_back(tmp_path, weeks=1) as house, signed_in(house, "manager") as person:
        answer = await person.get(f"{SIGN}/thresholds?{asked}", 400)
        assert said in answer.text


async def test_the_domain_shows_causes_cases_data_and_thresholds(tmp_path: Path) -> None:
    def reading(station: str, at: Any) -> float | None:
        if station == "w1":
            return None if at > NOON - timedelta(hours=9) and at < NOON else 30.0
        return 300.0 if station == "e2" and at >= NOON else usually(station, at)

    async with looked_back(tmp_path, reading) as house, signed_in(house, "manager") as person:
        page = (await person.get("/domains/air")).text
        for words in ("Ranked causes", "e2", "/cases/urn:", "Data health", "Unverified", "watch"):
            assert words.lower() in page.lower(), words
        found = (await person.get("/domains/air/data.json")).json()
        assert found["causes"][0]["card"]["area"] == "东城区"
        assert found["causes"][0]["by_entity"]["shares"][0]["key"].endswith(":e2")
        assert len(found["cases"]) == 1
        assert "top_source" in (await person.get("/domains/air/data.csv")).text
        await person.get("/domains/nothing", 404)


async def test_who_may_not_see_vital_signs_sees_none_of_it(tmp_path: Path) -> None:
    async with looked_back(tmp_path, weeks=1) as house:
        async with signed_in(house, "citizen") as person:
            for path in PAGES:
                await person.get(path, 403)
        async with signed_in(house, "auditor") as person:
            for path in PAGES:
                await person.get(path)
            assert 'name="note"' not in (await person.get(f"{SIGN}/back")).text


async def test_stored_forecasts_are_judged_by_what_came(tmp_path: Path) -> None:
    async with looked_back(tmp_path) as house:
        ids = [f"urn:ngsi-ld:AirQualityObserved:{name}" for name in ("e1", "e2", "w1")]
        for hour in range(1, 6):
            house.clock.advance(timedelta(hours=1))
            at = house.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
            for entity in ids:
                pm25 = {"type": "Property", "value": 40.0 + hour, "observedAt": at}
                await house.ask("PATCH", f"/entities/{entity}/attrs", {"pm25": pm25})
            await house.city.evaluate()
        (found,) = (await house.city.forecast_quality.standings("city", sign="pm25", pack="air"))[
            :1
        ]
        assert found.record is not None
        assert found.record.forecasts >= 5
        first, later = found.record.by_horizon[:2]
        assert first.points >= 3
        assert later.points >= 3
        async with signed_in(house, "manager") as person:
            document = (await person.get(f"{SIGN}/forecasts.json")).json()
            assert document["live"]["horizons"][0]["points"] == first.points
            assert document["live"]["versions"][0]["trained"]
            assert document["live"]["versions"][0]["why"] == document["forecast"]["why_fitted"]
            page = (await person.get(f"{SIGN}/forecasts")).text
            assert "last 30 days" in page
            assert "Why it was fitted" in page
            assert why_title(document["forecast"]["why_fitted"]).en in page
            rows = list(csv.reader(io.StringIO((await person.get("/forecasts.csv?pack=air")).text)))
            assert len(rows) == 1 + 2 * 4
