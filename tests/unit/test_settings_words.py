"""What a person is told whose settings cannot be read."""

from __future__ import annotations

import pytest

from chengmai.cli.open import settings_with
from chengmai.kernel.problems import Invalid


def test_a_setting_that_should_be_json_and_is_not_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHENGMAI_KEEP_ROLLUPS", "{not json")

    with pytest.raises(Invalid) as told:
        settings_with()

    assert told.value.param == "CHENGMAI_KEEP_ROLLUPS"
    assert "not valid JSON" in str(told.value)


def test_a_setting_out_of_its_range_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHENGMAI_PORT", "many")

    with pytest.raises(Invalid) as told:
        settings_with()

    assert told.value.param == "CHENGMAI_PORT"
