"""The linter of chains: links to signs that are not there, links twice, and causes that cause themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chengmai.packs.chains import ChainSpec, full_name
from chengmai.packs.model import Pack
from chengmai.packs.problems import Finding

_Edge = tuple[str, str]


def check_chains(pack: Pack, packs: Sequence[Pack]) -> Iterator[Finding]:
    """Find what is wrong in the chains of `pack`; signs of other packs are looked up where those are given."""
    known = {one.info.id: one.alarms for one in packs}
    seen: set[_Edge] = set()
    for chain in pack.chains:
        file = f"chains/{chain.id}.toml"
        if not (chain.source.zh.strip() and chain.source.en.strip()):
            yield Finding(file, "source", "no source", "say where this is known from")
        for number, (cause, effect) in enumerate(edges_of(pack, chain)):
            key = f"links.{number}"
            for role, name in (("cause", cause), ("effect", effect)):
                there, _, sign = name.partition("/")
                if there in known and sign not in known[there]:
                    choice = ", ".join(sorted(known[there])) or "none"
                    yield Finding(
                        file, f"{key}.{role}", f"no sign or rule {name!r}", f"use one of: {choice}"
                    )
            if pack.info.id not in (cause.partition("/")[0], effect.partition("/")[0]):
                yield Finding(
                    file, key, "neither sign is of this pack", "move the link to one of theirs"
                )
            if (cause, effect) in seen:
                yield Finding(file, key, f"{cause} → {effect} is there twice", "remove one of them")
            seen.add((cause, effect))


def check_circles(packs: Sequence[Pack]) -> Iterator[Finding]:
    """Find signs that would cause themselves over the links of all packs."""
    follows: dict[str, set[str]] = {}
    for pack in packs:
        for chain in pack.chains:
            for cause, effect in edges_of(pack, chain):
                follows.setdefault(cause, set()).add(effect)
    for name in sorted(follows):
        if name in _reached(name, follows):
            yield Finding(
                "chains/", "links", f"{name} leads back to itself", "remove a link of the circle"
            )


def edges_of(pack: Pack, chain: ChainSpec) -> list[_Edge]:
    """Return (cause, effect) of each link as `pack/sign`."""
    own = pack.info.id
    return [(full_name(own, link.cause), full_name(own, link.effect)) for link in chain.links]


def _reached(start: str, follows: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    ahead = list(follows.get(start, ()))
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += follows.get(name, ())
    return found
