"""A second country: the counties and cities of Estonia, with a package of its own groups and tiers.

Codes of counties are those of ISO 3166-2:EE. Of the 79 municipalities there have been since October 2017
only the 15 cities (linn) and two rural municipalities (vald) are listed; their codes here are ours.
"""

from __future__ import annotations

import json
from typing import Any

COUNTIES = {
    "37": "Harju", "39": "Hiiu", "45": "Ida-Viru", "50": "Jõgeva", "52": "Järva", "56": "Lääne",
    "60": "Lääne-Viru", "64": "Põlva", "68": "Pärnu", "71": "Rapla", "74": "Saare", "79": "Tartu",
    "81": "Valga", "84": "Viljandi", "87": "Võru",
}  # fmt: skip
CITIES = {
    "Tallinn": "37", "Keila": "37", "Loksa": "37", "Maardu": "37", "Narva": "45",
    "Kohtla-Järve": "45", "Sillamäe": "45", "Narva-Jõesuu": "45", "Paide": "52", "Haapsalu": "56",
    "Rakvere": "60", "Pärnu": "68", "Tartu": "79", "Viljandi": "84", "Võru": "87",
}  # fmt: skip
RURAL = {"Viimsi": "37", "Saue": "37"}
SOURCE = {"name": "ISO 3166-2:EE; haldusreform 2017", "dated": "2017-10-24"}


def city(name: str) -> str:
    """Return the code of a city or rural municipality."""
    plain = name.replace("ä", "a").replace("õ", "o").replace("Ä", "A")
    return f"EE.{plain}"


def places() -> str:
    """Return the table of places."""
    rows = ["code,name_zh,name_en,level,kind,parent,country"]
    rows += [
        f"EE-{code},{name}县,{name} county,provincial,maakond,,EE"
        for code, name in COUNTIES.items()
    ]
    rows += [f"{city(n)},{n}市,{n},county,linn,EE-{c}," for n, c in CITIES.items()]
    rows += [f"{city(n)},{n}乡,{n},county,vald,EE-{c}," for n, c in RURAL.items()]
    return "\n".join(rows) + "\n"


def package(**changes: Any) -> str:
    """Return the package of the country, with members of it changed."""
    made: dict[str, Any] = {
        "id": "EE",
        "zh": "爱沙尼亚",
        "en": "Estonia",
        "source": SOURCE,
        "places_dated": "2017-10-24",
        "top": {"zh": "县", "en": "counties"},
        "levels": [
            {"level": "provincial", "zh": "县（maakond）", "en": "county (maakond)"},
            {"level": "county", "zh": "市镇（omavalitsus）", "en": "municipality"},
        ],
        "tiers": [
            {"id": "linn", "zh": "市", "en": "cities", "ranks": ["county/linn"]},
            {
                "id": "omavalitsus",
                "zh": "全部市镇",
                "en": "all municipalities",
                "ranks": ["county/*"],
                "compared": False,
            },
        ],
        "groups": [
            {"id": "north", "zh": "北", "en": "North", "partition": "nuts3", "members": "EE-37"},
            {
                "id": "west",
                "zh": "西",
                "en": "West",
                "partition": "nuts3",
                "members": "EE-39 EE-56 EE-68 EE-74",
            },
            {
                "id": "central",
                "zh": "中",
                "en": "Central",
                "partition": "nuts3",
                "members": "EE-52 EE-60 EE-71",
            },
            {
                "id": "east",
                "zh": "东北",
                "en": "North-East",
                "partition": "nuts3",
                "members": "EE-45",
            },
            {
                "id": "south",
                "zh": "南",
                "en": "South",
                "partition": "nuts3",
                "members": "EE-50 EE-64 EE-79 EE-81 EE-84 EE-87",
            },
            {
                "id": "coast",
                "zh": "沿海城市",
                "en": "coastal cities",
                "members": f"{city('Tallinn')} {city('Haapsalu')} EE-68",
            },
        ],
        "denominators": [
            {"tier": "linn", "zh": "当日全部市", "en": "all cities of the day"},
            {
                "tier": "omavalitsus",
                "zh": "2017 年改革后的市镇",
                "en": "municipalities after the reform of 2017",
                "given": 79,
                "source": SOURCE,
            },
        ],
    }
    return json.dumps(made | changes, ensure_ascii=False)


def programmes() -> str:
    """Return a made-up table of programmes: six cities and a rural municipality, of which three are new."""
    rows = ["id,place,title,started_on,source,source_date"]
    for name, day in (
        ("Tallinn", "2015-01-01"),
        ("Tartu", "2015-01-01"),
        ("Narva", "2016-01-01"),
        ("Pärnu", "2016-06-01"),
        ("Haapsalu", "2018-03-01"),
        ("Maardu", "2018-04-01"),
        ("Viimsi", "2018-05-01"),
    ):
        rows.append(f"p-{city(name)},{city(name)},Programme of {name},{day},made up,2018-12-31")
    return "\n".join(rows) + "\n"
