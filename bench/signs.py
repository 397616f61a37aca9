"""The vital signs of the list V01 to V55 of the domain facts: of each line the sign of the packs nearest to it.

A line with several durations or shapes (rain over 3, 6 and 12 hours, say) is several signs in the packs;
here it counts once, so that there are 55.
"""

from __future__ import annotations

from dataclasses import replace

from chengmai.vitals.signs import PreparedPacks

LISTED = (
    "environment/rain_3h",
    "environment/heat_day",
    "environment/wind",
    "environment/visibility",
    "environment/snow_6h",
    "environment/cold_wave",
    "environment/ponding",
    "environment/river_level",
    "environment/aqi",
    "environment/pm25_24h",
    "environment/o3_8h",
    "environment/water_category",
    "cityscape/turbidity",
    "cityscape/tap_chlorine",
    "cityscape/water_pressure",
    "environment/noise_over",
    "transport/road_index",
    "transport/delay_index",
    "transport/network_speed",
    "transport/metro_load",
    "transport/bus_punctuality",
    "transport/signal_online",
    "transport/parking_occupancy",
    "power/frequency_deviation",
    "power/voltage_deviation",
    "power/load_rate",
    "power/voltage_unbalance",
    "power/harmonic_distortion",
    "power/customers_without_power",
    "cityscape/methane",
    "cityscape/gas_pressure",
    "cityscape/room_temperature",
    "cityscape/bridge_deflection",
    "health/bed_occupancy",
    "health/emergency_wait",
    "health/ambulance_response",
    "health/ili_excess",
    "health/blood_days",
    "government/hotline_answered",
    "government/feedback_age",
    "cityscape/handled_in_time",
    "cityscape/overdue_cases",
    "cityscape/bike_surplus",
    "community/police_calls",
    "community/fire_calls",
    "community/lift_rescue",
    "community/silent_24h",
    "sensing/device_online",
    "sensing/late_feeds",
    "wireless/wlan_available",
    "carbon/pue",
    "carbon/daily_emission",
    "government/alert_age",
    "government/recovery_point",
    "government/failed_sign_ins",
)


def listed(prepared: PreparedPacks) -> PreparedPacks:
    """Return the packs with the signs of the list alone; raises `LookupError` when one is not shipped."""
    signs = {sign.key: sign for sign in prepared.signs}
    if missing := [key for key in LISTED if key not in signs]:
        raise LookupError(f"no such vital sign: {', '.join(missing)}")
    kept = set(LISTED)
    packs = [
        pack.model_copy(
            update={"vitals": tuple(v for v in pack.vitals if f"{pack.info.id}/{v.id}" in kept)}
        )
        for pack in prepared.packs
    ]
    return replace(prepared, packs=tuple(packs), signs=tuple(signs[key] for key in LISTED))
