"""Chains of causes: what a pack knows to follow from what, and how near alarms must lie to be one incident."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from chengmai.kernel.texts import Text
from chengmai.packs.forms import Duration, Slug, Spec

SignRef = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*(/[a-z][a-z0-9_-]*)?$")]
"""A vital sign or a rule: `sign` of the pack itself, or `pack/sign` of another."""
_LONGEST = timedelta(days=7)


class ChainLink(Spec):
    """`effect` may follow `cause`: at most `within` after the cause was over, where `place` says.

    `same_area` is the same area (the whole city touches every area), `near` at most `distance_m` between the
    two, `anywhere` the city. A link to a pack that is not loaded counts for nothing.
    """

    cause: SignRef
    effect: SignRef
    within: Duration
    place: Literal["same_area", "near", "anywhere"] = "same_area"
    distance_m: float | None = Field(default=None, gt=0, le=100_000)
    because: Text
    """Why the one leads to the other, in a sentence."""

    @model_validator(mode="after")
    def _whole(self) -> ChainLink:
        if (self.place == "near") != (self.distance_m is not None):
            raise ValueError("give 'distance_m' with place = \"near\", and only then")
        if not timedelta(0) < self.within <= _LONGEST:
            raise ValueError("'within' must lie above 0 and be seven days at most")
        return self


class ChainSpec(Spec):
    """chains/*.toml: what follows from what, told link by link, with the source of that knowledge."""

    id: Slug
    title: Text
    links: tuple[ChainLink, ...] = Field(min_length=1)
    source: Text
    trust: Literal["S", "M", "C", "D"]


class Folding(Spec):
    """pack.toml, [folding]: alarms of one sign, or of one category of case, that become one incident.

    They do when no more than `window` lies between them, in one area or at most `distance_m` apart.
    """

    window: Duration = timedelta(hours=2)
    distance_m: float = Field(default=0.0, ge=0, le=100_000)

    @model_validator(mode="after")
    def _window_possible(self) -> Folding:
        if not timedelta(0) < self.window <= _LONGEST:
            raise ValueError("'window' must lie above 0 and be seven days at most")
        return self


def full_name(pack: str, sign: str) -> str:
    """Return `pack/sign` of a sign that a file of `pack` names."""
    return sign if "/" in sign else f"{pack}/{sign}"
