"""What the documents show is tried: pack files, commands, requests, JSON, links."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer
import typer.main

from chengmai.checking import check_packs as check_everything
from chengmai.cli.main import app
from chengmai.kernel.problems import Problem
from chengmai.packs import check_packs, read_packs, shipped_packs
from chengmai.packs.model import Pack, VitalSpec
from chengmai.vitals.signs import tables_of, views_of
from chengmai.vitals.sql import check_sql
from tests.api.house import a_house
from tests.repo.documents import (
    DOCUMENTS,
    ROOT,
    blocks,
    commands,
    pages_of_packs,
    write_packs,
)

OTHER_PROGRAMS = {
    "cp",
    "curl",
    "export",
    "mv",
    "pip",
    "python",
    "python3",
    "robot",
    "schemathesis",
    "systemctl",
}
FLAGS_OF_CURL = {"-H": "header", "-X": "method", "-d": "body"}
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.M)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", pages_of_packs(), ids=name)
def test_the_pack_files_of_a_page_pass_the_linter(page: Path, tmp_path: Path) -> None:
    packs = read_packs(write_packs(page, tmp_path))
    every = [*packs, *_shipped(packs)]
    views, tables = views_of([spec for pack in every for spec in pack.entities]), tables_of(every)

    def engine(vital: VitalSpec) -> list[str]:
        try:
            check_sql(vital.sql, views, tables=tables)
        except Problem as problem:
            return [problem.detail]
        return []

    assert [str(finding) for finding in check_packs(packs, sql_check=engine)] == []


def _shipped(instead: list[Pack]) -> list[Pack]:
    replaced = {pack.info.id for pack in instead}
    return [pack for pack in read_packs([shipped_packs()]) if pack.info.id not in replaced]


def test_the_first_pack_is_one_more_beside_the_ten(tmp_path: Path) -> None:
    waste = read_packs(write_packs(ROOT / "docs/start/first-pack.md", tmp_path))
    shipped = read_packs([shipped_packs()])
    assert [pack.info.id for pack in waste] == ["waste"]
    assert len(shipped) == 10
    assert check_packs([*shipped, *waste]) == []
    assert not [path for path in tmp_path.rglob("*.*") if path.suffix != ".toml"]


def test_the_first_pack_does_what_its_page_says(tmp_path: Path) -> None:
    result = check_everything(write_packs(ROOT / "docs/start/first-pack.md", tmp_path))
    assert [str(finding) for finding in result.findings] == []
    assert (result.packs, result.signs, result.expectations) == (1, 1, 1)


@pytest.mark.parametrize("page", DOCUMENTS, ids=name)
def test_the_commands_of_a_page_exist(page: Path) -> None:
    for block in blocks(page, "sh"):
        for words in commands(block):
            program = Path(words[0]).name
            if program == "chengmai":
                _check_chengmai(words[1:])
            elif program == "make":
                _check_make(words[1:])
            else:
                assert program in OTHER_PROGRAMS, f"{name(page)}: {' '.join(words)}"


def _check_chengmai(words: list[str]) -> None:
    command = typer.main.get_command(app)
    while (inside := getattr(command, "commands", None)) and words and words[0] in inside:
        command, words = inside[words[0]], words[1:]
    if getattr(command, "commands", None):
        assert words == ["--version"], f"chengmai has no command {words}"
        return
    command.make_context("chengmai", list(words))  # raises on an unknown option or value


def _check_make(words: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in words:
        variable, is_set, _ = word.partition("=")
        known = rf"^{variable} \?=" if is_set else rf"^{re.escape(word)}:"
        assert re.search(known, makefile, re.M), f"the Makefile has no {word}"


@pytest.mark.parametrize("page", DOCUMENTS, ids=name)
def test_the_json_of_a_page_is_json(page: Path) -> None:
    for block in blocks(page, "json"):
        json.loads(block.text)


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", "docs/build/api.md"])
async def test_the_requests_of_a_page_succeed(page: str, tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        for block in blocks(ROOT / page, "sh"):
            for words in commands(block):
                if words[0] != "curl":
                    continue
                asked = _curl(words[1:], house.bearer)
                response = await house.client.request(**asked)
                assert response.status_code < 300, f"{asked['url']}: {response.text}"


def _curl(words: list[str], token: str) -> dict[str, Any]:
    given: dict[str, list[str]] = {"header": [], "method": [], "body": [], "url": []}
    for before, word in pairwise(["", *words]):
        if word not in FLAGS_OF_CURL:
            given[FLAGS_OF_CURL.get(before, "url")].append(word)
    (url,) = given["url"]
    parts = urlsplit(url)
    body = given["body"]
    headers = [line.replace("$TOKEN", token).split(": ", 1) for line in given["header"]]
    return {
        "method": given["method"][0] if given["method"] else "POST" if body else "GET",
        "url": f"{parts.path}?{parts.query}" if parts.query else parts.path,
        "headers": dict(headers),
        "content": body[0].encode() if body else None,
    }


@pytest.mark.parametrize("page", [*DOCUMENTS, *ROOT.glob("docs/reference/*.md")], ids=name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in _LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name(page)} links to {link}"
        if anchor:
            assert anchor in _anchors(target), f"{name(page)} links to {link}"


def _anchors(page: Path) -> set[str]:
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }
