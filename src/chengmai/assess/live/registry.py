"""What is counted of the registry: money and projects of programmes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chengmai.assess.live.model import Measured
from chengmai.assess.records import KINDS, id_of
from chengmai.assess.registry import Registry
from chengmai.kernel.ids import urn


def shared_projects(registry: Registry) -> Measured:
    """Return the projects of programmes into which enterprises put money, of all projects."""
    shared = {one.programme for one in registry.investments if one.finance == "enterprise"}
    projects = registry.projects
    return Measured(
        float(sum(one.programme in shared for one in projects)),
        float(len(projects)),
        entities=sorted(urn(KINDS["projects"].entity_type, id_of(one)) for one in projects),
        links=["/assessment/registry", "/ngsi-ld/v1/entities?type=ProgrammeProject"],
    )


def private_money(registry: Registry) -> Measured:
    """Return what enterprises paid in, of all that is planned, in yuan."""
    paid = [
        one for one in registry.investments if one.kind == "arrived" and one.finance == "enterprise"
    ]
    planned = [one for one in registry.investments if one.kind == "planned"]
    return Measured(
        float(sum(one.yuan for one in paid)),
        float(sum(one.yuan for one in planned)),
        entities=sorted(
            urn(KINDS["investments"].entity_type, id_of(one)) for one in (*paid, *planned)
        ),
        links=["/assessment/registry", "/ngsi-ld/v1/entities?type=ProgrammeInvestment"],
    )


MEASURES: Mapping[str, Callable[[Registry], Measured]] = {
    "shared_projects": shared_projects,
    "private_money": private_money,
}
"""Measures by name."""
