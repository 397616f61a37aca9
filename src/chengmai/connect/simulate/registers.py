"""Signals of what the simulated city's offices keep lists of: services, meters, visits, mains, communities."""

from __future__ import annotations

from datetime import datetime

from chengmai.connect.simulate.nature import Nature, busiest, whole_town
from chengmai.connect.simulate.signals import Signals, Values
from chengmai.connect.simulate.town import Thing

_YEAR_H = 24 * 365


def registers(nature: Nature) -> Signals:
    """Return the generators of registers."""
    found, town = Registers(nature), nature.town
    return {
        "service_catalogue": (
            (whole_town(town, "catalogue", "事项目录 catalogue of services"),),
            found.catalogue,
        ),
        "power_balance": (busiest(town, "balance", "供售电 power balance", 4), found.balance),
        "outpatient_care": (busiest(town, "visits", "门诊 outpatients", 4), found.visits),
        "pollution_sources": (busiest(town, "sources", "重点污染源 key sources", 3), found.sources),
        "mobile_network": (busiest(town, "mobile", "移动网络 mobile network", 4), found.mobile),
        "community_services": (
            busiest(town, "services", "社区平台 community platform", 4),
            found.communities,
        ),
        "city_assets": (busiest(town, "assets", "部件普查 survey", 4), found.assets),
    }


class Registers:
    """The signals; each is a method of (thing, instant)."""

    def __init__(self, nature: Nature) -> None:
        self._nature = nature

    def catalogue(self, thing: Thing, at: datetime) -> Values:
        """Matters of the government, and how they can be done."""
        matters = 2140 + round(30 * self._slowly(thing, at))
        on_request = round(matters * 0.87)
        return {
            "matters": matters,
            "mattersWithLicence": round(matters * self._share(thing, at, 0.61, 0)),
            "mattersOneStop": round(matters * self._share(thing, at, 0.92, 1)),
            "mattersAtPortal": round(matters * self._share(thing, at, 0.97, 2)),
            "mattersOnRequest": on_request,
            "mattersOnline": round(on_request * self._share(thing, at, 0.84, 3)),
        }

    def balance(self, thing: Thing, at: datetime) -> Values:
        """Energy of the past hour, MWh, and who has which meter."""
        supplied = thing.district.busy * (26 + 30 * self._nature.working(at))
        lost = 0.041 + 0.006 * self._nature.slow(thing, at, 30)
        sun = max(0.0, 1 - abs(self._nature.local(at).hour - 12.5) / 6.5)
        customers = round(42_000 * thing.district.busy)
        return {
            "suppliedEnergy": round(supplied, 2),
            "soldEnergy": round(supplied * (1 - lost), 2),
            "distributedEnergy": round(supplied * 0.19 * sun, 2),
            "meteredCustomers": customers,
            "smartMeters": round(customers * self._share(thing, at, 0.985, 0)),
        }

    def visits(self, thing: Thing, at: datetime) -> Values:
        """Outpatients of the past hour, and the institutions that keep electronic records."""
        visits = round(210 * thing.district.busy * self._nature.working(at))
        institutions = 6 + round(5 * thing.district.busy)
        return {
            "visits": visits,
            "bookedVisits": round(visits * (0.68 + 0.05 * self._nature.noise(thing, at))),
            "recordLookups": round(visits * (0.43 + 0.05 * self._nature.noise(thing, at, 3))),
            "remoteVisits": round(visits * 0.04),
            "institutions": institutions,
            "institutionsWithRecords": institutions - 1,
        }

    def sources(self, thing: Thing, at: datetime) -> Values:
        """Key sources of pollution, and how many send valid data."""
        sources = round(26 * thing.district.busy)
        silent = round(1.6 * max(0.0, self._nature.slow(thing, at, 20)))
        return {"sources": sources, "sourcesOnline": sources - silent}

    def mobile(self, thing: Thing, at: datetime) -> Values:
        """Cells of ground without signal, base stations, and broadband of households."""
        down = self._nature.strength("wlan_down", thing.district.id, at)
        households = round(88_000 * thing.district.busy)
        return {
            "gridCells": 1200,
            "gridCellsWithoutSignal": round(14 + 4 * self._slowly(thing, at) + 40 * down),
            "baseStations5g": round(620 * thing.district.busy),
            "broadbandHouseholds": households,
            "contractedRate": round(households * (412 + 9 * self._slowly(thing, at))),
        }

    def communities(self, thing: Thing, at: datetime) -> Values:
        """Communities and those on the platform, residents and those who signed in of late."""
        people = round(260_000 * thing.district.busy)
        communities = round(54 * thing.district.busy)
        return {
            "communities": communities,
            "communitiesConnected": round(communities * self._share(thing, at, 0.78, 0)),
            "activeResidents": round(people * self._share(thing, at, 0.21, 1)),
            "registeredResidents": people,
        }

    def assets(self, thing: Thing, at: datetime) -> Values:
        """What a survey of components, mains and roads found."""
        busy = thing.district.busy
        components, area = round(41_000 * busy), round(24 * busy, 1)
        mains, roads = round(820 * busy, 1), round(310 * busy, 1)
        return {
            "components": components,
            "componentsIntact": round(components * self._share(thing, at, 0.972, 0)),
            "builtUpArea": area,
            "griddedArea": round(area * 0.96, 2),
            "mainsLength": mains,
            "mainsMonitored": round(mains * self._share(thing, at, 0.57, 1), 1),
            "roadLength": roads,
            "tunnelLength": round(roads * 0.031, 2),
        }

    def _slowly(self, thing: Thing, at: datetime) -> float:
        return self._nature.slow(thing, at, _YEAR_H / 12)

    def _share(self, thing: Thing, at: datetime, mean: float, salt: int) -> float:
        """Return a share near `mean` that moves over weeks, never above one."""
        return min(1.0, mean * (1 + 0.02 * self._nature.slow(thing, at, 700 + 90 * salt)))
