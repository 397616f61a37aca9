"""What a pack expects of its pools, compared with what a real city says of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from chengmai.app import City
from chengmai.kernel.actors import system
from chengmai.kernel.ids import urn
from chengmai.kernel.instants import format_instant, to_us
from chengmai.packs.model import Expectation, ExpectedPool, Pack
from chengmai.packs.problems import Finding
from chengmai.pools.model import Look
from chengmai.pools.rules import Sum, sum_of


class PoolsCheck:
    """Compares the pools of an expectation at the ends of the steps it names."""

    def __init__(self, pack: Pack, expectation: Expectation) -> None:
        self._pack, self._expectation = pack, expectation
        self._due: dict[datetime, list[ExpectedPool]] = {}
        steps = {pool.id: pool.step for pool in pack.pools}
        for one in expectation.pools:
            self._due.setdefault(one.at + steps[one.pool], []).append(one)
        self.findings: list[Finding] = []

    @property
    def moments(self) -> frozenset[datetime]:
        """The instants at which something is compared."""
        return frozenset(self._due)

    async def compare(self, city: City, at: datetime) -> None:
        """Compare what is due at `at`; the clock of the city stands there."""
        by = system("expectation", city.settings.tenant)
        for wanted in self._due.get(at, ()):
            look = await city.pools.look(by, self._pack.info.id, wanted.pool)
            for message in [*_numbers(wanted, look), *_plans(wanted, look)]:
                name = f"{wanted.pool} at {format_instant(wanted.at)}"
                self.findings.append(self._finding(f"{name}: {message}"))

    def _finding(self, message: str) -> Finding:
        return Finding(
            file=f"{self._pack.folder.name}/expect",
            key=self._expectation.title.en,
            message=message,
            fix="correct the pool or the expectation",
        )


def _numbers(wanted: ExpectedPool, look: Look) -> Iterator[str]:
    start = to_us(wanted.at)
    found: Sum = sum_of(look.members, start, start + look.pool.step_us, look.pool.step_us)
    for name, number in (
        ("use", found.used),
        ("capacity", found.capacity),
        ("waiting", found.waiting),
        ("idle", found.idle),
        ("shortage", found.shortage),
    ):
        expected = getattr(wanted, name)
        if expected is not None and abs(number - expected) > wanted.tolerance:
            yield f"{name} is {number:g}, expected {expected:g}"


def _plans(wanted: ExpectedPool, look: Look) -> Iterator[str]:
    if wanted.outlook is not None and look.why != wanted.outlook:
        yield f"the outlook is {look.why}, expected {wanted.outlook} ({look.sentence.en})"
    if wanted.moves is None:
        return
    kind = look.pool.spec.entity
    moves = look.plan.moves if look.plan else ()
    found = sorted((m.source, m.target, m.units) for m in moves)
    expected = sorted((urn(kind, m.from_), urn(kind, m.to), m.units) for m in wanted.moves)
    if found != expected:
        yield f"moves are {_told(found)}, expected {_told(expected)}"


def _told(moves: list[tuple[str, str, int]]) -> str:
    some = [f"{s.rpartition(':')[2]} → {t.rpartition(':')[2]} {n}" for s, t, n in moves]
    return "; ".join(some) or "none"
