"""A small pack on disk, whole and without mistakes; tests change a line of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

INFO = """
id = "water"
version = "1"
owner = "us"
licence = "Apache-2.0"
title = { zh = "水务", en = "Water" }
[about]
zh = "水位"
en = "Levels"
"""
ENTITY = """
type = "Gauge"
view = "gauge"
title = { zh = "积水点", en = "Gauge" }
[attributes.depth]
title = { zh = "水深", en = "Depth" }
unit = "CMT"
min = 0
max = 500
"""
FEED = """
id = "gauges"
connector = "mqtt"
entity = "Gauge"
period = "PT5M"
licence = "own"
title = { zh = "积水点", en = "Gauges" }
[source]
host = "localhost"
port = 1883
topics = ["gauges/+"]
[time]
column = "at"
zone = "Asia/Shanghai"
[map]
id = "{topic.1}"
[map.area]
value = "East"
[map.attributes]
depth = { column = "depth", unit = "MTR" }
"""
VITAL = """
id = "depth"
title = { zh = "水深", en = "Depth" }
about = { zh = "多深", en = "How deep" }
definition = { zh = "最大", en = "The deepest" }
unit = "CMT"
step = "PT5M"
stale_after = "PT30M"
sql = "SELECT area, tick, max(depth) AS value FROM gauge GROUP BY area, tick"
[opens]
category = "flooding"
at = "watch"
[[bands]]
level = "watch"
above = 15
source = { zh = "体征表", en = "list of signs" }
trust = "C"
"""
CASES = """
[[units]]
id = "drainage"
title = { zh = "排水中心", en = "Drainage" }
[[categories]]
id = "flooding"
title = { zh = "积水", en = "Flooding" }
responsible = "drainage"
handle_within = { amount = 2, unit = "urgent_hour" }
open_when = { zh = "深于 15 厘米", en = "Deeper than 15 cm" }
close_when = { zh = "退水", en = "Drained" }
source = { zh = "本市选择", en = "a city's choice" }
trust = "C"
"""
EXPECT = """
title = { zh = "二十厘米关注", en = "20 cm is watch" }
given = [{ entity = "Gauge", id = "a", area = "East", at = "2026-07-01T00:00:00Z", values = { depth = 20 } }]
vitals = [{ sign = "depth", area = "East", at = "2026-07-01T00:00:00Z", value = 20, level = "watch" }]
cases = [{ category = "flooding", area = "East" }]
"""
FILES = {
    "pack.toml": INFO,
    "entities/gauge.toml": ENTITY,
    "feeds/gauges.toml": FEED,
    "vitals/depth.toml": VITAL,
    "cases/water.toml": CASES,
    "expect/deep.toml": EXPECT,
}


def a_folder(folder: Path, changes: Mapping[str, str] | None = None) -> Path:
    """Write the pack below `folder`, with some files changed or added; return `folder`."""
    for name, text in {**FILES, **(changes or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
