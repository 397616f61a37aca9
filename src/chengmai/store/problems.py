"""What can go wrong in storage.

Unavailable
├── StoreBusy      more writes wait than the store takes in; try again shortly
├── StoreFull      no space left on the device; reads go on
└── StoreFailed    the disk reported an error while writing; nothing more is written until a restart
Conflict
└── StoreInUse     another process has the file open
Invalid
└── StoreUnreadable   the file is not ours, damaged, or the key is wrong; nothing was changed
"""

from chengmai.kernel.problems import Conflict, Invalid, Unavailable


class StoreBusy(Unavailable):
    code = "store.busy"


class StoreFull(Unavailable):
    code = "store.full"


class StoreFailed(Unavailable):
    code = "store.failed"


class StoreInUse(Conflict):
    code = "store.in_use"


class StoreUnreadable(Invalid):
    code = "store.unreadable"
