"""pools/*.toml: pools of shared resources – whose they are, how their use is read, and what may be moved."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from chengmai.kernel.texts import Text
from chengmai.packs.forms import Duration, Slug, Spec

MOST_STEPS = 24
"""How many steps a forecast reaches ahead, and so a horizon at most."""


class MoveSpec(Spec):
    """[move]: what is moved between members, by how much at a time, at what cost and how fast.

    Costs are in unit-hours of shortage: what a unit moved has to save to be worth it.
    """

    kind: Literal["use", "capacity"]
    """`use`: those who ask are led to another member (cars, patients, charging load). `capacity`: the units
    themselves are carried to where they are asked for (bikes, vehicles, beds)."""
    lot: int = Field(default=1, ge=1)
    """Units go in whole lots."""
    most: int | None = Field(default=None, ge=1)
    """Units of one move at most. Left out: no limit but what the members have."""
    moves: int = Field(default=4, ge=1, le=50)
    """Moves of one suggestion at most: what people can carry out."""
    cost: float = Field(default=0.0, ge=0)
    cost_per_km: float = Field(default=0.0, ge=0)
    takes: Duration = timedelta(0)
    """Until a move begins to help."""
    takes_per_km: Duration = timedelta(0)
    within_km: float | None = Field(default=None, gt=0)
    """Only between members at most so far apart, in a straight line. Left out: any distance."""


class RouteSpec(Spec):
    """[[routes]]: a way that moves may take, by area; with any route given there are no others."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    from_: str = Field(alias="from", min_length=1)
    to: str = Field(min_length=1)
    cost: float | None = Field(default=None, ge=0)
    """Of one unit, in place of the pool's."""
    takes: Duration | None = None
    """In place of the pool's."""


class PoolSpec(Spec):
    """pools/*.toml: a pool of shared resources. Its members are the entities of one type."""

    id: Slug
    title: Text
    about: Text
    entity: str
    """The entity type of its members, one of the pack's."""
    use: str
    """The attribute that counts units in use."""
    capacity: str
    """The attribute that counts the units there are."""
    waiting: str | None = None
    """The attribute that counts units asked for and not had. Left out: nobody counts them."""
    unit: Text
    """The word for a unit: a space, a bed."""
    areas: tuple[str, ...] = ()
    """Only members in these areas; empty means all."""
    step: Duration = timedelta(hours=1)
    season: Duration = timedelta(days=7)
    horizon: Duration = timedelta(hours=6)
    """How far ahead a suggestion looks; at most 24 steps."""
    reserve: float = Field(default=0.0, ge=0, lt=1)
    """The share of the capacity that is kept free."""
    move: MoveSpec
    routes: tuple[RouteSpec, ...] = ()
    opens: Slug
    """The category of the case that each accepted move opens."""
    source: Text
    """Where the limits come from."""
    trust: Literal["S", "M", "C", "D"]

    @model_validator(mode="after")
    def _lengths(self) -> PoolSpec:
        if not timedelta(0) < self.step < timedelta(days=1):
            raise ValueError("'step' must be longer than nothing and shorter than a day")
        if timedelta(days=1) % self.step:
            raise ValueError("a day must be a whole number of steps")
        if not self.step <= self.horizon <= MOST_STEPS * self.step:
            raise ValueError(f"'horizon' must be 1 to {MOST_STEPS} steps")
        if self.season < 2 * self.step or self.season % self.step:
            raise ValueError("'season' must be a whole number of steps, two at least")
        if self.move.most is not None and self.move.most < self.move.lot:
            raise ValueError("'move.most' is less than one lot")
        return self


class ExpectedMove(Spec):
    """expect/*.toml, [[pools.moves]]: so many units are suggested to go from a thing to another."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    from_: str = Field(alias="from")
    to: str
    units: int = Field(ge=1)


class ExpectedPool(Spec):
    """expect/*.toml, [[pools]]: after the step that begins at `at`, the pool stands so.

    `idle` and `shortage` are in unit-hours of that step, over all members; what is left out is not compared.
    """

    pool: Slug
    at: AwareDatetime
    use: float | None = None
    capacity: float | None = None
    waiting: float | None = None
    idle: float | None = None
    shortage: float | None = None
    tolerance: float = Field(default=0.01, ge=0)
    outlook: str | None = None
    """What comes of looking ahead: `moves`, or why there are none (`docs/build/packs.md`)."""
    moves: tuple[ExpectedMove, ...] | None = None
