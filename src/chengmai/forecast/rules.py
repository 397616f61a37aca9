"""Pure decisions: which model, how wide an interval, and whether a forecast may be shown at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from chengmai.forecast.backtest import Trial, mean_abs
from chengmai.forecast.model import Backtest, Floats
from chengmai.forecast.telling import model_title
from chengmai.kernel.texts import Text

NAIVE = "seasonal_naive"
FLAT = "median"
MIN_ORIGINS = 24
"""Below this a tail of 10 % on each side cannot be told from the extremes (n >= 2 / 0.1, and some)."""


def points_in_common(trial: Trial) -> Floats:
    """Return 1 where the actual value and the naive are known, NaN elsewhere: all are judged there."""
    known = np.isfinite(trial.actual) & np.isfinite(trial.expected[NAIVE])
    mask: Floats = np.where(known, 1.0, np.nan)
    return mask


def choose_model(trial: Trial) -> str:
    """Return the model with the least error on the trial; the naive when none is better.

    A model that could not answer everywhere it is judged is left out.
    """
    mask = points_in_common(trial)
    best, least = NAIVE, mean_abs(trial.errors(NAIVE) * mask)
    for name in sorted(trial.expected):
        errors = trial.errors(name) * mask
        if np.isfinite(errors).sum() < np.isfinite(mask).sum():
            continue
        error = mean_abs(errors)
        if error < least:
            best, least = name, error
    return best


def judge(trial: Trial, name: str, tails: tuple[Floats, Floats]) -> Backtest:
    """Return the back-test of a model on origins that did not choose it, with the tails each would have had."""
    mask = points_in_common(trial)
    errors = trial.errors(name) * mask
    mae, naive_mae = mean_abs(errors), mean_abs(trial.errors(NAIVE) * mask)
    judged = np.isfinite(errors) & np.isfinite(tails[0])
    inside = (errors >= tails[0]) & (errors <= tails[1]) & judged
    return Backtest(
        mae=mae,
        naive_mae=naive_mae,
        skill=1 - mae / naive_mae if naive_mae > 0 else 0.0,
        coverage=float(inside.sum() / judged.sum()) if judged.any() else float("nan"),
        origins=len(trial.origins),
        horizon=trial.actual.shape[1],
    )


def beats_flat(trial: Trial, name: str) -> bool:
    """Return whether the model knows more than the plain median of the history.

    On noise any mean beats the seasonal naive, which repeats one noisy value, so skill against the naive
    alone would let a forecast of nothing through. Wanted: a gain of more than 1 % and of more than
    one standard error over the origins.
    """
    if FLAT not in trial.expected or name == FLAT:
        return False
    mask = points_in_common(trial)
    gain = (np.abs(trial.errors(FLAT)) - np.abs(trial.errors(name))) * mask
    rows = gain[np.isfinite(gain).any(axis=1)]
    if len(rows) < 3:
        return False
    each = np.nanmean(rows, axis=1)
    error = float(each.std(ddof=1) / np.sqrt(len(each)))
    usual = mean_abs(trial.errors(FLAT) * mask)
    return bool(each.mean() > max(0.01 * usual, error))


def decide_shown(backtest: Backtest, *, model: str, knows: bool) -> tuple[bool, Text]:
    """Return whether the forecast may be shown, and why, in both languages."""
    facts: dict[str, Any] = {
        "mae": f"{backtest.mae:.3g}",
        "naive": f"{backtest.naive_mae:.3g}",
        "skill": f"{backtest.skill:.0%}",
        "cover": f"{backtest.coverage:.0%}",
        "n": backtest.origins,
    }
    if not backtest.skill > 0:
        text = Text(
            zh="回测误差 {mae}，不优于季节朴素法的 {naive}，因此不作预测，改为显示基线。",
            en="Back-test error {mae} is no better than {naive} of the seasonal naive, so no forecast is "
            "made and the baseline is shown instead.",
        )
        return False, text.format(**facts)
    if not knows:
        text = Text(
            zh="回测误差 {mae} 与直接取历史中位数相差无几，因此不作预测，改为显示基线。",
            en="Back-test error {mae} is hardly better than the plain median of the past, so no forecast "
            "is made and the baseline is shown instead.",
        )
        return False, text.format(**facts)
    text = Text(
        zh="模型“{model}”在 {n} 个留出起点上的平均误差为 {mae}，季节朴素法为 {naive}（改进 {skill}）；"
        "80% 区间实际覆盖 {cover}。",
        en="Over {n} held-out origins the model “{model}” errs by {mae} on average, the seasonal naive by "
        "{naive} (skill {skill}); the 80% interval held {cover}.",
    )
    title = model_title(model)
    return True, Text(
        zh=text.zh.format(**facts, model=title.zh), en=text.en.format(**facts, model=title.en)
    )


def too_short(have: int, need: int) -> Text:
    """Return the sentence that says how much history is missing."""
    return Text(
        zh="历史数据不足：已有 {have} 个时刻，至少需要 {need} 个，暂不作预测，改为显示基线。",
        en="Too little history: {have} steps of at least {need}, so no forecast is made yet and the "
        "baseline is shown instead.",
    ).format(have=have, need=need)


def digest(params: Mapping[str, Any]) -> str:
    """Return 12 hex digits that name a set of parameters: the figure can be made again from them."""
    text = json.dumps(params, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
