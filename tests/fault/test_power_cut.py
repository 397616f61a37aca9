"""The power goes: whatever part of the unsynced writes the disk kept, what was answered is there, once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fault.powercut import cut_often

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
]


async def test_a_power_cut_loses_nothing_acknowledged_and_doubles_nothing(tmp_path: Path) -> None:
    tally = await cut_often(tmp_path, 20, seed=11)
    assert tally.findings == []
    assert tally.answers > 1000
    assert tally.syncs > 20


async def test_the_check_sees_what_a_store_without_syncs_loses(tmp_path: Path) -> None:
    tally = await cut_often(tmp_path, 8, seed=12, careless=True)
    assert tally.findings != []
