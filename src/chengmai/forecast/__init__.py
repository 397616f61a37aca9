"""Baselines, anomaly scores and forecasts: pure numerics, and one service that keeps what it learnt."""

from chengmai.forecast.anomaly import Detector, Score
from chengmai.forecast.baseline import Band, band_before, bands_ahead
from chengmai.forecast.fitting import Fitted, candidates, fit
from chengmai.forecast.forecasters import Forecaster, fit_predict
from chengmai.forecast.model import Backtest, Forecast, Series
from chengmai.forecast.problems import SeriesInvalid
from chengmai.forecast.service import Foresight

__all__ = [
    "Backtest",
    "Band",
    "Detector",
    "Fitted",
    "Forecast",
    "Forecaster",
    "Foresight",
    "Score",
    "Series",
    "SeriesInvalid",
    "band_before",
    "bands_ahead",
    "candidates",
    "fit",
    "fit_predict",
]
