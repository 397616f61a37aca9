"""A replay that is killed goes on where it was: nothing that it took in is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import duckdb
import pytest

from chengmai.ngsild.entity import name_iri
from chengmai.store.sqlite.file import connect, load_or_make_key
from tests.fault.replayed import PAST, Record, kill_often, look, meter_id, record, replay_and_kill

pytestmark = pytest.mark.fault


async def test_six_kills_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    tally = await kill_often(tmp_path, kills=6, seed=20261122, longest_s=1.5)
    assert tally.findings == []
    assert tally.announced > PAST, "the replay must have got somewhere, or nothing was tested"
    assert tally.streamed > 0


def _lost_sealed(data: Path, _db: apsw.Connection) -> None:
    with duckdb.connect(str(data / "history.duckdb")) as sealed:
        sealed.execute(
            "DELETE FROM observation WHERE rowid ="
            " (SELECT rowid FROM observation ORDER BY at_s, sub_us LIMIT 1 OFFSET 1000)"
        )


def _doubled_sealed(data: Path, _db: apsw.Connection) -> None:
    with duckdb.connect(str(data / "history.duckdb")) as sealed:
        sealed.execute("INSERT INTO observation SELECT * FROM observation LIMIT 1")


def _old_state(_data: Path, db: apsw.Connection) -> None:
    ((doc,),) = db.execute("SELECT doc FROM entity WHERE id = ?", (meter_id("m1"),))
    entity = json.loads(doc)
    entity[name_iri("flow")][0]["value"] -= 1
    db.execute("UPDATE entity SET doc = ? WHERE id = ?", (json.dumps(entity), meter_id("m1")))


def _lost_audit(_data: Path, db: apsw.Connection) -> None:
    db.execute("DELETE FROM audit WHERE seq = (SELECT max(seq) - 1 FROM audit)")


def _old_cursor(_data: Path, db: apsw.Connection) -> None:
    db.execute("UPDATE feed_state SET state = json_set(state, '$.health.accepted', 5)")


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Record]]:
    """Return a folder that a killed replay left behind, and what was recorded."""
    folder = tmp_path_factory.mktemp("control")
    records = record(folder / "source", datetime.now(UTC))
    asyncio.run(replay_and_kill(folder / "source", folder / "data", 1.0, early=False))
    return folder / "data", records


async def test_an_honest_folder_has_nothing_wrong(replayed: tuple[Path, list[Record]]) -> None:
    data, records = replayed
    findings, accepted, _ = await look(data, records)
    assert findings == []
    assert accepted > 0


@pytest.mark.parametrize(
    ("harm", "seen"),
    [
        (_lost_sealed, "1 readings are lost"),
        (_doubled_sealed, "there twice"),
        (_old_state, "the state shows"),
        (_lost_audit, "missing"),
        (_old_cursor, "are counted"),
    ],
)
async def test_the_check_sees_a_loss(
    replayed: tuple[Path, list[Record]],
    tmp_path: Path,
    harm: Callable[[Path, Any], None],
    seen: str,
) -> None:
    data, records = replayed
    shutil.copytree(data, tmp_path / "data")
    await look(tmp_path / "data", records)
    db = connect(tmp_path / "data" / "state.db", load_or_make_key(tmp_path / "data" / "state.key"))
    harm(tmp_path / "data", db)
    db.close()
    findings, _, _ = await look(tmp_path / "data", records)
    assert any(seen in finding for finding in findings), findings
