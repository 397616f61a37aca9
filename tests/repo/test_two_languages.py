"""What exists in both languages says the same in both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chengmai.cases.words import STATE_WORDS
from tests.repo.documents import ROOT, blocks, commands

PAIRS = [
    (ROOT / "README.md", ROOT / "README.zh-CN.md"),
    *(
        (page, page.with_name(page.name.replace(".en.", ".zh-CN.")))
        for page in sorted(ROOT.glob("docs/use/*.en.md"))
    ),
]
_NOT_TWINS = {"README", "README.md", "README.zh-CN.md"}


def shape(page: Path) -> dict[str, object]:
    """Return what does not depend on the language: headings, rows, items, pictures."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return {
        "headings": [line.split()[0] for line in lines if re.match(r"#+ ", line)],
        "rows": sum(line.startswith("|") for line in lines),
        "items": sum(bool(re.match(r" *([-*]|\d+\.) ", line)) for line in lines),
        "pictures": sum(line.startswith("![") for line in lines),
    }


def targets(page: Path) -> list[str]:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    plain = (re.sub(r"(-en|-zh)\.png$|\.(en|zh-CN)\.md$", "", link) for link in links)
    return sorted(link for link in plain if link not in _NOT_TWINS)


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=lambda page: page.name)
def test_a_page_and_its_twin_have_one_shape(english: Path, chinese: Path) -> None:
    assert shape(english) == shape(chinese)


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=lambda page: page.name)
def test_a_page_and_its_twin_show_the_same_commands_and_files(english: Path, chinese: Path) -> None:
    def shown(page: Path) -> list[object]:
        shell = [list(commands(block)) for block in blocks(page, "sh")]
        return [*shell, *(block.text for block in blocks(page, "toml", "json"))]

    assert shown(english) == shown(chinese)


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=lambda page: page.name)
def test_a_page_and_its_twin_link_to_the_same_places(english: Path, chinese: Path) -> None:
    assert targets(english) == targets(chinese)


def test_every_page_of_use_has_a_twin() -> None:
    pages = {page.name for page in ROOT.glob("docs/use/*.md")} - {"README.md"}
    assert pages == {page.name for pair in PAIRS[1:] for page in pair}


def test_the_glossary_has_the_words_of_the_screens() -> None:
    rows = {
        tuple(cell.strip().strip("`") for cell in line.strip("|").split("|"))
        for line in (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    }
    assert {
        (words.zh, words.en.lower(), str(state)) for state, words in STATE_WORDS.items()
    } <= rows
