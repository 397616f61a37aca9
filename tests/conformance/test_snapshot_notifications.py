"""What becomes of a snapshot is told to its endpoint (clauses 5.16.6, 5.3.4, 5.2.41)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chengmai.broker.snapshots import model, telling
from tests.api.house import House, a_house, created
from tests.api.receiver import Receiver, a_receiver
from tests.conformance.test_snapshots import ALL, BUSES, EVER, ONE, a_bus, a_snapshot, ready, taken

PASSWORD = {"key": "Authorization", "value": "Bearer ours"}


async def told(receiver: Receiver, count: int = 1) -> dict[str, Any]:
    """Return the last of so many notifications."""
    return (await receiver.wait_for(count))[-1].body


@pytest.mark.clause("5.16.1", "5.16.6", "5.3.4", "5.2.41")
async def test_the_endpoint_hears_when_a_snapshot_is_ready_and_how_it_went(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await created(house, a_bus(1))
        trams = {**BUSES, "entities": [{"type": "Tram"}]}
        shown = await taken(
            house,
            BUSES,
            trams,
            snapshotTemporalQueries=[EVER],
            endpoint=receiver.url(),
            receiverInfo=[PASSWORD],
        )
        said = await told(receiver)
        assert (said["type"], said["snapshotId"]) == ("SnapshotNotification", ONE)
        assert said["id"].startswith("urn:ngsi-ld:SnapshotNotification:")
        assert said["notifiedAt"] < said["expiresAt"] == shown["expiresAt"]
        assert (said["snapshotStatus"], said["snapshotPriority"]) == ("partial", 5)
        assert said["snapshotQueriesDetails"] == shown["snapshotQueriesDetails"]
        assert said["temporalSnapshotQueriesDetails"] == [{"resultStatus": "success"}]
        assert "snapshotTemporalQueriesDetails" not in said
        headers = receiver.got[0].headers
        assert headers["authorization"] == "Bearer ours"
        assert headers["content-type"] == "application/json"
        assert shown["receiverInfo"] == [PASSWORD]


@pytest.mark.clause("5.16.6")
async def test_a_notice_is_sent_again_with_its_id_until_it_is_taken(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver(503) as receiver:
        await created(house, a_bus(1))
        await taken(house, endpoint=receiver.url())
        first, second = await receiver.wait_for(2)
        assert first.body["id"] == second.body["id"]


async def waiting(house: House) -> list[Any]:
    """Return the receivers of the notices that are due."""
    return await house.city.store.work.read(
        lambda tx: list(tx.db.execute("SELECT tenant, snapshot FROM snapshot_outbox"))
    )


@pytest.mark.clause("5.16.6")
async def test_what_was_due_when_the_city_stopped_is_told_when_it_is_back(tmp_path: Path) -> None:
    async with a_house(tmp_path, private_egress=False) as house, a_receiver() as receiver:
        await taken(house, endpoint=receiver.url())
        assert await waiting(house) == [("city", ONE)]
    async with a_house(tmp_path) as house, a_receiver(port=receiver.port) as again:
        said = await told(again)
        assert (said["snapshotId"], said["snapshotStatus"]) == (ONE, "empty")
    async with a_house(tmp_path) as house:
        assert await waiting(house) == []


@pytest.mark.clause("5.16.6")
async def test_nothing_is_sent_to_an_address_that_is_not_allowed(tmp_path: Path) -> None:
    async with a_house(tmp_path, private_egress=False) as house, a_receiver() as receiver:
        await taken(house, endpoint=receiver.url())
        assert await waiting(house) == [("city", ONE)]
        house.clock.advance(timedelta(days=1, minutes=1))
        await house.city.snapshots.round()
        # A day later it is given up; what is new, that the snapshot has ended, waits.
        await house.city.snapshots.round()
        assert await waiting(house) == [("city", ONE)]
        assert receiver.got == []


@pytest.mark.clause("5.16.6", "5.3.4", "5.16.3")
async def test_a_snapshot_that_failed_because_the_city_stopped_is_told(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        document = model.with_defaults(
            {"id": ONE, "endpoint": receiver.url()}, "2026-11-22T08:00:00Z"
        )
        kept = model.Snapshot("city", ONE, "#x", 2 * 10**15, document)
        snapshots = house.city.snapshots
        await house.city.store.work.write(lambda tx: snapshots._store.put(tx, kept))
        await snapshots.load()
        assert (await told(receiver))["snapshotStatus"] == "failure"


@pytest.mark.clause("5.3.4", "5.5.15")
async def test_that_a_snapshot_has_gone_is_told_by_when_it_expired(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await taken(house, endpoint=receiver.url(), snapshotLifetime="PT1H")
        await receiver.wait_for(1)
        house.clock.advance(timedelta(hours=1, minutes=1))
        await house.city.snapshots.round()
        said = await told(receiver, 2)
        assert said["expiresAt"] < said["notifiedAt"]
        assert said["snapshotId"] == ONE


@pytest.mark.clause("5.16.4", "5.16.6", "5.16.2")
async def test_the_endpoint_can_be_changed_and_a_clone_names_its_own(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await taken(house, snapshotLifetime="PT1H")
        change = {"endpoint": receiver.url("/changed")}
        assert (await house.ask("PATCH", f"{ALL}/{ONE}", change)).status_code == 200
        members = {"type": "Snapshot", "id": "urn:x:clone", "endpoint": receiver.url("/clone")}
        assert (await house.ask("POST", f"{ALL}/{ONE}/clone", members)).status_code == 201
        await ready(house, "urn:x:clone")
        assert (await told(receiver))["snapshotId"] == "urn:x:clone"
        house.clock.advance(timedelta(hours=1, minutes=1))
        await house.city.snapshots.round()
        await receiver.wait_for(3)
        assert {one.path for one in receiver.got} == {"/clone", "/changed"}
        bad: list[dict[str, Any]] = [{"endpoint": None}, {"endpoint": "x"}, {"receiverInfo": []}]
        for wrong in bad:
            await taken(house, id="urn:x:other")
            assert (await house.ask("PATCH", f"{ALL}/urn:x:other", wrong)).status_code == 400
            await house.ask("DELETE", f"{ALL}/urn:x:other")


@pytest.mark.clause("5.2.41")
async def test_credentials_for_the_receiver_are_shown_to_who_manages_snapshots(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await taken(house, endpoint=receiver.url(), receiverInfo=[PASSWORD])
        worker = await house.token("worker")
        assert "receiverInfo" not in await house.get(f"{ALL}/{ONE}", token=worker)
        assert "receiverInfo" in await house.get(f"{ALL}/{ONE}")


@pytest.mark.clause("5.16.1")
async def test_no_more_is_begun_than_receivers_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "MOST_WAITING", 1)
    async with a_house(tmp_path, private_egress=False) as house:
        await taken(house, endpoint="http://127.0.0.1:9/")
        more = a_snapshot(id="urn:x:more")
        answer = await house.ask("POST", ALL, {**more, "endpoint": "http://127.0.0.1:9/"})
        assert (answer.status_code, answer.json()["code"]) == (413, "snapshot.notices")
        assert (await house.ask("POST", ALL, more)).status_code == 201
