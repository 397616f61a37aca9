"""The numbered schema files."""

from __future__ import annotations

from chengmai.store.sqlite.file import migrations


def test_no_two_schema_files_have_one_number() -> None:
    numbers = [number for number, _, _ in migrations()]

    assert sorted(set(numbers)) == numbers
