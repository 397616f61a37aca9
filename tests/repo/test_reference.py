"""The reference says what the code says."""

from __future__ import annotations

from tools.make_reference import FOLDER, pages


def test_the_committed_reference_is_what_the_code_gives() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
    made = pages()
    drifted = sorted(
        name for name in made.keys() | committed if made.get(name) != committed.get(name)
    )
    assert drifted == [], "run: python -m tools.make_reference"
