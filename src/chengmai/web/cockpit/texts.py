"""The words of the screens: gettext catalogs, read once, looked up by key.

Keys are symbolic (`desk.title`), so that neither language is the original. A placeholder is `{name}`.
Catalogs are read as `.po`; there is no compile step. Plural forms: Chinese has one, English two (CLDR).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from babel.messages.pofile import read_po

from chengmai.kernel.texts import LANGS, Lang, Text

CATALOGS: dict[Lang, str] = {"zh-CN": "zh_CN.po", "en": "en.po"}


class MissingText(LookupError):
    """A key that a catalog does not hold; a fault of ours, found by the tests."""


@dataclass(frozen=True)
class Words:
    """The words of one language."""

    lang: Lang
    messages: Mapping[str, tuple[str, ...]]
    strict: bool = False

    def __call__(self, key: str, **facts: Any) -> str:
        """Return the sentence of `key` with its placeholders filled.

        A missing key raises `MissingText` when strict, and is shown as itself otherwise: a screen with
        one odd word is of more use to a duty officer than an error page.
        """
        return self._message(key, 0).format(**facts)

    def count(self, key: str, n: int, **facts: Any) -> str:
        """Return the sentence of `key` in the form for `n`, which fills `{n}`."""
        return self._message(key, 0 if n == 1 else 1).format(n=n, **facts)

    def pick(self, text: Text) -> str:
        """Return a text of the model in this language."""
        return text.in_lang(self.lang)

    def has(self, key: str) -> bool:
        """Return whether the catalog holds `key`."""
        return key in self.messages

    def _message(self, key: str, form: int) -> str:
        forms = self.messages.get(key)
        if forms is None:
            if self.strict:
                raise MissingText(f"{self.lang} has no text for {key!r}")
            return key
        return forms[min(form, len(forms) - 1)]


def read_words(folder: Path, *, strict: bool = False) -> dict[Lang, Words]:
    """Return the words of every language, read from the catalogs in `folder`."""
    return {
        lang: Words(lang, read_messages(folder / file), strict) for lang, file in CATALOGS.items()
    }


@cache
def read_messages(path: Path) -> Mapping[str, tuple[str, ...]]:
    """Return key → plural forms (one form for most) of a `.po` file, which is read once."""
    with path.open("rb") as file:
        catalog = read_po(file, abort_invalid=True)
    found: dict[str, tuple[str, ...]] = {}
    for message in catalog:
        if not message.id:
            continue
        key = message.id if isinstance(message.id, str) else message.id[0]
        forms = (
            (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        )
        found[key] = forms
    return MappingProxyType(found)


def best_language(cookie: str | None, accept: str | None) -> Lang:
    """Return the language chosen by cookie, else the best of an `Accept-Language` header, else Chinese.

    RFC 9110, section 12.5.4; any `zh` is taken as zh-CN.
    """
    if cookie in LANGS:
        return next(lang for lang in LANGS if lang == cookie)
    ranked: list[tuple[float, int, Lang]] = []
    for position, part in enumerate((accept or "").split(",")[:20]):
        tag, _, parameter = part.strip().partition(";")
        lang = _ours(tag.strip().lower())
        if lang is not None:
            ranked.append((-_quality(parameter), position, lang))
    usable = [entry for entry in ranked if entry[0] < 0]
    return min(usable)[2] if usable else "zh-CN"


def _ours(tag: str) -> Lang | None:
    if tag.startswith("zh"):
        return "zh-CN"
    return "en" if tag.startswith("en") else None


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
