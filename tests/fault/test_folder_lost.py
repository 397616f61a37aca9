"""A data folder that becomes read-only, or goes away, under a running city."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chengmai.store.problems import StoreUnreadable
from tests.api.house import House, a_house, a_station, created

pytestmark = pytest.mark.fault


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder that is a file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = _mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder))
    if done.returncode != 0:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _mount(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mount", *options], capture_output=True, text=True, check=False)


def _remount(folder: Path, how: str) -> None:
    done = _mount("-o", f"remount,{how}", str(folder))
    if done.returncode != 0:
        pytest.skip(f"the file system cannot be made {how} here: {done.stderr.strip()}")


async def _refused(house: House, entity_id: str) -> dict[str, str]:
    answer = await house.ask("POST", "/entities", a_station(entity_id))
    assert answer.status_code in (503, 507), answer.text
    problem: dict[str, str] = answer.json()
    assert problem["code"].startswith("store.")
    assert problem["fix"]
    return problem


async def test_a_folder_that_may_only_be_read_is_refused_at_the_start(disk: Path) -> None:
    async with a_house(disk / "data") as house:
        await created(house, a_station())
    before = {path.name: path.read_bytes() for path in (disk / "data").iterdir()}
    _remount(disk, "ro")
    with pytest.raises(StoreUnreadable) as refused:
        async with a_house(disk / "data"):
            pass
    assert "writ" in (refused.value.fix or "") + refused.value.detail
    assert {path.name: path.read_bytes() for path in (disk / "data").iterdir()} == before


async def test_a_folder_that_vanishes_has_no_write_acknowledged_into_nothing(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    async with a_house(data) as house:
        await created(house, a_station())
        shutil.rmtree(data)
        problem = await _refused(house, "urn:x:lost")
        assert str(data) in problem["detail"]
        await _refused(house, "urn:x:lost-too")


async def test_a_file_put_in_the_place_of_the_open_one_is_noticed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with a_house(data) as house:
        await created(house, a_station())
        shutil.copy(data / "state.db", data / "copy")
        (data / "copy").rename(data / "state.db")
        await _refused(house, "urn:x:elsewhere")
