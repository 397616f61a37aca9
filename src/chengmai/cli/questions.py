"""What a running city answers on its line, by the name of the command that asks."""

from __future__ import annotations

from collections.abc import Mapping

from chengmai.cli import forecast, pools, rules
from chengmai.cli.line import Question

QUESTIONS: Mapping[str, Question] = {
    "forecast.backtest": forecast.backtests,
    "forecast.quality": forecast.qualities,
    "pools.look": pools.looks,
    "rules.try": rules.tried,
}
