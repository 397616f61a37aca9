"""Writes docs/conformance.md from runs of the public NGSI-LD conformance suite.

    python -m tools.make_conformance --baseline KEYS --suite NAME@COMMIT --date 2026-11-22 RESULTS …

RESULTS are output.xml of Robot Framework, or results.json: `tests` (key `file::name` to PASS, FAIL, SKIP or
NOTRUN), `failing` (with the message of each) and `wall_seconds`. Where several hold a test, the last counts.
KEYS is a checkout of ETSI's own edition, or a JSON list of the keys of its tests. The rest are extensions.

A failing test needs its reason in tools/conformance_reasons.toml, and a reason needs a failing test: else the
exit status is 1 and the page says so.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

from tools.reference_words import cell, table

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "conformance.md"
REASONS = Path(__file__).with_name("conformance_reasons.toml")
CONDITIONS = """
- The program as it is in this repository, `chengmai serve`, on its embedded store in a new folder.
- A fresh broker for every group of tests: no state of one group reaches the next.
- One pack, `carbon`, which has no rules: the rules of packs are entities of the city, and a test that lists
  all types of a fresh broker would see them.
- `CHENGMAI_OPEN_ACCESS` and `CHENGMAI_PRIVATE_EGRESS`: the suite sends no credentials, and its receivers,
  context sources and contexts are on loopback.
- No network beside loopback, in a network namespace of its own. The contexts that the suite names are given by
  `CHENGMAI_CONTEXTS` from its checkout.
- Two remote contexts that the suite names are not in its checkout, and an empty one of ours stands in for each:
  `https://fiware.github.io/NGSI-LD_TestSuite/ldContext/testContext.jsonld` and
  `https://fiware.github.io/data-models/context.jsonld`.
