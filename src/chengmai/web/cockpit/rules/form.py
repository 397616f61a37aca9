"""The editor's form: a rule as fields, the fields as a rule, and every mistake at its field and place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from markupsafe import Markup, escape
from pydantic import ValidationError

from chengmai.kernel.instants import format_duration
from chengmai.kernel.problems import Problem
from chengmai.packs.rules import RuleSpec
from chengmai.web.cockpit.texts import Words

_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(s|秒|min|分钟|分|h|小时|d|天)")
_SECONDS = {
    "s": 1,
    "秒": 1,
    "min": 60,
    "分钟": 60,
    "分": 60,
    "h": 3600,
    "小时": 3600,
    "d": 86400,
    "天": 86400,
}
_SAID = {
    "string_pattern_mismatch": "rules.mistake.slug",
    "string_too_short": "rules.mistake.missing",
    "greater_than_equal": "rules.mistake.range",
    "less_than_equal": "rules.mistake.range",
    "literal_error": "rules.mistake.choice",
    "count and within": "rules.mistake.together",
    "use count and within": "rules.mistake.one_way",
    "give a length": "rules.mistake.span",
    "wait ten minutes": "rules.mistake.ten_minutes",
    "is not known": "rules.mistake.placeholder",
    "write names joined": "rules.mistake.to",
    "a command goes to one": "rules.mistake.one_topic",
}
"""What is said of a mistake, by its kind, or by words of what the rule itself says of it."""
_FIELD = {
    "on.type": "type",
    "on.ids": "ids",
    "on.scope": "scope",
    "on.area": "area",
    "recovers.q": "recovers_q",
    "recovers.for": "recovers_for",
    "command": "command_id",
    "command.effect": "effect_q",
    "command.effect.q": "effect_q",
    "command.effect.within": "effect_within",
    "command.effect.entity": "effect_entity",
    "count and within belong together": "count",
    "use count and within, or for, not both": "count",
    "": "q",
}
"""Where a mistake of the rule is shown, if not at the field of its name."""


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a field; `marked` shows the place in what was written."""

    words: str
    marked: Markup | None = None


@dataclass(frozen=True)
class RuleForm:
    """The form as it is shown."""

    values: Mapping[str, str]
    mistakes: Mapping[str, Mistake]
    is_new: bool
    types: Sequence[tuple[str, str]] = ()
    categories: Sequence[tuple[str, str]] = ()
    channels: Sequence[str] = ()


def fields_of(spec: RuleSpec) -> dict[str, str]:
    """Return a rule as the fields of the form."""
    found = {
        "id": spec.id,
        "title_zh": spec.title.zh,
        "title_en": spec.title.en,
        "about_zh": spec.about.zh,
        "about_en": spec.about.en,
        "source_zh": spec.source.zh,
        "source_en": spec.source.en,
        "type": spec.on.type,
        "ids": " ".join(spec.on.ids),
        "scope": spec.on.scope or "",
        "area": spec.on.area or "",
        "q": spec.q,
        "count": str(spec.count) if spec.within else "",
        "within": _length(spec.within),
        "for": _length(spec.for_),
        "recovers_q": spec.recovers.q or "",
        "recovers_for": _length(spec.recovers.for_),
        "silent_after": _length(spec.silent_after),
        "late": _length(spec.late),
        "level": spec.level,
        "opens": spec.opens or "",
    }
    if (command := spec.command) is not None:
        found |= {
            "command_id": command.id,
            "command_zh": command.title.zh,
            "command_en": command.title.en,
            "channel": command.channel,
            "to": command.to,
            "answers": command.answers,
            "device": command.device,
            "payload": orjson.dumps(command.payload).decode() if command.payload else "",
            "acknowledged_within": _length(command.acknowledged_within),
            "retries": str(command.retries),
            "valid_for": _length(command.valid_for),
            "high_impact": "1" if command.high_impact else "",
        }
        if (effect := command.effect) is not None:
            found |= {
                "effect_q": effect.q,
                "effect_within": _length(effect.within),
                "effect_entity": effect.entity,
            }
    return found


def _length(of: timedelta | None) -> str:
    if not of:
        return ""
    for unit in ("d", "h", "min", "s"):
        number = of.total_seconds() / _SECONDS[unit]
        if number == int(number):
            return f"{int(number)} {unit}"
    return format_duration(of)


