"""What the tests of the repository read: its files, and the blocks of its documents."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(path for path in ROOT.glob("docs/**/*.md") if path.parent.name != "reference"),
    ]
)
_BLOCK = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.M | re.S)
_SUBSTITUTED = re.compile(r"^\w+=\$\((?P<inner>.*)\)$")


@dataclass(frozen=True)
class Block:
    """A fenced block: `kind` is the word after the fence."""

    page: Path
    kind: str
    text: str


def blocks(page: Path, *kinds: str) -> list[Block]:
    """Return the blocks of a page, of some kinds only where these are given."""
    text = page.read_text(encoding="utf-8")
    found = [Block(page, match["kind"], match["text"]) for match in _BLOCK.finditer(text)]
    return [block for block in found if not kinds or block.kind in kinds]


def commands(block: Block) -> Iterator[list[str]]:
    """Yield the words of each command of a shell block, without comments and variables set before it."""
    waiting = ""
    for line in block.text.splitlines():
        waiting = f"{waiting}\n{line}" if waiting else line.strip()
        inner = _SUBSTITUTED.match(waiting)
        try:
            words = shlex.split(inner["inner"] if inner else waiting, comments=True)
        except ValueError:
            continue  # a quote is still open
        waiting = ""
        while words and re.fullmatch(r"\w+=.*", words[0], re.S):
            words = words[1:]
        if words:
            yield words
    assert not waiting, f"{block.page}: a quote is never closed"


def pages_of_packs() -> list[Path]:
    """Return the documents that show files of packs."""
    return [page for page in DOCUMENTS if blocks(page, "toml")]


def write_packs(page: Path, folder: Path) -> list[Path]:
    """Write the files of packs that a page shows into `folder`, over the shipped packs; return the packs."""
    packs = set()
    for block in blocks(page, "toml"):
        first = block.text.splitlines()[0]
        assert re.fullmatch(r"# [\w./-]+\.toml", first), f"{page}: say in the first line which file"
        file = folder / first.removeprefix("# ")
        pack = folder / Path(
            *file.relative_to(folder).parts[: -1 if file.name == "pack.toml" else -2]
        )
        shipped = ROOT / pack.relative_to(folder)
        if shipped.is_dir() and not pack.exists():
            shutil.copytree(shipped, pack)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, encoding="utf-8")
        packs.add(pack)
    return sorted(packs)


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files that git knows; skips where there is no git."""
    try:
        done = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs the git work tree: {error}")
    return tuple(ROOT / name for name in done.stdout.split("\0") if name)
