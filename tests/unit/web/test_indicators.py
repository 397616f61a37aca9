"""Indicators on pages: what a mark of trust means is said, not only its letter."""

from __future__ import annotations

import pytest

from tests.unit.web.builders import signed_in


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", "name: standard seen · formula: from memory, to be verified"),
        ("zh-CN", "名称：已见标准原文 · 公式：凭记忆，待核验"),
    ],
)
def test_an_indicator_says_in_words_how_far_its_name_and_formula_are_trusted(
    lang: str, said: str
) -> None:
    client = signed_in(lang=lang)
    assert f"<dd>{said}</dd>" in client.get("/assessment/indicators/E02").text
    assert said in client.get("/assessment/indicators").text
