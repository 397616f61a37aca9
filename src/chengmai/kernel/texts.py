"""Words in both languages."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Lang = Literal["zh-CN", "en"]
LANGS: tuple[Lang, ...] = ("zh-CN", "en")
WHOLE_CITY = "全市 City"
"""The area of what belongs to no district."""


class Text(BaseModel):
    """One sentence or name in Chinese and in English; both are required and neither may be empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def in_lang(self, lang: str) -> str:
        """Return the Chinese text for any `zh…` language, else the English one."""
        return self.zh if lang.lower().startswith("zh") else self.en

    def format(self, **facts: Any) -> Text:
        """Return the text with placeholders filled."""
        return Text(zh=self.zh.format(**facts), en=self.en.format(**facts))

    def as_language_map(self) -> dict[str, str]:
        """Return an NGSI-LD `languageMap`."""
        return {"zh": self.zh, "en": self.en}
