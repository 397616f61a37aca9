"""Units of measure by UN/CEFACT Recommendation 20 common code, as NGSI-LD `unitCode` wants them.

Source of codes: UN/CEFACT Recommendation 20, Annexes II and III. Only codes that packs use stand here;
`pack check` names the code that is missing. `to_base` turns a value into the dimension's base unit.
"""

from __future__ import annotations

from dataclasses import dataclass

from chengmai.kernel.problems import Invalid


@dataclass(frozen=True)
class Unit:
    """A unit: `code` (Rec 20), `symbol`, `dimension`, and `base = value * factor + offset`."""

    code: str
    symbol: str
    dimension: str
    factor: float = 1.0
    offset: float = 0.0

    def to_base(self, value: float) -> float:
        """Return `value` in the base unit of the dimension."""
        return value * self.factor + self.offset


_UNITS = (
    Unit("C62", "", "ratio"),
    Unit("P1", "%", "ratio", 0.01),
    Unit("KMH", "km/h", "speed", 1 / 3.6),
    Unit("HM", "mph", "speed", 0.44704),
    Unit("MTS", "m/s", "speed"),
    Unit("KNT", "kn", "speed", 0.514444),
    Unit("CEL", "°C", "temperature", 1.0, 273.15),
    Unit("FAH", "°F", "temperature", 5 / 9, 459.67 * 5 / 9),
    Unit("KEL", "K", "temperature"),
    Unit("GQ", "µg/m³", "mass_concentration", 1e-9),
    Unit("GP", "mg/m³", "mass_concentration", 1e-6),
    Unit("M1", "mg/L", "mass_concentration", 1e-3),
    Unit("A97", "hPa", "pressure", 100.0),
    Unit("PAL", "Pa", "pressure"),
    Unit("KPA", "kPa", "pressure", 1e3),
    Unit("MPA", "MPa", "pressure", 1e6),
    Unit("MMT", "mm", "length", 1e-3),
    Unit("CMT", "cm", "length", 1e-2),
    Unit("MTR", "m", "length"),
    Unit("KMT", "km", "length", 1000.0),
    Unit("KMK", "km²", "area", 1e6),
    Unit("MTQ", "m³", "volume"),
    Unit("E20", "Mbit/s", "bit_rate", 1e6),
    Unit("HTZ", "Hz", "frequency"),
    Unit("VLT", "V", "voltage"),
    Unit("KVT", "kV", "voltage", 1000.0),
    Unit("AMP", "A", "current"),
    Unit("WTT", "W", "power"),
    Unit("KWT", "kW", "power", 1e3),
    Unit("MAW", "MW", "power", 1e6),
    Unit("MVA", "MVA", "apparent_power", 1e6),
    Unit("MAR", "Mvar", "reactive_power", 1e6),
    Unit("KWH", "kWh", "energy", 3.6e6),
    Unit("MWH", "MWh", "energy", 3.6e9),
    Unit("GV", "GJ", "energy", 1e9),
    Unit("TNE", "t", "mass", 1e3),
    Unit("KGM", "kg", "mass"),
    Unit("SEC", "s", "time"),
    Unit("MIN", "min", "time", 60.0),
    Unit("HUR", "h", "time", 3600.0),
    Unit("DAY", "d", "time", 86400.0),
    Unit("2N", "dB", "level"),
    Unit("DD", "°", "angle", 0.017453292519943295),
    Unit("E27", "/h", "rate", 1 / 3600),
)
UNITS = {unit.code: unit for unit in _UNITS}


class UnknownUnit(Invalid):
    code = "unit.unknown"


def unit(code: str, param: str | None = None) -> Unit:
    """Return the unit of a Rec 20 code; raises `UnknownUnit`."""
    try:
        return UNITS[code]
    except KeyError:
        raise UnknownUnit(
            f"unit code {code!r} is not known",
            param=param,
            fix="use a UN/CEFACT Rec 20 code such as KMH, GQ, CEL or P1",
        ) from None


def convert(value: float, source: str, target: str) -> float:
    """Return `value` of unit code `source` in unit code `target`.

    Raises `UnknownUnit`, or `Invalid` when the two measure different things.
    """
    if source == target:
        return value
    of, to = unit(source), unit(target)
    if of.dimension != to.dimension:
        raise Invalid(
            f"{source} measures {of.dimension} and {target} measures {to.dimension}",
            code="unit.dimension",
            fix="give the unit the attribute is declared with, or one of the same dimension",
        )
    return (of.to_base(value) - to.offset) / to.factor
