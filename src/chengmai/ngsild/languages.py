"""The language filter: the best text of a languageMap (GS CIM 009 V1.9.1, clause 4.15; RFC 9110, 12.5.4)."""

from __future__ import annotations

from typing import Any


def in_language(texts: dict[str, Any], wanted: str) -> tuple[str | None, Any]:
    """Return the language chosen and its text for a list such as `zh-CN, en;q=0.5, *;q=0.1`.

    A range matches a language with the same beginning (`zh` matches `zh-CN`, and `zh-CN` falls back to
    `zh`). Where nothing matches: `@none`, then `en`, then the first. `@none` is told as any language is:
    other brokers do, and their clients look for `lang`.
    """
    for language in _ranked(wanted):
        found = _match(texts, language)
        if found is not None:
            return found, texts[found]
    for fallback in ("@none", "en", next(iter(texts), "")):
        if fallback in texts:
            return fallback, texts[fallback]
    return None, None


def _ranked(wanted: str) -> list[str]:
    ranked = []
    for at, part in enumerate(wanted.split(",")):
        language, _, parameter = part.strip().partition(";")
        weight = _weight(parameter)
        if language and weight > 0:
            ranked.append((-weight, at, language.strip()))
    return [language for _, _, language in sorted(ranked)]


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, float(value))
    except ValueError:
        return 0.0


def _match(texts: dict[str, Any], language: str) -> str | None:
    if language == "*":
        return next(iter(texts), None)
    low = language.lower()
    for known in texts:
        if known.lower() == low:
            return known
    for known in texts:
        other = known.lower()
        if other.startswith(low + "-") or low.startswith(other + "-"):
            return known
    return None
