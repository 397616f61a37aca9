"""Money of programmes: one source is added, two that differ stand side by side."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chengmai.assess.model import Investment
from chengmai.assess.money import FINANCES, KINDS, Money, money_of

ON = date(2025, 12, 31)


def amount(record: str, value: str, *, unit: str = "10k_yuan", **more: object) -> Investment:
    """Return an amount of the plan of programme p, by the office, from the public budget."""
    told = {
        "id": record,
        "programme": "p",
        "kind": "planned",
        "amount": value,
        "unit": unit,
        "finance": "public",
        "on": "2024-01-01",
        "source": "office",
        "source_date": "2024-02-01",
    }
    return Investment.model_validate({**told, **more})


def total(money: Money, kind: str) -> Decimal | None:
    return next((one.yuan for one in money.lines if one.kind == kind and one.finance is None), None)


def test_amounts_of_one_source_are_added_whatever_unit_they_come_in() -> None:
    money = money_of(
        [amount("a", "1", unit="100m_yuan"), amount("b", "0.5"), amount("c", "1", unit="yuan")], ON
    )
    assert total(money, "planned") == Decimal(100_005_001)


def test_two_sources_that_differ_stand_side_by_side_and_in_no_total() -> None:
    money = money_of(
        [amount("a", "300"), amount("b", "320", source="press"), amount("c", "7", programme="q")],
        ON,
    )
    assert total(money, "planned") == Decimal(70_000)
    ((first, second),) = money.disputed
    assert {(first.source, first.yuan), (second.source, second.yuan)} == {
        ("office", Decimal(3_000_000)),
        ("press", Decimal(3_200_000)),
    }


def test_two_sources_that_agree_count_once() -> None:
    money = money_of(
        [amount("a", "300"), amount("b", "0.03", unit="100m_yuan", source="press")], ON
    )
    assert total(money, "planned") == Decimal(3_000_000)
    assert money.disputed == ()


def test_payers_are_told_apart_and_add_up_to_the_total() -> None:
    money = money_of([amount("a", "300"), amount("b", "20", finance="bond")], ON)
    assert [(one.finance, one.yuan) for one in money.lines] == [
        ("public", Decimal(3_000_000)),
        ("bond", Decimal(200_000)),
        (None, Decimal(3_200_000)),
    ]


def test_money_of_after_the_day_is_not_there_yet() -> None:
    found = [amount("a", "300"), amount("b", "5", on="2025-06-01")]
    assert total(money_of(found, date(2025, 5, 31)), "planned") == Decimal(3_000_000)
    assert total(money_of(found, date(2025, 6, 1)), "planned") == Decimal(3_050_000)


def test_a_rate_is_over_programmes_of_which_both_are_known_without_dispute() -> None:
    found = [
        amount("a", "400"),
        amount("b", "100", kind="arrived"),
        amount("c", "900", programme="q"),
        amount("d", "50", programme="r"),
        amount("e", "60", programme="r", source="press"),
        amount("f", "10", programme="r", kind="arrived"),
    ]
    (rate,) = money_of(found, ON).rates
    assert (rate.kind, rate.of, rate.programmes) == ("arrived", "planned", 1)
    assert rate.percent == 25


AMOUNTS = st.lists(
    st.builds(
        lambda n, programme, kind, finance, source, day: amount(
            "x", str(n), programme=programme, kind=kind, finance=finance, source=source, on=day
        ),
        st.integers(0, 99),
        st.sampled_from("pq"),
        st.sampled_from(KINDS),
        st.sampled_from(FINANCES),
        st.sampled_from(["office", "press"]),
        st.sampled_from(["2024-01-01", "2027-01-01"]),
    ),
    max_size=12,
)


@given(AMOUNTS)
def test_no_total_holds_more_than_any_one_source_could_give(found: list[Investment]) -> None:
    money = money_of(found, ON)
    for line in money.lines:
        parts = [
            one.yuan
            for one in found
            if one.kind == line.kind and one.on <= ON and line.finance in (None, one.finance)
        ]
        assert line.yuan <= sum(parts)
    whole = {kind: total(money, kind) for kind in KINDS}
    for kind in KINDS:
        parts = [one.yuan for one in money.lines if one.kind == kind and one.finance is not None]
        assert whole[kind] == (sum(parts) if parts else None)
    counted = {(one.programme, one.kind, one.finance) for one in found if one.on <= ON}
    for said in money.disputed:
        assert len({one.yuan for one in said}) > 1
        assert (said[0].programme, said[0].kind, said[0].finance) in counted
