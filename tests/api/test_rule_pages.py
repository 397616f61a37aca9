"""The pages of rules on a real city: what they show, their twins, who may do what, and what they refuse."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chengmai.cli.main import app
from chengmai.rules.model import FiringFilter
from tests.api.house import House, a_house
from tests.api.test_review_pages import signed_in
from tests.api.test_rules import on, tell
from tests.unit.rules.builders import a_command, manager

FORM: dict[str, Any] = {
    "id": "lean",
    "title_zh": "歪",
    "title_en": "Leans",
    "about_zh": "歪了",
    "about_en": "It leans",
    "source_zh": "本市选择",
    "source_en": "a city's choice",
    "type": "Pole",
    "q": "tilt>25",
    "recovers_q": "tilt<10",
    "level": "act",
    "do": "save",
}


async def a_firing(house: House, **more: Any) -> str:
    await on(house, opens="dirty_air", command=a_command(high_impact=True), **more)
    await tell(house, tilt=20)
    (firing,) = await house.city.rules.service.firings(manager(), FiringFilter())
    return firing.id


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
async def test_every_page_and_its_twin_open_in_both_languages(tmp_path: Path, lang: str) -> None:
    async with a_house(tmp_path) as house:
        firing = await a_firing(house)
        (command,) = await house.city.rules.service.commands(manager())
        async with signed_in(house, "auditor", lang=lang) as auditor:
            rule = f"/rules/{command.rule}"
            for path in (
                "/rules",
                rule,
                f"/rules/firings/{firing}",
                f"/rules/commands/{command.id}",
            ):
                page = (await auditor.get(path)).text
                assert "rules." not in page.replace("rules.json", "").replace("rules.csv", "")
                assert f'<html lang="{lang}"' in page
            for twin in ("/rules", "/rules/firings", "/rules/commands"):
                assert len((await auditor.get(f"{twin}.json")).json()) == 1
                assert (await auditor.get(f"{twin}.csv")).text.count("\r\n") == 2
            trace = (await auditor.get(f"/rules/firings/{firing}/data.json")).json()
            assert [one["what"] for one in trace["lines"]] == ["fired", "case.open", "waiting"]
            case = (await auditor.get(f"/cases/{trace['case']}")).text
            assert f'href="/rules/firings/{firing}"' in case


async def test_an_empty_city_says_so(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "duty_officer") as officer:
        assert "There are no rules yet" in (await officer.get("/rules")).text
        assert "There are no commands" in (await officer.get("/rules/commands")).text
        await officer.get("/rules/urn:ngsi-ld:Rule:city:none", 404)
        await officer.get("/rules/trials/none", 404)


async def test_an_officer_reads_and_decides_and_does_not_edit(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await a_firing(house)
        (command,) = await house.city.rules.service.commands(manager())
        page = f"/rules/commands/{command.id}"
        async with signed_in(house, "duty_officer") as officer:
            await officer.get("/rules/new", 403)
            rule = (await officer.get(f"/rules/{command.rule}")).text
            assert "/switch" not in rule
            await officer.post(page, f"{page}/decide", 400, decision="approve", reason=" ")
            await officer.post(page, f"{page}/decide", decision="approve", reason="looked")
            await officer.post(
                "/rules/commands", f"{page}/decide", 409, decision="refuse", reason="x"
            )
        async with signed_in(house, "auditor") as auditor:
            await auditor.post(
                "/rules/commands", f"{page}/decide", 403, decision="refuse", reason="x"
            )


async def test_a_manager_makes_changes_and_undoes_and_is_told_of_mistakes(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager") as person:
        wrong = await person.post("/rules/new", "/rules/new", 422, **FORM | {"within": "soon"})
        assert 'href="#within">Within: write it as 10 s' in wrong.text
        wrong = await person.post("/rules/new", "/rules/new", 400, **FORM | {"q": "tilt>;"})
        assert "<mark>;</mark>" in wrong.text
        assert 'value="tilt&gt;;"' in wrong.text
        await person.post("/rules/new", "/rules/new", **FORM)
        page = "/rules/urn:ngsi-ld:Rule:city:lean"
        again = await person.post("/rules/new", "/rules/new", 409, **FORM)
        assert "There is a rule with this id already" in again.text
        await person.post(f"{page}/edit", f"{page}/edit", **FORM | {"q": "tilt>30", "version": "1"})
        await person.post(page, f"{page}/undo", 409, version="1")
        await person.post(page, f"{page}/undo", version="2")
        await person.post(page, f"{page}/switch", version="3", on="1")
        shown = (await person.get(f"{page}/data.json")).json()
        assert (shown["rule"]["spec"]["q"], shown["rule"]["is_on"]) == ("tilt>25", True)
        assert [one["version"] for one in shown["versions"]] == [4, 3, 2, 1]


async def test_a_form_without_its_token_changes_nothing(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager") as person:
        answer = await person._client.post("/rules/new", data=FORM)

        assert answer.status_code == 403
        assert await house.city.rules.service.rules(manager()) == []


async def test_a_trial_runs_shows_its_curve_and_can_be_read_by_machines(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager") as person:
        for tilt in (5, 30, 4, 31, 3):
            await tell(house, tilt=tilt)
        house.clock.advance(timedelta(seconds=1))
        await person.post("/rules/new", "/rules/new", **FORM)
        page = "/rules/urn:ngsi-ld:Rule:city:lean"
        begun = await person.post(page, f"{page}/try")
        trial = begun.headers["location"]
        async with asyncio.timeout(60):
            while (data := (await person.get(f"{trial}/data.json")).json())["state"] == "running":
                await asyncio.sleep(0.02)
        assert data["result"]["fired"] == 2
        shown = (await person.get(trial)).text
        assert "It would have fired 2 times" in shown
        assert shown.count("<svg") >= 2
        await person.post(page, f"{page}/try", 400, **{"from": "yesterday"})
        back: dict[str, Any] = {"from": "2026-11-22", "to": "2026-11-01"}
        begun = await person.post(page, f"{page}/try", **back)
        trial = begun.headers["location"]
        async with asyncio.timeout(60):
            while (data := (await person.get(f"{trial}/data.json")).json())["state"] == "running":
                await asyncio.sleep(0.02)
        assert "at most 400 days" in (await person.get(trial)).text


def test_the_command_line_tries_a_rule_and_names_a_mistake(tmp_path: Path) -> None:
    async def make() -> None:
        async with a_house(tmp_path) as house:
            for tilt in (5, 30, 4):
                await tell(house, tilt=tilt)

    asyncio.run(make())
    rule = tmp_path / "lean.toml"
    rule.write_text(
        'id = "lean"\nq = "tilt>25"\ntrust = "C"\non = { type = "Pole" }\n'
        'title = { zh = "歪", en = "Leans" }\nabout = { zh = "歪", en = "Leans" }\n'
        'source = { zh = "本市", en = "ours" }\n'
    )
    env = {"CHENGMAI_PACKS": json.dumps([str(Path(__file__).parent / "pack")])}
    span = ["--from", "2026-11-22T00:00:00Z", "--to", "2026-11-23T00:00:00Z"]
    asked = ["rules", "try", str(rule), *span, "--data", str(tmp_path), "--json"]
    done = CliRunner().invoke(app, asked, env=env)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["fired"], found["readings"], found["entities"]) == (1, 3, 1)

    rule.write_text(rule.read_text().replace("tilt>25", "tilt>>25"))
    wrong = CliRunner().invoke(app, asked, env=env)
    assert wrong.exit_code == 1
    assert "character 6" in str(wrong.exception)
