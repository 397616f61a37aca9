"""What looking back needs beside the ports of the room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chengmai.ngsild.entity import name_iri
from chengmai.packs.model import Pack
from chengmai.packs.views import column_of


class Happened(Protocol):
    """Port: what an attribute that is a text said, and when it was recorded."""

    def texts(
        self, tx: Any, tenant: str, entity_id: str, attribute: str, start_us: int, end_us: int
    ) -> Sequence[tuple[int, str]]:
        """Return (instant in µs, text) recorded in [start, end), each change once, in order of time."""
        ...


@dataclass(frozen=True)
class RainGauge:
    """Where the weather is read: an entity type, its attribute for rain, and the least that counts as wet."""

    entity_type: str
    attribute: str
    area_from: str
    wet_from: float = 0.1


def rain_gauge_of(
    packs: Sequence[Pack], view: str = "weather", column: str = "rainfall"
) -> RainGauge | None:
    """Return where the packs measure rain, None when none does."""
    for pack in packs:
        for spec in pack.entities:
            if spec.view != view:
                continue
            for name, attribute in spec.attributes.items():
                if column_of(name, attribute) == column:
                    return RainGauge(name_iri(spec.type), name_iri(name), name_iri(spec.area_from))
    return None
