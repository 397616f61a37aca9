"""Both catalogs hold the same keys with the same placeholders, and every key that is used."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from chengmai.connect.reading import REJECT_TEXTS
from chengmai.web.cockpit.build import WEB
from chengmai.web.cockpit.feeds.view import explain
from chengmai.web.cockpit.texts import MissingText, Words, best_language, read_messages
from tests.unit.web.builders import formats

ZH = read_messages(WEB / "catalogs" / "zh_CN.po")
EN = read_messages(WEB / "catalogs" / "en.po")
USED = re.compile(r"""\b(?:t|\w*\.?words)(?:\.count)?\(\s*["']([^"'{]+)["']""")
BUILT = [
    *("level.", "theme.", "role.", "rail.", "banner.", "trend.", "range.", "kind.", "light."),
    *("place.", "feed_state.", "trust.", "summary.", "error.", "problem.", "help.level."),
    *("grade.", "band.", "length.", "versus.", "explain.", "mark.", "weather.", "tabs."),
    *("thr.state.", "thr.side.", "domain.top.", "like.by_", "quality.step", "days."),
    *("section.", "fault.", "incident.nature.", "incident.role.", "incident.kind.", "assess."),
    *("outlook.about.", "outlook.model.", "outlook.note."),
    *("survey.mode.", "survey.sampling.", "rules.mistake."),
    *(
        "pools.basis.",
        "pools.day.",
        "pools.effect.",
        "pools.outlook.",
        "pools.state.",
        "pools.way.",
    ),
]
"""Beginnings of keys that are put together from a value."""


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def used_keys() -> set[str]:
    files = [*WEB.glob("cockpit/**/*.py"), *WEB.glob("cockpit/**/*.html")]
    return {key for file in files for key in USED.findall(file.read_text("utf-8"))}


def test_both_languages_hold_the_same_keys() -> None:
    assert ZH.keys() == EN.keys()


def test_every_text_has_words_and_the_placeholders_of_its_twin() -> None:
    wordless = {key for key in ZH if not all(form.strip() for form in (*ZH[key], *EN[key]))}
    unlike = {key for key in ZH if placeholders(ZH[key][0]) != placeholders(EN[key][-1])}
    assert (wordless, unlike) == (set(), set())


def test_every_key_that_is_used_exists() -> None:
    literal = {key for key in used_keys() if not key.endswith(".")}
    assert literal - ZH.keys() == set()


def test_every_key_that_exists_is_used() -> None:
    left = {key for key in ZH.keys() - used_keys() if not key.startswith(tuple(BUILT))}
    assert left == set()


def test_chinese_texts_are_chinese() -> None:
    latin = {"frame.other_language", "band.label", "incident.and"}
    without = {k for k, (form, *_) in ZH.items() if not re.search(r"[\u4e00-\u9fff]", form)}
    assert without - latin == set()


def test_a_missing_text_is_a_failure_in_tests_and_a_key_for_people() -> None:
    with pytest.raises(MissingText):
        Words("en", {}, strict=True)("desk.title")
    assert Words("en", {})("desk.title") == "desk.title"


def test_a_count_takes_the_form_of_its_number() -> None:
    words = Words("en", {"n": ("{n} case", "{n} cases")})
    assert [words.count("n", n) for n in (0, 1, 2)] == ["0 cases", "1 case", "2 cases"]


@pytest.mark.parametrize("code", sorted(REJECT_TEXTS))
def test_every_reason_to_refuse_a_record_is_explained(code: str) -> None:
    assert explain(code, formats("zh-CN")) == REJECT_TEXTS[code].zh


@pytest.mark.parametrize(
    ("cookie", "accept", "lang"),
    [
        ("en", "zh-CN", "en"),
        (None, "en-GB,en;q=0.9,zh;q=0.5", "en"),
        (None, "fr, zh-TW;q=0.8, en;q=0.3", "zh-CN"),
        (None, "en;q=0", "zh-CN"),
        (None, "en;q=nonsense, zh;q=0.1", "zh-CN"),
        (None, None, "zh-CN"),
        ("xx", "en", "en"),
    ],
)
def test_the_language_is_the_chosen_one_then_the_best_accepted(
    cookie: str | None, accept: str | None, lang: str
) -> None:
    assert best_language(cookie, accept) == lang


BRANCHES = re.compile(
    r"\braise (?:Invalid|NotFound|Conflict|Forbidden|Unauthenticated|NotSupported|TooLarge|Unavailable)\("
)


def test_what_a_page_raises_itself_has_its_sentence_in_both_languages() -> None:
    without = []
    for file in sorted(WEB.glob("cockpit/**/*.py")):
        text = file.read_text("utf-8")
        for found in BRANCHES.finditer(text):
            told = re.search(r'code="([^"]+)"', text[found.start() : found.start() + 300])
            if told is None or f"problem.{told[1]}" not in ZH:
                without.append(f"{file.name}: {text[found.start() : found.end() + 60]}")
    assert without == []
