"""Snapshots, put together: what fills them, and who is told of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chengmai.broker.delivery import Publisher, Receiver
from chengmai.broker.distribution.past import DistributedPast
from chengmai.broker.distribution.reads import DistributedReads
from chengmai.broker.ports import Chronicle, EntityStore, TransientStore
from chengmai.broker.snapshots.filling import Filling
from chengmai.broker.snapshots.model import SnapshotStore
from chengmai.broker.snapshots.service import Snapshots
from chengmai.broker.snapshots.telling import NoticeStore, Telling
from chengmai.broker.spaces import Spaces
from chengmai.kernel.clock import Clock
from chengmai.kernel.work import BriefWork, Tx
from chengmai.ngsild.contexts import Context


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
    spaces: Spaces,
    end_within: Callable[[Tx, str], None],
    clock: Clock,
) -> Snapshots:
    """Return the snapshots that these stores keep; `end_within` ends the subscriptions of a space."""
    filling = Filling(
        work,
        stores.snapshots,
        stores.entities,
        stores.chronicle,
        stores.transients,
        *found_by,
    )
    telling = Telling(work, stores.notices, core, *told_by, clock)
    return Snapshots(work, stores.snapshots, filling, telling, spaces, end_within, clock)
