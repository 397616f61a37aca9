"""Domain packs: what a folder of data says, read and checked. No domain words inside."""

from chengmai.packs.check import check_pack, check_packs
from chengmai.packs.problems import Finding, PackInvalid, PackNotFound
from chengmai.packs.reader import read_pack, read_packs, shipped_packs

__all__ = [
    "Finding",
    "PackInvalid",
    "PackNotFound",
    "check_pack",
    "check_packs",
    "read_pack",
    "read_packs",
    "shipped_packs",
]
