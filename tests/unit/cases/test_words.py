from __future__ import annotations

from chengmai.cases import STATE_WORDS, STEP_WORDS, LogLine, State, Step, sentence
from chengmai.cases.words import title_of_crossing
from tests.unit.cases.builders import MONDAY, words


def a_line(step: Step, **changes: object) -> LogLine:
    line = LogLine(
        tenant="city",
        case_id="c",
        n=1,
        at=MONDAY,
        by_id="usr_1",
        by_name="Li",
        by_role="duty_officer",
        step=step,
        from_state=State.OPENED,
        to_state=State.OPENED,
    )
    return line.model_copy(update=changes)


def test_every_state_and_step_has_words() -> None:
    assert set(STATE_WORDS) == set(State)
    assert set(STEP_WORDS) == set(Step)


def test_a_person_s_own_words_stay_as_written() -> None:
    line = a_line(Step.COMMENT, note="已到现场 {x}")
    assert (sentence(line).zh, sentence(line).en) == ("备注：已到现场 {x}", "Comment: 已到现场 {x}")


def test_a_line_of_the_platform_without_a_reason_still_reads_well() -> None:
    assert sentence(a_line(Step.OPEN, by_role="system")).en == "Opened by the platform."


def test_a_title_says_what_where_and_whether_it_is_only_expected() -> None:
    assert (
        title_of_crossing("predicted", words("PM2.5"), "Haidian").en == "Expected: PM2.5, Haidian"
    )
    assert title_of_crossing("real", words("Load {x}"), "").en == "Load {x}"
