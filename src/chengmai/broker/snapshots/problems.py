"""What can be wrong with a snapshot.

NotFound
└── SnapshotNotFound
Conflict
└── SnapshotExists
Invalid
└── SnapshotInvalid
Unavailable
└── SnapshotPreparing
NotSupported
└── NotInSnapshot
"""

from __future__ import annotations

from chengmai.kernel.problems import Conflict, Invalid, NotFound, NotSupported, Unavailable


class SnapshotNotFound(NotFound):
    code = "snapshot.not_found"

    def __init__(self, snapshot_id: str) -> None:
        super().__init__(f"there is no snapshot {snapshot_id:.200}, or it has expired", param="id")


class SnapshotExists(Conflict):
    code = "snapshot.exists"

    def __init__(self, snapshot_id: str) -> None:
        super().__init__(f"{snapshot_id} exists already", param="id", fix="choose another id")


class SnapshotInvalid(Invalid):
    code = "snapshot.invalid"


class SnapshotPreparing(Unavailable):
    code = "snapshot.preparing"

    def __init__(self, snapshot_id: str) -> None:
        super().__init__(
            f"{snapshot_id} is being prepared",
            param="NGSILD-Snapshot",
            fix="wait until its snapshotStatus is no longer preparing",
        )


class NotInSnapshot(NotSupported):
    code = "snapshot.not_within"
