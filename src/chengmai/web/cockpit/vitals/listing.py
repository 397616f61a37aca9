"""View model of the list of all vital signs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from chengmai.web.cockpit.formats import Formats
from chengmai.web.cockpit.svg.citymap import RANK
from chengmai.web.cockpit.tiles import Tile, tile, worst_first
from chengmai.web.cockpit.views import Level, VitalCard

PAGE = 100
_SHOWN: tuple[Level, ...] = ("act", "watch", "unknown")


@dataclass(frozen=True)
class ListFilter:
    """What to keep; empty keeps everything."""

    pack: str = ""
    level: str = ""
    text: str = ""

    def keeps(self, card: VitalCard) -> bool:
        """Return whether `card` passes; text is looked for in titles and area, case-insensitively."""
        hay = f"{card.title.zh} {card.title.en} {card.area}".casefold()
        return (
            (not self.pack or card.pack == self.pack)
            and (not self.level or card.level == self.level)
            and self.text.casefold() in hay
        )


@dataclass(frozen=True)
class DomainLine:
    """One domain at a glance: how many signs it has, and how many sign-areas stand at each level but normal."""

    name: str
    href: str
    signs: int
    abnormal: tuple[tuple[Level, int], ...]
    is_chosen: bool


@dataclass(frozen=True)
class VitalListView:
    domains: tuple[DomainLine, ...]
    tiles: tuple[Tile, ...]
    total: int
    first: int
    packs: tuple[tuple[str, str], ...]
    levels: tuple[Level, ...]
    filter: ListFilter
    previous: int | None
    next: int | None


def chosen(cards: Sequence[VitalCard], keep: ListFilter) -> list[VitalCard]:
    """Return the cards that pass, worst first."""
    return worst_first([card for card in cards if keep.keeps(card)])


def domains(
    cards: Sequence[VitalCard], keep: ListFilter, formats: Formats
) -> tuple[DomainLine, ...]:
    """Return every domain, the one with most to do first; the chosen one leads back to all."""
    lines = []
    for pack, title in {card.pack: card.pack_title for card in cards}.items():
        own = [card for card in cards if card.pack == pack]
        levels = Counter(card.level for card in own)
        chosen = keep.pack == pack
        asked = {"pack": "" if chosen else pack, "level": keep.level, "q": keep.text}
        lines.append(
            DomainLine(
                name=formats.words.pick(title),
                href="/vitals?" + urlencode(asked),
                signs=len({card.title.en for card in own}),
                abnormal=tuple((name, levels[name]) for name in _SHOWN if levels[name]),
                is_chosen=chosen,
            )
        )
    return tuple(sorted(lines, key=lambda line: [-dict(line.abnormal).get(n, 0) for n in _SHOWN]))


def list_view(
    cards: Sequence[VitalCard], keep: ListFilter, first: int, formats: Formats
) -> VitalListView:
    """Return one page of the list, from the card with index `first` on."""
    kept = chosen(cards, keep)
    packs = {card.pack: formats.words.pick(card.pack_title) for card in cards}
    return VitalListView(
        domains=domains(cards, keep, formats),
        tiles=tuple(tile(card, formats) for card in kept[first : first + PAGE]),
        total=len(kept),
        first=first,
        packs=tuple(sorted(packs.items())),
        levels=tuple(RANK),
        filter=keep,
        previous=max(0, first - PAGE) if first else None,
        next=first + PAGE if first + PAGE < len(kept) else None,
    )
