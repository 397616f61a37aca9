"""Counts of answers as a table, both ways."""

from __future__ import annotations

import csv
import io

from chengmai.assess.surveys.model import Survey
from chengmai.assess.surveys.problems import CountsInvalid
from chengmai.assess.surveys.results import Counts
from chengmai.kernel.texts import Text

COLUMNS = ("stratum", "question", "option", "count")
MOST_CHARACTERS = 200_000
_MOST = 2_000_000_000


def read_counts(survey: Survey, text: str) -> Counts:
    """Return counts from a CSV table (RFC 4180): a line an answer; what has no line is 0.

    Raises `CountsInvalid` with the first line that cannot be taken.
    """
    if len(text) > MOST_CHARACTERS:
        raise CountsInvalid(
            1,
            Text(
                zh=f"表格超过 {MOST_CHARACTERS} 个字符",
                en=f"the table is longer than {MOST_CHARACTERS} characters",
            ),
        )
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff").strip() + "\n"), strict=True)
    counts: dict[tuple[str, str, str], int] = {}
    try:
        if tuple(cell.strip() for cell in next(reader, [])) != COLUMNS:
            raise CountsInvalid(
                1,
                Text(
                    zh=f"第一行应为 {','.join(COLUMNS)}",
                    en=f"the first line must be {','.join(COLUMNS)}",
                ),
            )
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            key, count = _line(survey, reader.line_num, row)
            if key in counts:
                raise CountsInvalid(
                    reader.line_num,
                    Text(
                        zh=f"{' '.join(key)} 出现两次",
                        en=f"{' '.join(key)} is there twice",
                    ),
                )
            counts[key] = count
    except csv.Error as error:
        raise CountsInvalid(
            reader.line_num,
            Text(
                zh=f"不是 CSV：{error}",
                en=f"this is not CSV: {error}",
            ),
        ) from None
    if not any(counts.values()):
        raise CountsInvalid(
            2,
            Text(
                zh="表中没有答卷",
                en="there is no answer in the table",
            ),
        )
    _check_people(survey, counts)
    return counts


def write_counts(survey: Survey, counts: Counts) -> str:
    """Return the table of a survey with what is known, to be filled in."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for key in _keys(survey):
        writer.writerow((*key, counts.get(key, 0)))
    return out.getvalue()


def _keys(survey: Survey) -> list[tuple[str, str, str]]:
    return [
        (stratum, question.id, option.id)
        for stratum in survey.stratum_ids()
        for question in survey.questions
        for option in question.options
    ]


def _line(survey: Survey, line: int, row: list[str]) -> tuple[tuple[str, str, str], int]:
    if len(row) != len(COLUMNS):
        raise CountsInvalid(
            line,
            Text(
                zh=f"有 {len(row)} 个单元格，应为 {len(COLUMNS)} 个",
                en=f"it has {len(row)} cells, {len(COLUMNS)} are wanted",
            ),
        )
    stratum, question, option, number = (cell.strip() for cell in row)
    key = (stratum, question, option)
    if key not in _keys(survey):
        raise CountsInvalid(
            line,
            Text(
                zh=f"调查中没有 {' '.join(key)}",
                en=f"the survey does not ask for {' '.join(key)}",
            ),
        )
    if not (number.isascii() and number.isdigit()) or int(number) > _MOST:
        raise CountsInvalid(
            line,
            Text(
                zh=f"“{number}”不是份数",
                en=f"{number!r} is not a number of answers",
            ),
        )
    return key, int(number)


def _check_people(survey: Survey, counts: Counts) -> None:
    people = {one.id: one.population for one in survey.strata} or {"all": survey.population}
    for question in survey.questions:
        for stratum, most in people.items():
            given = sum(n for key, n in counts.items() if key[:2] == (stratum, question.id))
            if most is not None and given > most:
                raise CountsInvalid(
                    2,
                    Text(
                        zh=f"{stratum} 有 {given} 份答卷，而人口只有 {most}",
                        en=f"{given} answers from {stratum}, where {most} people live",
                    ),
                )
