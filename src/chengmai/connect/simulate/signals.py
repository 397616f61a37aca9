"""What a signal of the simulated city is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chengmai.connect.reading import Value
from chengmai.connect.simulate.town import Thing

Values = dict[str, Value]
Generator = Callable[[Thing, datetime], Values | None]
Signals = dict[str, tuple[tuple[Thing, ...], Generator]]
"""The generators of feeds by name: the things of each, and their signal."""
