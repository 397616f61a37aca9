"""Fitted models as data: plain values and arrays, never pickles. What is read back makes the same figures."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chengmai.forecast.blended import Blended
from chengmai.forecast.features import Layout, Scales
from chengmai.forecast.forecasters import Predictor, Simple
from chengmai.forecast.network import Network
from chengmai.forecast.perceptron import Perceptron
from chengmai.forecast.problems import StateInvalid
from chengmai.forecast.shared import Shared, SharedMap

_DTYPES = ("<f8", "<f4", "<i8")


def stored(value: Any) -> Any:
    """Return a value as JSON holds it: arrays as type, shape and base64 of their little-endian bytes."""
    if isinstance(value, np.ndarray):
        dtype = {"f8": "<f8", "f4": "<f4", "i8": "<i8"}[value.dtype.str[1:]]
        flat = np.ascontiguousarray(value, dtype=dtype)
        return {
            "array": dtype,
            "shape": list(value.shape),
            "b64": base64.b64encode(flat.tobytes()).decode(),
        }
    if isinstance(value, Mapping):
        return {key: stored(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [stored(one) for one in value]
    return value.item() if isinstance(value, np.generic) else value


def read(value: Any) -> Any:
    """Return what `stored` was given; raises `StateInvalid` for an array that is none."""
    if isinstance(value, Mapping):
        if "array" not in value:
            return {key: read(one) for key, one in value.items()}
        if value["array"] not in _DTYPES:
            raise StateInvalid(f"array of type {value['array']!r}", fix=_FIX)
        flat = np.frombuffer(base64.b64decode(value["b64"]), dtype=value["array"])
        return flat.reshape(value["shape"]).astype(flat.dtype.newbyteorder("="))
    return [read(one) for one in value] if isinstance(value, list) else value


def state_of(predictor: Predictor) -> dict[str, Any]:
    """Return a fitted model as JSON holds it, with its kind."""
    return {"kind": type(predictor).__name__, **stored(predictor.state())}


def restore(state: Mapping[str, Any]) -> Predictor:
    """Return the fitted model that `state_of` was given.

    Raises `StateInvalid` when it is of an unknown kind or not whole: fit anew.
    """
    try:
        plain = {key: read(one) for key, one in state.items() if key != "kind"}
        return _MAKERS[state["kind"]](plain)
    except (KeyError, TypeError, ValueError) as error:
        raise StateInvalid(f"{type(error).__name__}: {error}", fix=_FIX) from error


_FIX = "leave it: the model is fitted anew from history"


def _network(plain: Mapping[str, Any]) -> Network:
    layout, scales = Layout(**plain["layout"]), Scales(**plain["scales"])
    return Network(layout, scales, plain["beside"], plain["weights"])


def _blended(plain: Mapping[str, Any]) -> Predictor:
    nets = tuple(Perceptron(tuple(one["maps"])) for one in plain["nets"])
    return Blended(_network(plain["network"]), nets, plain["middle"], plain["spread"])


def _shared(plain: Mapping[str, Any]) -> Predictor:
    return Shared(**{**plain, "maps": tuple(SharedMap(**one) for one in plain["maps"])})


_MAKERS: dict[str, Callable[[Mapping[str, Any]], Predictor]] = {
    "Simple": lambda plain: Simple(**plain),
    "Network": _network,
    "Blended": _blended,
    "Shared": _shared,
}
