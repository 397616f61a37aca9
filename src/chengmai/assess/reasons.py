"""Why a record cannot be taken, in both languages: what is wrong with a field, and what would be right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from chengmai.kernel.texts import Text

NO_SOURCE = Text(
    zh="没有来源和日期的记录不收：写明由谁、截至哪一天",
    en="a record without a source and its date is not taken: say who says so, and as of which day",
)
COUNTRY = r"^[A-Z][A-Z]$"
RANK = (
    r"^(provincial|sub_provincial|prefecture|county|district|town|park|community)"
    r"/(\*|[^/\s][^/]{0,79})$"
)
_TOLD: Mapping[str, Text] = {
    "missing": Text(zh="必须填写", en="it must be filled in"),
    "string_type": Text(zh="应为文字", en="it must be text"),
    "string_too_short": Text(zh="不能为空", en="it must not be empty"),
    "string_too_long": Text(zh="最多 {max_length} 个字符", en="at most {max_length} characters"),
    "string_pattern_mismatch": Text(
        zh="代码由 1 至 32 个拉丁字母、数字、点、下划线或连字符组成，以字母或数字开头",
        en="a code has 1 to 32 Latin letters, digits, dots, underscores or hyphens, a letter or digit first",
    ),
    "literal_error": Text(zh="只能是 {expected} 之一", en="use one of {expected}"),
    "greater_than_equal": Text(zh="不能小于 {ge}", en="it must not be less than {ge}"),
    "greater_than": Text(zh="必须大于 {gt}", en="it must be more than {gt}"),
    "less_than_equal": Text(zh="不能大于 {le}", en="it must not be more than {le}"),
    "less_than": Text(zh="必须小于 {lt}", en="it must be less than {lt}"),
    "finite_number": Text(zh="应为有限的数", en="it must be a finite number"),
    "too_short": Text(zh="至少 {min_length} 项", en="at least {min_length} of them"),
    "too_long": Text(zh="最多 {max_length} 项", en="at most {max_length} of them"),
    "extra_forbidden": Text(zh="没有这个字段", en="there is no such field"),
    "decimal_max_places": Text(
        zh="最多 {decimal_places} 位小数", en="at most {decimal_places} decimals"
    ),
}
_PATTERNS: Mapping[str, Text] = {
    COUNTRY: Text(
        zh="国家写两个大写字母（ISO 3166-1），例如 EE",
        en="a country is two capital letters of ISO 3166-1, such as EE",
    ),
    RANK: Text(
        zh="写作“层级/类别”，如 county/city，任何类别写 *；层级用 provincial、sub_provincial、prefecture、"
        "county、district、town、park、community",
        en="write level/kind, such as county/city, with * for any kind; levels are provincial, sub_provincial,"
        " prefecture, county, district, town, park, community",
    ),
}
_NUMBER = Text(
    zh="应为数字，例如 62.5，不带单位和千分位",
    en="it must be a number such as 62.5, without unit and thousands separators",
)
_DAY = Text(zh="应为日期，例如 2024-12-31", en="it must be a day such as 2024-12-31")
_FLAG = Text(zh="应为 true 或 false", en="it must be true or false")
_FAMILIES = (
    ("date", _DAY),
    ("float", _NUMBER),
    ("int", _NUMBER),
    ("decimal", _NUMBER),
    ("bool", _FLAG),
)


def not_json(error: Exception) -> Text:
    """Return that a text is no JSON package."""
    return Text(zh=f"不是 JSON 包：{error}", en=f"not a JSON package: {error}")


class Said(ValueError):
    """What a check of ours has to say, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh=zh, en=en)


def first_wrong(error: ValidationError) -> tuple[str, Text]:
    """Return the field that is wrong first, empty for the whole, and why."""
    first = error.errors(include_url=False)[0]
    field = _named(first["loc"])
    if first["type"] == "missing" and field in ("source", "source_date"):
        return field, NO_SOURCE
    return field, _reason(first["type"], first.get("ctx") or {}, first["msg"])


def _reason(kind: str, facts: Mapping[str, Any], message: str) -> Text:
    said = facts.get("error")
    if isinstance(said, Said):
        return said.text
    if kind == "string_pattern_mismatch" and (other := _PATTERNS.get(str(facts["pattern"]))):
        return other
    if (told := _TOLD.get(kind)) is not None:
        zh = {key: str(one).replace(" or ", "、").replace(", ", "、") for key, one in facts.items()}
        return Text(zh=told.zh.format(**zh), en=told.en.format(**facts))
    for family, told in _FAMILIES:
        if kind.startswith(family):
            return told
    plain = message.removeprefix("Value error, ") or kind
    return Text(zh=plain, en=plain)


def _named(steps: Sequence[int | str]) -> str:
    # What pydantic calls the branches of a union is no part of the record.
    return ".".join(str(one) for one in steps if "[" not in str(one) and str(one) != "Told")


Why = Text | str


def both(why: Why) -> Text:
    """Return a reason in both languages; one that has only one is said in it."""
    return Text(zh=why, en=why) if isinstance(why, str) else why
