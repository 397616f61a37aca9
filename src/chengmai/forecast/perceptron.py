"""A small neural network of two hidden layers in numpy: what bends where a ridge map is straight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chengmai.forecast.model import Floats

Singles = npt.NDArray[np.float32]
_F = np.float32
_HIDDEN = 128
_EPOCHS = 6
_BATCH = 1024
_SMALLEST = 128
_STEPS = 100
"""Steps of an epoch at least, as long as batches stay larger than the smallest: few rows make small batches."""
_RATE = 1.5e-3
_DROPPED = 0.2
_DECAY = 0.05
_NEAR = 0.1
"""Errors, in spreads, below which the absolute loss is round (Huber 1964)."""
_WARM = 200
_CHUNK = 65_536


@dataclass(frozen=True, eq=False)
class Perceptron:
    """A fitted network: weights and biases of its three maps, one after the other."""

    maps: tuple[Singles, ...]

    def ahead(self, x: Singles) -> Singles:
        """Return what it says of rows of features."""
        parts = [self._ahead(x[i : i + _CHUNK]) for i in range(0, max(1, len(x)), _CHUNK)]
        return np.concatenate(parts)

    def _ahead(self, x: Singles) -> Singles:
        one, a, two, b, three, c = self.maps
        hidden = np.maximum(np.maximum(x @ one + a, 0) @ two + b, 0)
        said: Singles = hidden @ three + c
        return said

    def state(self) -> Mapping[str, Any]:
        """Return the parameters as plain arrays."""
        return {"maps": list(self.maps)}


def taught(x: Singles, y: Singles, heavy: Singles | None, seed: int) -> Perceptron:
    """Return the network that rows of features and targets (NaN where unknown) taught.

    With `heavy`, a weight a row, it aims at the squared error; without, at the absolute one. AdamW (Loshchilov
    & Hutter 2019) with a cosine of the rate and dropout (Srivastava et al. 2014); `seed` decides everything
    random.
    """
    rng = np.random.default_rng(seed)
    pupil = _Pupil.new(x.shape[1], y.shape[1], rng)
    batch = min(len(x), max(_SMALLEST, min(_BATCH, len(x) // _STEPS)))
    steps = _EPOCHS * (len(x) // batch)
    step = 0
    for _ in range(_EPOCHS):
        order = rng.permutation(len(x))
        for start in range(0, len(x) - batch + 1, batch):
            some = order[start : start + batch]
            warm = min(1.0, (step + 1) / min(_WARM, max(1, steps // 2)))
            rate = _RATE * warm * 0.5 * (1 + np.cos(np.pi * step / steps))
            pupil.learn(x[some], y[some], None if heavy is None else heavy[some], rate)
            step += 1
    return Perceptron(tuple(pupil.maps))


@dataclass(eq=False)
class _Pupil:
    """Weights while they are learnt, with the moments of their gradients."""

    maps: list[Singles]
    first: list[Singles]
    second: list[Singles]
    rng: np.random.Generator
    steps: int = 0

    @classmethod
    def new(cls, inputs: int, outputs: int, rng: np.random.Generator) -> _Pupil:
        sizes = ((inputs, _HIDDEN, 2.0), (_HIDDEN, _HIDDEN, 2.0), (_HIDDEN, outputs, 0.01))
        maps: list[Singles] = []
        for rows, columns, energy in sizes:
            maps.append((rng.normal(size=(rows, columns)) * np.sqrt(energy / rows)).astype(_F))
            maps.append(np.zeros(columns, _F))
        return cls(maps, [0 * one for one in maps], [0 * one for one in maps], rng)

    def learn(self, x: Singles, y: Singles, heavy: Singles | None, rate: float) -> None:
        """Take one step of gradient on a batch."""
        x = x * self._kept(x.shape)
        one, a, two, b, three, c = self.maps
        below = x @ one + a
        hidden = np.maximum(below, 0)
        above = hidden @ two + b
        kept = self._kept(above.shape)
        last = np.maximum(above, 0) * kept
        error = np.nan_to_num(last @ three + c - y, nan=0.0)
        pull = np.clip(error / _F(_NEAR), -1, 1) if heavy is None else error * heavy[:, None]
        pull /= _F(len(x))
        back = (pull @ three.T) * kept * (above > 0)
        deep = (back @ two.T) * (below > 0)
        grads = (
            x.T @ deep,
            deep.sum(0),
            hidden.T @ back,
            back.sum(0),
            last.T @ pull,
            pull.sum(0),
        )
        self._move(grads, rate)

    def _kept(self, shape: tuple[int, ...]) -> Singles:
        kept = self.rng.random(shape, dtype=_F) >= _DROPPED
        return np.asarray(kept / _F(1 - _DROPPED), dtype=_F)

    def _move(self, grads: tuple[Floats | Singles, ...], rate: float) -> None:
        self.steps += 1
        fade = (1 - 0.9**self.steps, 1 - 0.999**self.steps)
        for place, grad in enumerate(grads):
            self.first[place] += _F(0.1) * (grad - self.first[place])
            self.second[place] += _F(0.001) * (grad**2 - self.second[place])
            size = np.sqrt(self.second[place] / _F(fade[1])) + _F(1e-8)
            self.maps[place] -= _F(rate / fade[0]) * self.first[place] / size
            if place % 2 == 0:
                self.maps[place] *= _F(1 - rate * _DECAY)
