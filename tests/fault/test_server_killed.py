"""A server that is killed while many write to it: what it acknowledged is there, once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fault.ledger import Ledger, look, write_and_kill
from tests.fault.processes import a_token
from tests.fault.replayed import PACK

pytestmark = pytest.mark.fault


async def test_three_kills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    data, ledger, luck = tmp_path / "data", Ledger(), random.Random(7)
    token = await a_token(data, PACK, "manager")
    for _ in range(3):
        await write_and_kill(data, PACK, token, ledger, luck)
        assert await look(data, PACK, ledger) == []
    assert ledger.refused == 0
    assert ledger.answers >= 60


async def test_the_check_sees_a_write_that_is_not_there(tmp_path: Path) -> None:
    data, ledger = tmp_path / "data", Ledger()
    token = await a_token(data, PACK, "manager")
    await write_and_kill(data, PACK, token, ledger, random.Random(8))
    some = max(ledger.acknowledged)
    ledger.acknowledged[some] += 2
    ledger.open.pop(some, None)
    ledger.acknowledged["urn:ngsi-ld:Counter:never"] = 0
    findings = await look(data, PACK, ledger)
    assert len([finding for finding in findings if "was acknowledged" in finding]) == 2
