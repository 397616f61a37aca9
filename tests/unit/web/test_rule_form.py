"""The editor of rules: what is wrong is said at its field, in the language of the reader."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chengmai.ngsild.contexts import ContextCompiler
from chengmai.rules.book import made_ready
from chengmai.rules.problems import RuleInvalid
from chengmai.web.cockpit.build import WEB
from chengmai.web.cockpit.rules.form import mistake_of, read_form
from chengmai.web.cockpit.texts import read_words
from tests.api.test_rule_pages import FORM

WORDS = read_words(WEB / "catalogs", strict=True)

COMMAND = {
    "command_id": "light",
    "command_zh": "亮灯",
    "command_en": "Light",
    "channel": "lamps",
    "to": "poles/set",
}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"id": "Bad Id!"}, "id"),
        ({"id": ""}, "id"),
        ({"q": ""}, "q"),
        ({"type": ""}, "type"),
        ({"count": "0"}, "count"),
        ({"count": "200", "within": "1 min"}, "count"),
        ({"count": "3"}, "count"),
        ({"count": "3", "within": "1 min", "for": "5 min"}, "count"),
        ({"for": "40 d"}, "for"),
        ({"level": "loud"}, "level"),
        (COMMAND | {"to": "a/../b"}, "to"),
        (COMMAND | {"to": "a/+/b"}, "to"),
        (COMMAND | {"to": "a/{name}"}, "to"),
        (COMMAND | {"acknowledged_within": "1 h"}, "acknowledged_within"),
    ],
)
@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_a_mistake_is_said_in_the_language_of_the_reader(
    lang: Any, wrong: dict[str, str], field: str
) -> None:
    spec, mistakes = read_form(FORM | wrong, WORDS[lang])

    assert spec is None
    said = " ".join(one.words for one in mistakes.values())
    assert not said.startswith(("String should", "Input should", "Value error"))
    assert bool(re.search("[一-鿿]", said)) is (lang == "zh-CN")
    assert list(mistakes) == [field]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"q": "a{b{c{d{e}}}}==1"}, "q"),
        ({"type": "CityCase"}, "type"),
        (COMMAND | {"effect_q": "refLamp{lit}==true"}, "effect_q"),
    ],
)
def test_what_a_rule_cannot_do_is_said_in_both_languages(wrong: dict[str, str], field: str) -> None:
    core, form = ContextCompiler().core, FORM | wrong
    for lang, words in WORDS.items():
        spec, _ = read_form(form, words)
        assert spec is not None
        with pytest.raises(RuleInvalid) as problem:
            made_ready(spec, core)
        (said,) = mistake_of(problem.value, form, words).items()
        assert said[0] == field
        assert bool(re.search("[一-鿿]", said[1].words)) is (lang == "zh-CN")