def read_form(form: Mapping[str, str], words: Words) -> tuple[RuleSpec | None, dict[str, Mistake]]:
    """Return the rule that a form says, or None and what is wrong by field."""
    said = {name: value.strip() for name, value in form.items()}
    mistakes: dict[str, Mistake] = {}
    document = _document(said, mistakes, words)
    if mistakes:
        return None, mistakes
    try:
        return RuleSpec.model_validate(document), {}
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False):
            path = ".".join(str(part) for part in detail["loc"] if not isinstance(part, int))
            message = detail["msg"].removeprefix("Value error, ")
            name = message.partition(":")[0] if path in ("", "command") else path
            mistakes.setdefault(_field(name, path), Mistake(_said(detail["type"], message, words)))
        return None, mistakes


def _said(kind: str, message: str, words: Words) -> str:
    key = next(
        (key for part, key in _SAID.items() if part in (kind, message) or part in message), ""
    )
    return words(key) if key else message


def _document(said: dict[str, str], mistakes: dict[str, Mistake], words: Words) -> dict[str, Any]:
    def length(name: str) -> str | None:
        text = said.get(name, "")
        if not text:
            return None
        match = _LENGTH.fullmatch(text)
        if match is None and not text.startswith("P"):
            mistakes[name] = Mistake(words("rules.mistake.length"))
            return None
        if match is None:
            return text
        return format_duration(timedelta(seconds=float(match[1]) * _SECONDS[match[2]]))

    def number(name: str, otherwise: int) -> int:
        text = said.get(name, "")
        if text and not (text.isascii() and text.isdigit() and len(text) < 6):
            mistakes[name] = Mistake(words("rules.mistake.number"))
            return otherwise
        return int(text) if text else otherwise

    def both(name: str) -> dict[str, str]:
        zh, en = said.get(f"{name}_zh", ""), said.get(f"{name}_en", "")
        if not zh or not en:
            missing = f"{name}_en" if zh else f"{name}_zh"
            mistakes[missing] = Mistake(words("rules.mistake.both"))
        return {"zh": zh or "-", "en": en or "-"}

    on: dict[str, Any] = {"type": said.get("type", ""), "ids": said.get("ids", "").split()}
    on |= {name: said[name] for name in ("scope", "area") if said.get(name)}
    recovers = {"q": said.get("recovers_q") or None, "for": length("recovers_for") or "PT0S"}
    document: dict[str, Any] = {
        "id": said.get("id", ""),
        "title": both("title"),
        "about": both("about"),
        "source": both("source"),
        "trust": "C",
        "on": on,
        "q": said.get("q", ""),
        "count": number("count", 1),
        "within": length("within"),
        "for": length("for"),
        "recovers": recovers,
        "silent_after": length("silent_after"),
        "late": length("late") or "PT10M",
        "level": said.get("level") or "act",
        "opens": said.get("opens") or None,
    }
    if said.get("command_id"):
        document["command"] = {
            "id": said["command_id"],
            "title": both("command"),
            "channel": said.get("channel", ""),
            "to": said.get("to", ""),
            "answers": said.get("answers", ""),
            "device": said.get("device", ""),
            "payload": _payload(said.get("payload", ""), mistakes, words),
            "acknowledged_within": length("acknowledged_within") or "PT10S",
            "retries": number("retries", 2),
            "valid_for": length("valid_for") or "PT30M",
            "high_impact": said.get("high_impact") == "1",
            "effect": _effect(said, length),
        }
    return document


def _effect(said: dict[str, str], length: Any) -> dict[str, Any] | None:
    if not said.get("effect_q"):
        return None
    within = length("effect_within") or "PT5M"
    return {"q": said["effect_q"], "within": within, "entity": said.get("effect_entity", "")}


def _payload(text: str, mistakes: dict[str, Mistake], words: Words) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        mistakes["payload"] = Mistake(words("rules.mistake.payload"))
        return {}
    return found


def mistake_of(problem: Problem, form: Mapping[str, str], words: Words) -> dict[str, Mistake]:
    """Return a problem of a rule as a mistake at its field, the place in a query marked."""
    name = _field(problem.param or "", problem.param or "")
    text, at = form.get(name, "").strip(), problem.facts.get("position")
    marked: Markup | None = None
    if isinstance(at, int) and text:
        place = text[at : at + 1] or " "
        marked = escape(text[:at]) + Markup("<mark>") + escape(place) + Markup("</mark>")
        marked += escape(text[at + 1 :])
    own = f"problem.{problem.code}"
    said = words(own, **problem.facts) if words.has(own) else problem.detail
    if marked is not None and isinstance(at, int):
        said = words("rules.mistake.place", n=at + 1, why=problem.detail.rpartition(": ")[2])
    return {name: Mistake(said, marked)}


def _field(name: str, path: str) -> str:
    if name in _FIELD:
        return _FIELD[name]
    if name != path and " " not in name:
        return name
    return _FIELD.get(path, name.rpartition(".")[2] or "q")
