"""Domain packs: what a folder of data says, read and checked. No domain words inside."""

from chengmai.packs.problems import Finding, PackInvalid, PackNotFound
from chengmai.packs.reader import read_pack, read_packs, shipped_packs

__all__ = ["Finding", "PackInvalid", "PackNotFound", "read_pack", "read_packs", "shipped_packs"]
