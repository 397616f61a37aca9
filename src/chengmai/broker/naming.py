"""The names in a subscription's document: types and attributes, told in another context (clause 5.5.7)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_NAME = re.compile(r"[^,|;(){}\s]+")
_MEMBERS = frozenset({"id", "type", "scope", "*"})


def renamed(document: dict[str, Any], rename: Callable[[str], str]) -> dict[str, Any]:
    """Return the document with the names of types and attributes, outside of `q`, passed through `rename`."""

    def name(text: str) -> str:
        return _NAME.sub(lambda m: m[0] if m[0] in _MEMBERS else rename(m[0]), text)

    made = dict(document)
    if isinstance(infos := document.get("entities"), list):
        made["entities"] = [_info(one, name) for one in infos]
    _rename_list(made, "watchedAttributes", name)
    if isinstance(told := document.get("notification"), dict):
        made["notification"] = told = dict(told)
        for member in ("attributes", "pick", "omit"):
            _rename_list(told, member, name)
    return made


def _info(info: Any, name: Callable[[str], str]) -> Any:
    if isinstance(info, dict) and isinstance(info.get("type"), str) and info["type"] != "*":
        return {**info, "type": name(info["type"])}
    return info


def _rename_list(document: dict[str, Any], member: str, name: Callable[[str], str]) -> None:
    names = document.get(member)
    if isinstance(names, list):
        document[member] = [name(one) if isinstance(one, str) else one for one in names]
