"""The wheel carries everything a city needs: a wheel without its screens is a classic accident."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.repo.documents import ROOT, tracked

VENDOR = "src/chengmai/web/static/vendor"
DATA = (".sql", ".po", ".html", ".css", ".mjs", ".svg", ".toml", ".geojson", ".jsonld", ".json")


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[str]]:
    """Return the names inside a wheel that was built just now."""
    for module in ("build", "hatchling"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: make test installs it")
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = Path(folder).glob("*.whl")
    with ZipFile(wheel) as opened:
        yield set(opened.namelist())


def expected(folder: str, inside: str) -> set[str]:
    """Return the names that the tracked data files below `folder` must have in the wheel."""
    files = [file.relative_to(ROOT) for file in tracked() if file.exists()]
    found = [
        file for file in files if file.is_relative_to(folder) and file.suffix in (*DATA, ".py")
    ]
    return {f"{inside}/{file.relative_to(folder)}" for file in found}


def test_the_wheel_carries_every_module_and_every_data_file(carried: set[str]) -> None:
    assert expected("src/chengmai", "chengmai") - carried == set()


@pytest.mark.parametrize(
    "kind",
    [
        "store/sqlite/sql/0001_model.sql",
        "web/catalogs/zh_CN.po",
        "web/catalogs/en.po",
        "web/cockpit/base.html",
        "web/static/tokens.css",
        "web/static/app.mjs",
        "connect/simulate/town.geojson",
        "ngsild/data/core-context.jsonld",
        "cases/data/holidays-cn.toml",
    ],
)
def test_the_wheel_carries_each_kind_of_data(carried: set[str], kind: str) -> None:
    assert f"chengmai/{kind}" in carried


def test_the_wheel_carries_the_packs(carried: set[str]) -> None:
    packs = expected("packs", "chengmai/_packs")
    names = {
        f"chengmai/_packs/{pack}/pack.toml"
        for pack in ("environment", "health", "power", "transport")
    }
    assert names <= packs <= carried


def test_the_wheel_carries_the_built_browser_libraries(carried: set[str]) -> None:
    if not any((ROOT / VENDOR).glob("*.mjs")):
        pytest.skip("the browser libraries are not built here: make front-end builds them")
    built = [
        file for file in (ROOT / VENDOR).rglob("*") if file.is_file() and file.name != ".built"
    ]
    assert {f"chengmai/{file.relative_to(ROOT / 'src/chengmai')}" for file in built} <= carried
    assert any(name.startswith("chengmai/web/static/vendor/licences/") for name in carried)


def test_the_wheel_carries_no_tests_and_no_data_of_a_city(carried: set[str]) -> None:
    assert [name for name in carried if not name.startswith(("chengmai/", "chengmai-"))] == []
    assert [name for name in carried if name.endswith((".db", ".key", ".duckdb", ".pyc"))] == []


def test_installing_the_wheel_is_documented() -> None:
    text = (ROOT / "docs/run/install.md").read_text(encoding="utf-8")
    assert "make wheel" in text
    assert "python3 -m venv" in text
    assert "pip install --no-deps dist/chengmai-" in text
