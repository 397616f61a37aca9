"""Baselines, anomaly scores and forecasts: pure numerics, and one service that keeps what it learnt."""

from chengmai.forecast.anomaly import Detector, Score
from chengmai.forecast.baseline import Band, band_before, bands_ahead
from chengmai.forecast.blended import NetworkBlend
from chengmai.forecast.fitting import Fitted, FittedPanel, candidates, fit, fit_panel
from chengmai.forecast.forecasters import Forecaster, fit_predict
from chengmai.forecast.keeping import detector_from, detector_state
from chengmai.forecast.model import Backtest, Forecast, Panel, Series
from chengmai.forecast.network import NetworkRidge
from chengmai.forecast.problems import SeriesInvalid, StateInvalid
from chengmai.forecast.service import Foresight
from chengmai.forecast.shared import SharedRidge

__all__ = [
    "Backtest",
    "Band",
    "Detector",
    "Fitted",
    "FittedPanel",
    "Forecast",
    "Forecaster",
    "Foresight",
    "NetworkBlend",
    "NetworkRidge",
    "Panel",
    "Score",
    "Series",
    "SeriesInvalid",
    "SharedRidge",
    "StateInvalid",
    "band_before",
    "bands_ahead",
    "candidates",
    "detector_from",
    "detector_state",
    "fit",
    "fit_panel",
    "fit_predict",
]
