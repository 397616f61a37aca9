"""What distribution has to know about a request besides what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chengmai.kernel.actors import Actor
from chengmai.ngsild.contexts import Context

MOST_WARNINGS = 20
_LONGEST = 200


@dataclass
class Asked:
    """Who asks and how; `warnings` are collected on the way and sent with the answer (clause 6.3.17).

    `via` are the aliases of the brokers that the request came through, the nearest last. With `local`
    nothing is forwarded (clause 6.3.18). `forwarded` are parameters worth handing on. `headers` are those
    of the request, names in lower case.
    """

    actor: Actor
    context: Context
    via: tuple[str, ...] = ()
    local: bool = False
    forwarded: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)

    def warn(self, code: int, agent: str, text: str) -> None:
        """Keep a warning (table 6.3.17-1): who is meant is `agent`, the id of a registration."""
        made = warning(code, agent, text)
        if made not in self.warnings and len(self.warnings) < MOST_WARNINGS:
            self.warnings.append(made)


def warning(code: int, agent: str, text: str) -> str:
    """Return the value of a warning header: code, agent and quoted text, in plain ASCII."""
    return f'{code} {_plain(agent).replace(" ", "_") or "-"} "{_plain(text)}"'


def _plain(text: str) -> str:
    kept = (c if " " <= c <= "~" and c not in '"\\' else " " for c in text[:_LONGEST])
    return "".join(kept).strip()
