"""Problems of packs.

Invalid
├── PackInvalid   one pack says something it may not; every finding is listed
└── (NotFound) PackNotFound   the folder holds no pack.toml
"""

from __future__ import annotations

from dataclasses import dataclass

from chengmai.kernel.problems import Invalid, NotFound


@dataclass(frozen=True)
class Finding:
    """Something wrong in a pack: in which file (relative to the pack) and key, and what to do about it."""

    file: str
    key: str
    message: str
    fix: str
    line: int | None = None

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        key = f" [{self.key}]" if self.key else ""
        return f"{where}{key}: {self.message}. Fix: {self.fix}"


class PackNotFound(NotFound):
    code = "pack.not_found"


class PackInvalid(Invalid):
    """The pack in `folder` may not be used; `findings` says why, one by one."""

    code = "pack.invalid"

    def __init__(self, folder: str, findings: list[Finding]) -> None:
        self.findings = tuple(findings)
        lines = "\n".join(f"  {finding}" for finding in findings)
        super().__init__(
            f"the pack in {folder} has {len(findings)} mistake(s):\n{lines}",
            param=findings[0].file if findings else None,
            fix=findings[0].fix if findings else None,
            folder=folder,
            count=len(findings),
        )
