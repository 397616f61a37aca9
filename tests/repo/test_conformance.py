"""Every conformance test names its clause, and every operation offered has one."""

from __future__ import annotations

import re

from tests.repo.clauses import Operation, checks, operations

CLAUSE = re.compile(r"[4-7]\.\d+(\.\d+){0,3}")
AWAITED: dict[Operation, str] = {}
"""An operation that has no conformance test yet, and why. It must be taken out once it has one."""


def test_every_conformance_test_names_its_clause() -> None:
    found = [check for check in checks() if check.file.startswith("tests/conformance/")]
    assert found
    assert [f"{one.file}: {one.name}" for one in found if not one.clauses] == []


def test_every_clause_named_is_one() -> None:
    wrong = [
        f"{check.name}: {clause}"
        for check in checks()
        for clause in check.clauses
        if not CLAUSE.fullmatch(clause)
    ]
    assert wrong == []


def test_every_operation_has_a_conformance_test() -> None:
    tested = {one for check in checks() if check.clauses for one in check.operations}
    missing = operations() - tested - AWAITED.keys()
    assert sorted(missing) == [], "write a test in tests/conformance with its clause"
    assert sorted(AWAITED.keys() & tested) == [], "it has its test: take it out of AWAITED"
    assert sorted(AWAITED.keys() - operations()) == [], "it is not offered"
