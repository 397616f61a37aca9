"""The definitions that come with the program."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from pydantic import TypeAdapter

from chengmai.assess.live.model import Definition
from chengmai.kernel.texts import Text


@cache
def definitions() -> Mapping[str, Definition]:
    """Return how each indicator is worked out that can be, by its id."""
    return TypeAdapter(dict[str, Definition]).validate_python(_told("indicators"))


@cache
def reasons() -> Mapping[str, Text]:
    """Return why some of the others cannot be."""
    return TypeAdapter(dict[str, Text]).validate_python(_told("missing"))


@cache
def _file() -> dict[str, object]:
    return tomllib.loads(
        (resources.files("chengmai.assess") / "data" / "live.toml").read_text("utf-8")
    )


def _told(part: str) -> object:
    return _file()[part]
