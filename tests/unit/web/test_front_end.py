"""The browser libraries are pinned with their hashes and nothing but them; what pages weigh is bounded."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

from chengmai.web.cockpit.build import WEB
from tests.unit.web.builders import signed_in

ROOT = Path(__file__).parents[3]
PAGE_BUDGET_KB = 60


def test_libraries_are_pinned_exactly() -> None:
    package = json.loads((ROOT / "package.json").read_text("utf-8"))
    versions = [*package["dependencies"].values(), *package["devDependencies"].values()]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)


def test_the_lockfile_holds_a_hash_for_every_package_and_no_address() -> None:
    text = (ROOT / "package-lock.json").read_text("utf-8")
    packages = {path: entry for path, entry in json.loads(text)["packages"].items() if path}
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert '"resolved"' not in text


def test_islands_are_short() -> None:
    lengths = {
        f.name: len(f.read_text("utf-8").splitlines()) for f in (WEB / "static").glob("*.mjs")
    }
    assert {name: n for name, n in lengths.items() if n > 250} == {}


def test_a_page_without_a_map_is_light() -> None:
    client = signed_in()
    page = client.get("/cases").text
    paths = set(re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|mjs|svg))"', page))
    paths |= set(re.findall(r'"(/static/[^"]+/(?:htmx|live|keys)\.mjs)"', page))
    weight = len(gzip.compress(page.encode())) + sum(
        len(gzip.compress(client.get(path).content)) for path in paths
    )
    assert weight < PAGE_BUDGET_KB * 1024


def test_colours_are_tokens() -> None:
    sheets = [
        f for f in (WEB / "static").glob("*.css") if not f.name.startswith(("tokens", "print"))
    ]
    raw = {f.name: re.findall(r"#[0-9a-f]{6}\b", f.read_text("utf-8")) for f in sheets}
    assert {name: found for name, found in raw.items() if found} == {}


def test_both_themes_give_every_colour() -> None:
    light, dark = (
        set(re.findall(r"(--[\w-]+): #", (WEB / "static" / name).read_text("utf-8")))
        for name in ("tokens.css", "tokens-dark.css")
    )
    assert light == dark
