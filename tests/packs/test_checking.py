"""`chengmai pack check`: queries are run, expectations are played, and both are told of as they go."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chengmai.checking import check_packs
from chengmai.packs.reader import shipped_packs


@pytest.fixture
def carbon(tmp_path: Path) -> Path:
    """A copy of the carbon pack with one of its expectations."""
    folder = tmp_path / "carbon"
    shutil.copytree(shipped_packs() / "carbon", folder)
    for path in folder.glob("expect/*.toml"):
        if path.name != "emission_2022.toml":
            path.unlink()
    return folder


def test_a_pack_in_order_is_checked_step_by_step_to_the_end(carbon: Path) -> None:
    told: list[tuple[int, int]] = []
    result = check_packs([carbon], advance=lambda done, total: told.append((done, total)))
    assert result.findings == []
    assert result.expectations == 1
    assert told == [(1, 2), (2, 2)]


def test_an_expectation_that_does_not_come_true_is_told(carbon: Path) -> None:
    (path,) = carbon.glob("expect/*.toml")
    said = path.read_text(encoding="utf-8")
    path.write_text(said.replace('level = "normal"', 'level = "act"'), encoding="utf-8")
    found = check_packs([carbon]).findings
    assert [finding.file for finding in found] == ["carbon/expect"] * len(found) != []
    assert "expected act" in found[0].message


def test_a_query_that_cannot_be_run_is_found_without_an_expectation_of_its_sign(
    carbon: Path,
) -> None:
    path = carbon / "vitals" / "pue.toml"
    head, _, tail = path.read_text(encoding="utf-8").partition("sql = '''")
    broken = "\nSELECT area, tick, avg(area) AS value FROM data_centre GROUP BY area, tick\n"
    path.write_text(f"{head}sql = '''{broken}'''{tail.partition(chr(39) * 3)[2]}", encoding="utf-8")
    for one in carbon.glob("expect/*.toml"):
        one.unlink()
    (found,) = check_packs([carbon]).findings
    assert (found.file, found.key) == ("carbon/vitals", "pue")
    assert "avg" in found.message
