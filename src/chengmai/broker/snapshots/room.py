"""Snapshots, put together: what fills them, and who is told of them."""

from __future__ import annotations

from dataclasses import dataclass

from chengmai.broker.delivery import Publisher, Receiver
from chengmai.broker.distribution.past import DistributedPast
from chengmai.broker.distribution.reads import DistributedReads
from chengmai.broker.ports import Chronicle, EntityStore, TransientStore
from chengmai.broker.snapshots.filling import Filling
from chengmai.broker.snapshots.model import SnapshotStore
from chengmai.broker.snapshots.service import Snapshots
from chengmai.broker.snapshots.telling import NoticeStore, Telling
from chengmai.kernel.clock import Clock
from chengmai.kernel.work import BriefWork, Tx
from chengmai.ngsild.contexts import Context
from chengmai.trust.ports import Audit


@dataclass(frozen=True)
class Stores:
    """What snapshots are kept in."""

    snapshots: SnapshotStore
    notices: NoticeStore
    entities: EntityStore
    chronicle: Chronicle
    transients: TransientStore


def snapshots_of(
    work: BriefWork[Tx],
    stores: Stores,
    found_by: tuple[DistributedReads, DistributedPast],
    told_by: tuple[Receiver, Publisher],
    core: Context,
    audit: Audit,
    clock: Clock,
) -> Snapshots:
    """Return the snapshots that these stores keep."""
    filling = Filling(
        work,
        stores.snapshots,
        stores.entities,
        stores.chronicle,
        stores.transients,
        *found_by,
    )
    telling = Telling(work, stores.notices, core, *told_by, clock)
    return Snapshots(work, stores.snapshots, filling, telling, audit, clock)
