"""The scoring of the anomaly benchmark against its published formula and values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bench.foresight.nab_scoring import Corpus, Scored, normalised, raw_score, sigmoid, weights_of


def file(rows: int, windows: list[tuple[int, int]], *alarms: int) -> Scored:
    scores = np.zeros(rows)
    scores[list(alarms)] = 1.0
    return Scored("made", scores, windows)


def test_the_sigmoid_is_worth_one_early_nothing_at_the_end_and_costs_all_beyond() -> None:
    assert sigmoid(-1.0) == pytest.approx(0.98661, abs=1e-5)
    assert sigmoid(0.0) == 0.0
    assert sigmoid(3.1) == -1.0


def test_nothing_said_misses_every_window() -> None:
    made = file(1000, [(300, 399), (600, 699)])
    assert raw_score(made, 0.5) == -2.0
    assert normalised(-2.0, 2) == 0.0


def test_the_first_instant_of_every_window_is_perfect() -> None:
    made = file(1000, [(300, 399), (600, 699)], 300, 600)
    assert normalised(raw_score(made, 0.5), 2) == pytest.approx(100.0)


def test_only_the_best_detection_in_a_window_counts() -> None:
    assert raw_score(file(1000, [(300, 399)], 310, 350, 390), 0.5) == raw_score(
        file(1000, [(300, 399)], 310), 0.5
    )


def test_a_false_alarm_costs_by_how_far_it_lies_behind_the_window() -> None:
    worth, _ = weights_of(file(1000, [(300, 399)]))
    assert worth[200] == pytest.approx(-0.11)
    assert -0.02 < worth[400] < 0
    assert worth[900] == pytest.approx(-0.11)


def test_the_probation_is_not_judged() -> None:
    assert raw_score(file(1000, [], 10, 149), 0.5) == 0.0
    assert raw_score(file(1000, [], 150), 0.5) == pytest.approx(-0.11)


def test_a_published_file_score_is_one_of_those_a_window_can_give() -> None:
    # Published for a file of 4,032 rows with one window of 403: one detection, no false alarm.
    worth, inside = weights_of(file(4032, [(2787, 3189)]))
    assert np.abs(worth[inside == 0] - 0.8589086704377245).min() < 1e-9


def test_the_best_threshold_is_that_of_the_corpus() -> None:
    one = Scored("a", np.where(np.arange(1000) == 310, 0.9, 0.1), [(300, 399)])
    corpus = Corpus([one], [0.05, 0.5, 2.0])
    assert corpus.best(["a"]) == 1
    assert corpus.windows(["a"]) == 1
