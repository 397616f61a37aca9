from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.connect.payloads import parse_path, readings_of
from chengmai.connect.reading import Reading, Reject
from chengmai.kernel.problems import Invalid
from tests.unit.connect.builders import NOW, a_feed, a_mapper

GOOD = {"time": "2026-11-22 08:00", "station": "one", "PM2.5": 35, "CO": 800}


def read(payload: Any, path: str = "$") -> tuple[list[Reading], list[Reject]]:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return readings_of(raw, parse_path(path), a_mapper(a_feed()), "topic", NOW)


def test_one_object_or_a_list_of_them_is_read() -> None:
    assert len(read(GOOD)[0]) == 1
    assert len(read([GOOD, GOOD])[0]) == 2


def test_the_records_are_found_below_a_path() -> None:
    readings, rejects = read({"data": [{"items": [GOOD]}]}, "$.data[0].items")
    assert (len(readings), rejects) == (1, [])


@pytest.mark.parametrize("payload", [b"{", b"\xff\xfe", b"[" * 100_000, {"other": 1}])
def test_what_is_no_json_or_has_no_records_is_told(payload: Any) -> None:
    path = "$.data" if isinstance(payload, dict) else "$"
    readings, rejects = read(payload, path)
    assert (readings, [r.code for r in rejects]) == ([], ["bad_json"])


def test_a_wrong_record_of_a_list_costs_that_record_only() -> None:
    readings, rejects = read([GOOD, 7, GOOD])
    assert len(readings) == 2
    assert [(r.code, r.where) for r in rejects] == [("bad_json", "topic[1]")]


@pytest.mark.parametrize("path", ["data", "$data", "$.", "$[x]", "$.a..b", ""])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(Invalid, match="not a path"):
        parse_path(path)


@given(st.binary(max_size=300))
def test_no_payload_ever_raises(raw: bytes) -> None:
    readings, rejects = read(raw)
    assert not readings
    assert all(reject.sample.isprintable() for reject in rejects)
