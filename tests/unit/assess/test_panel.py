"""Values in columns: the newest of a day, sources beside each other, and what replaces what."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.assess.frameworks.many import totals
from chengmai.assess.frameworks.scoring import score
from chengmai.assess.panel.columns import Book, Columns, Rows, no_columns
from chengmai.assess.panel.model import Entry, Ref, Sheet
from chengmai.assess.panel.reading import entry_of_sheet, read_sheets, sheet_entity
from chengmai.assess.problems import RecordInvalid, TableInvalid
from chengmai.assess.shipped import shipped_frameworks
from tests.unit.assess.builders import NOW

HEADER = "id,place,on,evidence,source,source_date,E01,E05\n"


def an_entry(place: str, on: date, *, dated: date = NOW, name: str = "", **values: float) -> Entry:
    ref = Ref(name or f"{place}.{on}.{dated}", place, "survey", "office", dated)
    return Entry(ref, on, values, {})


def columns(*entries: Entry) -> Columns:
    rows = Rows(Book())
    for entry in entries:
        rows.add(entry)
    return rows.columns()


def test_the_newest_value_until_a_day_is_found() -> None:
    found = columns(
        an_entry("A", date(2021, 12, 31), E01=1),
        an_entry("A", date(2023, 12, 31), E01=3),
        an_entry("A", date(2022, 12, 31), E01=2),
        an_entry("B", date(2022, 12, 31), E05=9),
    )
    newest = found.newest("E01", date(2022, 12, 31))
    assert [found.book.places.codes[n] for n in newest.places] == ["A"]
    assert newest.values.tolist() == [2]
    assert [point.value for point in found.series("A", "E01", date(2024, 1, 1))] == [1, 2, 3]
    assert found.at("B", "E01", NOW) is None


def test_two_sources_of_a_day_stand_beside_each_other_and_the_newer_one_counts() -> None:
    day = date(2023, 12, 31)
    found = columns(
        an_entry("A", day, dated=date(2024, 6, 1), E01=70),
        an_entry("A", day, dated=date(2024, 2, 1), E01=60),
    )
    assert [point.value for point in found.series("A", "E01", NOW)] == [60, 70]
    assert found.newest("E01", NOW).values.tolist() == [70]


def test_what_an_entity_brought_is_replaced_when_it_changes() -> None:
    day = date(2023, 12, 31)
    before = columns(an_entry("A", day, name="a", E01=1), an_entry("B", day, name="b", E01=2))
    after = before.replaced(["a"], [an_entry("A", day, name="a", E01=5, E05=6)])
    assert after.newest("E01", NOW).values.tolist() == [5, 2]
    assert after.replaced(["a", "b"], []).newest("E01", NOW).values.tolist() == []
    assert before.newest("E01", NOW).values.tolist() == [1, 2]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ABC"),
            st.integers(2015, 2024),
            st.integers(1, 28),
            st.floats(-1e6, 1e6),
        ),
        max_size=30,
    ),
    st.integers(0, 30),
)
def test_columns_built_at_once_and_step_by_step_are_the_same(
    told: list[tuple[str, int, int, float]], cut: int
) -> None:
    entries = [
        an_entry(place, date(year, 6, 1), dated=date(2024, 5, day), name=f"{n:02}", E01=value)
        for n, (place, year, day, value) in enumerate(told)
    ]
    whole = columns(*entries)
    steps = no_columns().replaced((), entries[:cut])
    for one in entries[cut:]:
        steps = steps.replaced((), [one])
    for place in "ABC":
        assert steps.series(place, "E01", NOW) == whole.series(place, "E01", NOW)


def test_a_wide_table_gives_a_sheet_a_line_with_parts_and_without_empty_cells() -> None:
    table = HEADER.replace("\n", ",E01.numerator,E01.denominator\n")
    table += "a1,330100,2023-12-31,bulletin,office,2024-01-31,62.5,,5,8\n"
    ((line, sheet),) = read_sheets([*table.splitlines(keepends=True)])
    assert line == 2
    found = entry_of_sheet(sheet_entity(sheet))
    assert found.values == {"E01": 62.5}
    assert found.parts == {"E01": (5, 8, None)}


@pytest.mark.parametrize(
    ("table", "field"),
    [
        (HEADER + "a,330100,2023-12-31,e,s,2024-01-01,x,\n", "values.E01"),
        (HEADER + "a,330100,2023-12-31,e,s,2024-01-01,nan,\n", "values.E01"),
        (HEADER + "a,330100,2023-12-31,e,,2024-01-01,1,\n", "source"),
        (HEADER + "a,330100,2023-12-31,e,s,2024-01-01,,\n", "values"),
        (HEADER + "a,330100,2023-12-31,e,s,2024-01-01,1\n", "columns"),
    ],
)
def test_a_line_that_cannot_be_taken_is_named(table: str, field: str) -> None:
    with pytest.raises(RecordInvalid) as problem:
        list(read_sheets(table.splitlines(keepends=True)))
    assert problem.value.facts["line"] == 2
    assert str(problem.value.facts["field"]).startswith(field)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "id,place,on,evidence,source\n",
        HEADER.replace(",E01,E05", ""),
        HEADER.replace("E05", "E01"),
        HEADER.replace("E05", "E07.numerator"),
    ],
)
def test_a_first_line_that_names_no_such_columns_is_refused(header: str) -> None:
    with pytest.raises(TableInvalid):
        list(read_sheets(header.splitlines(keepends=True)))


@pytest.mark.parametrize("values", [{}, {"E01": "1"}, {"E01": True}, {"E 1": 1}, {"E01": 1e301}, 5])
def test_a_sheet_that_a_client_wrote_wrongly_is_refused(values: object) -> None:
    made = sheet_entity(
        Sheet(id="a", place="A", on=NOW, evidence="e", source="s", source_date=NOW, values={"E": 1})
    )
    name = next(name for name in made if name.endswith("/indicatorValues"))
    made[name][0]["json"] = values
    if values == {"E01": "1"}:
        assert entry_of_sheet(made).values == {"E01": 1}
        return
    with pytest.raises(RecordInvalid):
        entry_of_sheet(made)


@pytest.mark.parametrize("framework", [one for one in shipped_frameworks() if one.has_weights])
@given(st.data())
def test_totals_of_many_are_what_the_score_of_each_is(
    framework: object, data: st.DataObject
) -> None:
    from chengmai.assess.frameworks.model import Framework

    assert isinstance(framework, Framework)
    indicators = sorted({leaf.indicator for leaf in framework.leaves() if leaf.indicator})
    value = st.one_of(
        st.just(float("nan")),
        st.floats(-5, 120),
        st.integers(0, 400).map(lambda n: n / 4),
        st.integers(0, 2000).map(lambda n: n / 16),
    )
    rows = data.draw(
        st.lists(st.lists(value, min_size=len(indicators), max_size=len(indicators)), max_size=3)
    )
    wide = np.array(rows).reshape(len(rows), len(indicators))
    expected = [
        score(framework, {i: v for i, v in zip(indicators, row, strict=True) if v == v}).total
        for row in rows
    ]
    assert totals(framework, indicators, wide) == [Decimal(one) for one in expected]
