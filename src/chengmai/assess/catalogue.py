"""The catalogue of indicators: what each is, by its sources."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

from chengmai.kernel.texts import Text

_UNITS = {
    "工作小时": "working h",
    "倍": "times",
    "辆/桩": "vehicles a point",
    "h/户": "h a customer",
    "人次/10万": "for 100,000 people",
    "人/10万": "for 100,000 people",
    "t/万元": "t for 10,000 yuan",
    "个/km²": "a km²",
    "个": "",
    "分": "of 100",
    "位": "",
}
_DOMAINS = {
    "电子政务": "Government services",
    "城市管理": "City management",
    "智能交通": "Transport",
    "智能电网": "Power grid",
    "智慧医疗": "Health care",
    "生态低碳": "Ecology and carbon",
    "感知城市": "Sensing",
    "无线城市": "Wireless city",
    "数字城市": "Digital city",
    "智慧社区": "Communities",
    "人的智慧": "People",
    "政企协同": "Government and enterprises",
    "信息安全": "Security",
    "发展水平评估": "Development assessment",
}


@dataclass(frozen=True)
class Indicator:
    """An indicator as its sources define it. `iso_37122` are clauses; empty where there is none."""

    id: str
    name: str
    name_en: str
    domain: str
    formula: str
    formula_en: str
    unit: str
    better: str
    source: str
    trust: str
    iso_37122: str

    @property
    def title(self) -> Text:
        return Text(zh=self.name, en=self.name_en)

    @property
    def domain_title(self) -> Text:
        return Text(zh=self.domain, en=_DOMAINS.get(self.domain, self.domain))

    @property
    def definition(self) -> Text:
        """How it is worked out; the English is our own translation."""
        return Text(zh=self.formula, en=self.formula_en)

    def unit_in(self, lang: str) -> str:
        """Return the unit in the words of a language; empty for a plain number."""
        if self.unit in ("-", "0-10"):
            return ""
        return self.unit if lang.startswith("zh") else _UNITS.get(self.unit, self.unit)


@cache
def catalogue() -> tuple[Indicator, ...]:
    """Return the indicators that the platform knows."""
    text = (resources.files("chengmai.assess") / "data" / "indicators.csv").read_text("utf-8")
    return tuple(Indicator(**row) for row in csv.DictReader(text.splitlines()))
