"""The page of the suite's outcome says what the runs showed, and keeps no silence about a failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.make_conformance import PAGE, NotResults, Run, group_of, keys_of, main, page, unexplained

FILE = "TP/NGSI-LD/ContextInformation/Provision/Entities/Create/001.robot"
EXTRA = "TP/NGSI-LD/ContextInformation/Snapshot/5161.robot"


def results(**outcomes: str) -> dict[str, Any]:
    tests = {
        f"{EXTRA if name.startswith('x') else FILE}::{name}": one for name, one in outcomes.items()
    }
    failing = [
        {"file": key.partition("::")[0], "name": key.partition("::")[2], "message": "201 != 404"}
        for key, one in tests.items()
        if one == "FAIL"
    ]
    return {"tests": tests, "failing": failing, "wall_seconds": 2.5}


def written(run: Run, reasons: dict[str, dict[str, str]]) -> str:
    baseline = [key for key in run.outcomes if key.startswith(FILE)]
    return page(run, baseline, reasons, suite="suite@1", on="2026-11-22", command="make it")


def test_every_group_is_counted_for_the_baseline_and_the_extensions() -> None:
    run = Run()
    run.add(results(one="PASS", two="FAIL", x="PASS"))
    text = written(run, {})
    assert "| ETSI's own (baseline) | 1 | 1 | 2 | 50.0 % |" in text
    assert "| extensions for V1.9.1 | 1 | 0 | 1 | 100.0 % |" in text
    assert "| ContextInformation/Provision/Entities | 1 | 1 | 2 | – | – | – |" in text
    assert "| ContextInformation/Snapshot | – | – | – | 1 | 0 | 1 |" in text


def test_a_later_run_of_a_test_counts() -> None:
    run = Run()
    run.add(results(one="FAIL"))
    run.add(results(one="PASS"))
    assert run.failed() == []
    assert run.seconds == 5


def test_a_failure_is_told_with_its_reason_or_as_one_that_has_none() -> None:
    run = Run()
    run.add(results(one="FAIL", two="FAIL"))
    why = {"reason": "It wants 200.", "clause": "5.6.1", "quote": "shall be 201"}
    text = written(run, {f"{FILE}::one": why})
    assert "It wants 200. Clause 5.6.1: “shall be 201”" in text
    assert "no reason is known yet. It said: `201 != 404`" in text
    assert unexplained(run, [f"{FILE}::one"]) == [f"no reason: {FILE}::two"]


def test_a_reason_for_a_test_that_passes_is_an_error() -> None:
    run = Run()
    run.add(results(one="PASS"))
    assert len(unexplained(run, [f"{FILE}::one"])) == 1
    assert unexplained(run, ["not run"]) == []


@pytest.mark.parametrize(
    "text", ["{}", "[]", "{", '{"tests": {}, "failing": [], "wall_seconds": "x"}']
)
def test_a_file_that_is_no_result_is_refused_and_nothing_is_written(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "results.json").write_text(text)
    (tmp_path / "keys.json").write_text("[]")
    given = ["--baseline", str(tmp_path / "keys.json"), "--suite", "s@1", "--date", "2026-11-22"]
    out = tmp_path / "page.md"
    assert main([*given, "--out", str(out), str(tmp_path / "results.json")]) == 2
    assert not out.exists()


def test_the_page_is_written(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(results(one="PASS")))
    (tmp_path / "keys.json").write_text(json.dumps([f"{FILE}::one"]))
    given = ["--baseline", str(tmp_path / "keys.json"), "--suite", "s@1", "--date", "2026-11-22"]
    out = tmp_path / "page.md"
    assert main([*given, "--out", str(out), str(tmp_path / "results.json")]) == 0
    assert "Run on 2026-11-22" in out.read_text()


def test_not_results_is_told() -> None:
    with pytest.raises(NotResults):
        Run().add({"tests": {}})


def test_an_output_of_robot_framework_is_read_as_well(tmp_path: Path) -> None:
    path = tmp_path / "output.xml"
    path.write_text(
        f"""<robot><suite name="s" source="/x/TP"><suite name="001" source="/x/{FILE}">
        <test name="one"><kw><status status="FAIL"/></kw><status status="PASS" elapsed="1.5"/></test>
        <test name="two"><status status="FAIL" elapsed="1">201 != 404</status></test>
        </suite></suite></robot>"""
    )
    run = Run()
    run.add_robot(path)
    assert run.outcomes == {f"{FILE}::one": "PASS", f"{FILE}::two": "FAIL"}
    assert run.messages[f"{FILE}::two"] == "201 != 404"
    assert run.seconds == 2.5
    path.write_text("<robot>")
    with pytest.raises(NotResults):
        run.add_robot(path)


def test_the_tests_of_a_checkout_are_named(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.parent.mkdir(parents=True)
    file.write_text(
        "*** Settings ***\nLibrary  X\n\n*** Test Cases ***\n001 One\n    Do  it\n# no\n"
    )
    assert keys_of(tmp_path) == [f"{FILE}::001 One"]


def test_groups_are_folders() -> None:
    assert group_of("TP/NGSI-LD/CommonBehaviours/043.robot::x") == "CommonBehaviours"
    assert group_of(f"{FILE}::x") == "ContextInformation/Provision/Entities"
    assert group_of("TP/NGSI-LD/ContextSource/Discovery/036.robot::x") == "ContextSource/Discovery"


def test_the_committed_page_was_made_by_the_tool() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.startswith("# Conformance\n")
    assert "tools.make_conformance" in text
