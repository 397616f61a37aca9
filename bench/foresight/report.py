"""What a protocol found: a table with its conditions, printed, and kept as one section of docs/foresight.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from chengmai import __version__

PAGE = Path(__file__).parent.parent.parent / "docs" / "foresight.md"


@dataclass(frozen=True)
class Report:
    """One protocol's outcome.

    `rows` are texts under `columns`; every table that holds an error holds the naive error beside it.
    `facts` are the conditions the protocol itself knows (seed, data, model version, seconds).
    """

    name: str
    title: str
    about: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    facts: Sequence[tuple[str, str]] = ()
    reads: bool = True
    """Whether it reads recorded data; what is made up needs no folder."""

    def markdown(self) -> str:
        """Return the section as it stands in the page."""
        folder = " --data FOLDER" if self.reads else ""
        lines = [
            f"## {self.title}",
            "",
            self.about,
            "",
            "| " + " | ".join(self.columns) + " |",
            "| --- |" + " ---: |" * (len(self.columns) - 1),
            *("| " + " | ".join(row) + " |" for row in self.rows),
            "",
            f"`python -m bench.foresight {self.name}{folder}` · {self._conditions()}",
        ]
        return "\n".join(lines)

    def _conditions(self) -> str:
        common = (
            ("on", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")),
            ("chengmai", __version__),
            ("python", platform.python_version()),
            ("numpy", np.__version__),
            ("cores", str(os.cpu_count())),
            ("load", f"{os.getloadavg()[0]:.1f}"),
        )
        return ", ".join(f"{key} {value}" for key, value in (*self.facts, *common))


def write_section(report: Report, page: Path = PAGE) -> None:
    """Put the report in its place in the page, between its two marks; the rest stays as it is."""
    text = page.read_text(encoding="utf-8") if page.exists() else "# Foresight, measured\n"
    start, end = f"<!-- {report.name} -->", f"<!-- /{report.name} -->"
    section = f"{start}\n{report.markdown()}\n{end}"
    if start in text and end in text:
        before, rest = text.split(start, 1)
        text = before + section + rest.split(end, 1)[1]
    else:
        text = f"{text.rstrip()}\n\n{section}\n"
    page.write_text(text, encoding="utf-8")
