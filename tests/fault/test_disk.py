"""A disk that fills up, and files that are not what they were."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chengmai.ngsild.entity import name_iri
from chengmai.store.problems import StoreFailed, StoreFull, StoreUnreadable
from tests.api.house import House, a_house, a_station, created, number

pytestmark = pytest.mark.fault


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder that is a file system of 32 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(folder: Path, *, leave: int) -> Path:
    """Write a file that leaves so many bytes free."""
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    ballast = folder / "ballast"
    ballast.write_bytes(b"\0" * max(0, free - leave))
    return ballast


async def _until_full(house: House) -> int:
    """Create entities until one is refused for want of space; return how many there are."""
    for n in range(10_000):
        entity = {"id": f"urn:x:{n}", "type": "T", "a": {"type": "Property", "value": "x" * 20_000}}
        response = await house.ask("POST", "/entities", entity)
        if response.status_code != 201:
            assert response.status_code == 507, response.text
            problem = response.json()
            assert problem["code"] == "store.full"
            assert problem["fix"]
            assert "Retry-After" in response.headers
            return n
    raise AssertionError("the disk never filled up")


async def test_a_full_disk_refuses_writes_and_nothing_else(small_disk: Path) -> None:
    async with a_house(small_disk / "data") as house:
        await created(house, a_station())
        ballast = _fill(small_disk, leave=2 * 1024 * 1024)
        count = await _until_full(house)
        assert count > 10
        for _ in range(20):
            note = {"type": "Property", "value": "x" * 5000}
            refused = await house.ask("POST", "/entities", a_station("urn:x:no", note=note))
            assert refused.status_code in (201, 409, 507)
        found = await house.ask("GET", "/entities?type=T&limit=0&count=true")
        assert int(found.headers["NGSILD-Results-Count"]) == count
        assert (await house.get("/entities/urn:x:0"))["type"] == "T"
        assert await house.get(f"/temporal/entities/{a_station()['id']}?lastN=1")
        ballast.unlink()
        await created(house, a_station("urn:x:again"))
        await house.city.store.history.seal()
        assert (await house.get("/entities/urn:x:again"))["id"] == "urn:x:again"
        assert await house.broken() == []
    async with a_house(small_disk / "data") as house:
        assert (await house.get(f"/entities/urn:x:{count - 1}"))["type"] == "T"


async def test_sealing_on_a_full_disk_loses_nothing_and_goes_on_later(small_disk: Path) -> None:
    async with a_house(small_disk / "data") as house:
        path = f"/entities/{a_station()['id']}/attrs/pm25"
        await created(house, a_station(pm25=number(0, "2026-11-01T00:00:00Z")))
        for n in range(1, 60):
            body = {"value": n, "observedAt": f"2026-11-01T00:{n:02}:00Z"}
            assert (await house.ask("PATCH", path, body)).status_code == 204
        await house.city.store.history.seal(at_most=10)
        ballast = _fill(small_disk, leave=0)
        with pytest.raises(StoreFull) as refused:
            await house.city.store.history.seal()
        assert refused.value.fix
        every = [float(n) for n in range(60)]
        assert await _recorded(house) == every
        ballast.unlink()
        while await house.city.store.history.seal():
            pass
        assert await _recorded(house) == every


async def _recorded(house: House) -> list[float]:
    points = await house.city.history.numbers("city", a_station()["id"], name_iri("pm25"), 0, 2**62)
    return [value for _, value in points]


def _first_byte(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[100] ^= 1
    path.write_bytes(bytes(raw))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _nonsense(path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)


def _plain(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + path.read_bytes()[16:])


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("state.db", _first_byte),
        ("state.db", _cut),
        ("state.db", _nonsense),
        ("state.db", _plain),
        ("history.duckdb", _nonsense),
        ("history.duckdb", _cut),
        ("history.duckdb", Path.unlink),
        ("state.key", _nonsense),
        ("state.key", Path.unlink),
    ],
)
async def test_a_damaged_file_is_refused_with_advice_and_left_as_it_is(
    tmp_path: Path, name: str, harm: Callable[[Path], Any]
) -> None:
    data = tmp_path / "data"
    async with a_house(data) as house:
        for n in range(50):
            await created(house, a_station(f"urn:x:{n}"))
        await house.city.store.history.seal()
    (data / name).chmod(0o600)
    harm(data / name)
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    with pytest.raises(StoreUnreadable) as refused:
        async with a_house(data):
            pass
    assert refused.value.fix
    after = {path.name: path.read_bytes() for path in data.iterdir()}
    changed = {n for n in before if before[n] != after.get(n) and not n.endswith(("-shm", "-wal"))}
    assert changed == set()


@pytest.mark.parametrize("place", [0.3, 0.45, 0.7, 0.95])
async def test_a_flipped_bit_is_never_read_as_data(tmp_path: Path, place: float) -> None:
    data = tmp_path / "data"
    async with a_house(data) as house:
        for n in range(200):
            await created(house, a_station(f"urn:x:{n}"))
    raw = bytearray((data / "state.db").read_bytes())
    raw[int(len(raw) * place)] ^= 1
    (data / "state.db").write_bytes(raw)
    try:
        async with a_house(data) as house:
            for n in range(200):
                response = await house.ask("GET", f"/entities/urn:x:{n}")
                # The page that was hit cannot be read; what is read is right.
                assert response.status_code in (200, 503), response.text
                if response.status_code == 200:
                    assert response.json() == a_station(f"urn:x:{n}")
                else:
                    assert response.json()["code"] == "store.failed"
    except (StoreUnreadable, StoreFailed):
        return
