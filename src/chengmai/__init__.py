"""Chengmai (城脉): one live model of a city, its vital signs, a look ahead, and the work that follows."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("chengmai")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"

__all__ = ["__version__"]
