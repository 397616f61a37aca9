"""Power cuts at moments of a traced run: each disk that may be left is opened and compared with the answers."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from tests.fault.ledger import Ledger, look
from tests.fault.replayed import PACK
from tests.fault.traced import Event, events, image, trace, whole


@dataclass
class Cuts:
    """What a series of power cuts came to."""

    cuts: int = 0
    answers: int = 0
    syncs: int = 0
    findings: list[str] = field(default_factory=list)


async def cut_often(
    folder: Path, cuts: int, *, seed: int, writes: int = 400, careless: bool = False
) -> Cuts:
    """Trace one run of `writes` writes, cut the power `cuts` times, and look at what is left."""
    data, notes, log = folder / "data", folder / "notes", folder / "trace"
    words = ["careless"] if careless else []
    trace(["-m", "tests.fault.steady_writer", str(data), str(notes), str(writes), *words], log)
    done = events(log, data, notes)
    if whole(done) != {str(path): path.read_bytes() for path in data.iterdir()}:
        raise RuntimeError("the trace does not explain the files: it missed something")
    tally, luck = Cuts(), random.Random(seed)
    first = next(n for n, event in enumerate(done) if event.kind == "note")
    tally.syncs = sum(event.kind == "sync" for event in done)
    for number in range(cuts):
        # Right after an answer is when a loss would show most; the other cuts come anywhere.
        at = luck.randrange(first, len(done) + 1)
        if number % 2:
            while at < len(done) and done[at - 1].kind != "note":
                at += 1
        ledger = _answered(done[:at])
        tally.cuts += 1
        tally.answers += ledger.answers
        left = folder / f"left-{number}"
        _put(image(done[:at], luck), data, left)
        tally.findings += [f"cut at {at}: {one}" for one in await _looked(left, ledger)]
        shutil.rmtree(left)
    return tally


async def _looked(left: Path, ledger: Ledger) -> list[str]:
    try:
        return await look(left, PACK, ledger)
    except Exception as error:
        return [f"it does not open: {error!r}"]


def _answered(done: list[Event]) -> Ledger:
    ledger = Ledger()
    for event in done:
        if event.kind == "note":
            entity_id, n = event.data.decode().split()
            ledger.answers += 1
            ledger.acknowledged[entity_id] = int(n)
    ledger.open = {entity_id: n + 1 for entity_id, n in ledger.acknowledged.items()}
    return ledger


def _put(files: dict[str, bytes], data: Path, left: Path) -> None:
    left.mkdir(mode=0o700)
    for name, content in files.items():
        path = left / Path(name).relative_to(data)
        if path.name.endswith("-shm"):
            continue  # shared memory: no disk holds it, and it is made anew
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o600)
