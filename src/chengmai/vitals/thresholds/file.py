"""The city's thresholds as a file in its data folder: for what was decided before the platform came."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chengmai.vitals.model import Sign
from chengmai.vitals.thresholds.model import BandKey, Change, ChangeState
from chengmai.vitals.thresholds.overlay import changed_sign, check_change
from chengmai.vitals.thresholds.problems import (
    ThresholdFileInvalid,
    ThresholdFixed,
    ThresholdInvalid,
)

NAME = "thresholds.toml"
_FIX = "compare with the example in docs/build/vitals.md"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    sign: str = Field(pattern=r"^[a-z][a-z0-9_-]*/[a-z][a-z0-9_-]*$")
    threshold: str
    value: float | None = Field(default=None, allow_inf_nan=False)
    clear: float | None = Field(default=None, allow_inf_nan=False)
    from_: date = Field(alias="from")
    reason: str = Field(min_length=1, max_length=500)


def read_thresholds(path: Path, signs: Sequence[Sign]) -> tuple[Change, ...]:
    """Return the changes in the file, in order; none when there is no file.

    Raises `ThresholdFileInvalid`, which names the entry and what is wrong with it. Days of the past are allowed
    here: nothing that was recorded is evaluated again.
    """
    if not path.is_file():
        return ()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ThresholdFileInvalid(
            f"{path.name} is not TOML: {error}", param=path.name, fix="correct the line"
        ) from error
    entries = document.pop("change", [])
    if document or not isinstance(entries, list):
        raise _wrong(path, sorted(document)[0] if document else "change", "is not known")
    by_key, made = {sign.key: sign for sign in signs}, list[Change]()
    for number, entry in enumerate(entries, 1):
        change = _change(path, number, entry)
        _check(path, number, change, by_key, made)
        made.append(change)
    return tuple(made)


def _change(path: Path, number: int, entry: Any) -> Change:
    try:
        read = _Entry.model_validate(entry)
        level, side, *grade = read.threshold.split("-")
        key = BandKey.model_validate(
            {"level": level, "side": side, "grade": "-".join(grade) or None}
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _wrong(path, f"change {number}: {where}", first["msg"]) from error
    except ValueError as error:
        said = f"{read.threshold!r} is no threshold such as watch-above or act-below"
        raise _wrong(path, f"change {number}: threshold", said) from error
    return Change(
        id=f"file-{number}",
        sign=read.sign,
        key=key,
        value=read.value,
        clear=read.clear,
        from_on=read.from_,
        reason=read.reason,
        state=ChangeState.APPROVED,
    )


def _check(
    path: Path, number: int, change: Change, signs: dict[str, Sign], earlier: list[Change]
) -> None:
    sign = signs.get(change.sign)
    if sign is None:
        raise _wrong(path, f"change {number}: sign", f"there is no sign {change.sign}")
    try:
        check_change(changed_sign(sign, earlier).spec, change, date.min)
    except (ThresholdInvalid, ThresholdFixed) as problem:
        raise _wrong(
            path, f"change {number}: {problem.param}", problem.detail, problem.fix
        ) from problem


def _wrong(path: Path, where: str, said: str, fix: str | None = None) -> ThresholdFileInvalid:
    return ThresholdFileInvalid(f"{path.name}: {where}: {said}", param=where, fix=fix or _FIX)