- A real mosquitto for the tests over MQTT.
- Single-broker tests only; those between several brokers (`IOP_TP`) are not run.
"""
OWN = """
They are in `tests/conformance` and `tests/api`, run with `make test`, and need no checkout of any suite. Each
carries the clauses it checks, `@pytest.mark.clause("5.6.1")`, and another test holds every operation offered to
have one. `python -m pytest -m clause` runs them alone.
"""
EDITIONS = """
`baseline` are the single-broker tests that ETSI's own edition of the suite has too; `extensions` were added for
V1.9.1: tenants, entity maps, snapshots, transient entities, warnings, list properties, GeoJSON bodies.
"""
HOW = """
Needed are a checkout of the suite (`suite`) with what its README asks for, and one of ETSI's own edition,
commit `1d442dc` of the same repository (`suite-of-etsi`), which tells the baseline. The city is started under
the conditions above.
"""
THEN = """
A fresh broker for every group means a run for every folder: name every `output.xml`. A reason stands in
`tools/conformance_reasons.toml` by the key of its test. The last command ends with 1 when a failing test has
none, or when a reason is left for a test that passes.
"""


class NotResults(Exception):
    """A file that is not what the runner writes."""


@dataclass
class Run:
    """What several runs showed: key to outcome, key to message, seconds in all."""

    outcomes: dict[str, str] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, document: Mapping[str, Any]) -> None:
        """Take one results.json; raises `NotResults`."""
        try:
            self.outcomes |= document["tests"]
            self.messages |= {
                f"{one['file']}::{one['name']}": one["message"] for one in document["failing"]
            }
            self.seconds += float(document["wall_seconds"])
        except (KeyError, TypeError, ValueError) as error:
            raise NotResults(f"not what the runner writes: {error!r} is missing") from error

    def add_robot(self, path: Path) -> None:
        """Take one output.xml of Robot Framework; raises `NotResults`."""
        sources: list[str] = []
        try:
            for event, element in ElementTree.iterparse(path, ("start", "end")):
                if element.tag == "suite" and event == "start":
                    sources.append(element.get("source", ""))
                elif element.tag == "suite":
                    sources.pop()
                elif element.tag == "test" and event == "end":
                    self._add_test(sources[-1], element)
                    element.clear()
        except (ElementTree.ParseError, IndexError) as error:
            raise NotResults(f"{path} is no output of Robot Framework: {error}") from error

    def _add_test(self, source: str, test: ElementTree.Element) -> None:
        status = test.find("status")
        if status is None or "/TP/NGSI-LD/" not in source:
            return
        key = f"TP/NGSI-LD/{source.rpartition('/TP/NGSI-LD/')[2]}::{test.get('name')}"
        self.outcomes[key] = status.get("status", "NOTRUN")
        self.messages[key] = status.text or ""
        self.seconds += float(status.get("elapsed", 0))

    def failed(self) -> list[str]:
        """Return the keys that neither passed nor were skipped, in order."""
        return sorted(
            key for key, outcome in self.outcomes.items() if outcome not in ("PASS", "SKIP")
        )


def keys_of(checkout: Path) -> list[str]:
    """Return the keys of the single-broker tests of a checkout of the suite."""
    keys = []
    for file in sorted(checkout.glob("TP/NGSI-LD/**/*.robot")):
        inside = False
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("*"):
                inside = "test case" in line.lower()
            elif inside and line.strip() and line[0] not in " \t#":
                name = re.split(r"\t|\s{2,}", line.strip())[0]
                keys.append(f"{file.relative_to(checkout).as_posix()}::{name}")
    return keys


def group_of(key: str) -> str:
    """Return the group of a test: the folders of its file, at most three below `TP/NGSI-LD`."""
    parts = PurePosixPath(key.partition("::")[0]).parts[2:-1]
    deep = parts[:1] == ("ContextInformation",) and parts[1:2] in (("Consumption",), ("Provision",))
    return "/".join(parts[: 3 if deep else 2]) if parts[0] != "CommonBehaviours" else parts[0]


def page(
    run: Run,
    baseline: Iterable[str],
    reasons: Mapping[str, Mapping[str, str]],
    *,
    suite: str,
    on: str,
    command: str,
    note: str = "",
) -> str:
    """Return the text of the page."""
    base = set(baseline)
    known = {key: outcome for key, outcome in run.outcomes.items() if key in base}
    more = {key: outcome for key, outcome in run.outcomes.items() if key not in base}
    lines = [
        "# Conformance",
        "",
        "How far the API is what ETSI GS CIM 009 V1.9.1 says, measured with a public suite that is not ours.",
        "",
        f"Suite: {suite}. Run on {on}, {run.seconds:.0f} seconds. {note}".rstrip(),
        "",
        *table(
            ("tests", "passed", "failed", "total", "share"),
            [
                _row("ETSI's own (baseline)", known),
                _row("extensions for V1.9.1", more),
                _row("all", run.outcomes),
            ],
        ),
        "",
        *_lines(EDITIONS),
        "## By group",
        "",
        *_groups(known, more),
        "",
        "## What fails, and why",
        "",
        *_failures(run, reasons),
        "",
        "## Conditions",
        "",
        *_lines(CONDITIONS),
        "## Our own tests",
        "",
        *_lines(OWN),
        "## To make this page anew",
        "",
        *_how(command),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _lines(text: str) -> list[str]:
    return [*text.strip().splitlines(), ""]


def _row(name: str, outcomes: Mapping[str, str]) -> tuple[str, int, int, int, str]:
    total = len(outcomes)
    passed = sum(outcome == "PASS" for outcome in outcomes.values())
    share = f"{100 * passed / total:.1f} %" if total else "–"
    return name, passed, total - passed, total, share


def _groups(known: Mapping[str, str], more: Mapping[str, str]) -> list[str]:
    rows = []
    for group in sorted({group_of(key) for key in (*known, *more)}):
        cells: list[object] = [group]
        for outcomes in (known, more):
            mine = {key: one for key, one in outcomes.items() if group_of(key) == group}
            _, passed, failed, total, _ = _row(group, mine)
            cells += [passed, failed, total] if total else ["–", "–", "–"]
        rows.append(tuple(cells))
    head = ("group", "passed", "failed", "total", "passed (ext.)", "failed (ext.)", "total (ext.)")
    return table(head, rows)


def _failures(run: Run, reasons: Mapping[str, Mapping[str, str]]) -> list[str]:
    lines = []
    for key in run.failed():
        name = key.partition("::")[2]
        why = reasons.get(key)
        if why is None:
            message = cell(" ".join(run.messages.get(key, "").split())[:200])
            lines.append(
                f"- **{name}** ({group_of(key)}): no reason is known yet. It said: `{message}`"
            )
        else:
            quote = f" Clause {why['clause']}: “{why['quote']}”" if why.get("quote") else ""
            lines.append(f"- **{name}** ({group_of(key)}): {why['reason']}{quote}")
    return lines or ["Nothing."]


def _how(command: str) -> list[str]:
    return [*_lines(HOW), "```sh", *command.splitlines(), "```", "", *_lines(THEN)]


def unexplained(run: Run, reasons: Iterable[str]) -> list[str]:
    """Return what does not agree: failures without a reason, and reasons without a failure."""
    failed, known = set(run.failed()), set(reasons)
    return [f"no reason: {key}" for key in sorted(failed - known)] + [
        f"a reason, and it does not fail: {key}"
        for key in sorted((known - failed) & run.outcomes.keys())
    ]


def main(arguments: Sequence[str]) -> int:
    """Write the page; return 1 when failures and reasons do not agree, 2 when a file is not as it must be."""
    given = argparse.ArgumentParser(prog="make_conformance", description=__doc__)
    given.add_argument("results", nargs="+", type=Path)
    given.add_argument(
        "--baseline", type=Path, required=True, help="list of keys of ETSI's edition"
    )
    given.add_argument("--suite", required=True, help="name and commit of the suite")
    given.add_argument("--date", required=True, help="day of the run")
    given.add_argument("--note", default="", help="a sentence about the run")
    given.add_argument("--out", type=Path, default=PAGE)
    asked = given.parse_args(arguments)
    run = Run()
    try:
        for path in asked.results:
            if path.suffix == ".xml":
                run.add_robot(path)
            else:
                run.add(json.loads(path.read_text(encoding="utf-8")))
        if asked.baseline.is_dir():
            baseline = keys_of(asked.baseline)
        else:
            baseline = json.loads(asked.baseline.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError, NotResults) as problem:
        print(f"make_conformance: {problem}", file=sys.stderr)
        return 2
    reasons = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    command = (
        "chengmai serve --port 9090 --data city\n"
        "robot --pythonpath suite/libraries/robotframework-httpctrl/src --outputdir run \\\n"
        "  --variable url:http://localhost:9090/ngsi-ld/v1 suite/TP/NGSI-LD\n"
        "python -m tools.make_conformance --baseline suite-of-etsi \\\n"
        f"  --suite '{asked.suite}' --date {asked.date} run/output.xml"
    )
    text = page(
        run, baseline, reasons, suite=asked.suite, on=asked.date, command=command, note=asked.note
    )
    asked.out.write_text(text, encoding="utf-8")
    for line in (wrong := unexplained(run, reasons)):
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
