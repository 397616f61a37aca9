"""What a context source registration is, compiled (GS CIM 009 V1.9.1, clauses 5.2.8 to 5.2.11, 5.2.34)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import re2

from chengmai.broker.registry.documents import read_document
from chengmai.broker.registry.operations import (
    AUXILIARY_OPERATIONS,
    DEFAULT_OPERATIONS,
    resolved,
)
from chengmai.broker.registry.problems import RegistrationInvalid
from chengmai.kernel.instants import parse_us
from chengmai.ngsild.contexts import ContextCompiler

JSONLD_CONTEXT = "jsonldContext"
"""Key in `contextSourceInfo` under which a source names the `@context` that it wants."""
_API = "/ngsi-ld/v1"


class Mode(StrEnum):
    """How a source and this broker share what both may hold (clause 4.3.6)."""

    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"
    REDIRECT = "redirect"
    AUXILIARY = "auxiliary"

    @property
    def is_proxied(self) -> bool:
        """Whether what is registered is held by the source alone, and never here."""
        return self in (Mode.EXCLUSIVE, Mode.REDIRECT)


@dataclass(frozen=True, slots=True)
class EntityInfo:
    """Entities of a source: of any of `types` (expanded; empty: whatever type), with an id or a pattern."""

    types: frozenset[str]
    id: str | None = None
    pattern: Any | None = field(default=None, compare=False)
    pattern_text: str | None = None


@dataclass(frozen=True, slots=True)
class Information:
    """Which attributes of which entities: `entities` () means any, `attributes` empty means all."""

    entities: tuple[EntityInfo, ...]
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Interval:
    """From when until when, in microseconds since 1970; `end_us` None: still going on."""

    start_us: int
    end_us: int | None


@dataclass(frozen=True, slots=True)
class Registration:
    """A registration; `document` is what the client gave, its names expanded.

    `operations` are single ones; `endpoint` has neither a trailing slash nor `/ngsi-ld/v1`; `headers` go
    with every request to the source. `context_url` None: forward with the requester's context.
    `timeout_s` and `cooldown_s` None leave the broker's own rules.
    """

    tenant: str
    id: str
    document: dict[str, Any]
    mode: Mode
    operations: frozenset[str]
    endpoint: str
    information: tuple[Information, ...]
    source_tenant: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    context_url: str | None = None
    alias: str | None = None
    expires_us: int | None = None
    timeout_s: float | None = None
    cooldown_s: float | None = None
    local_only: bool = False
    scopes: tuple[str, ...] = ()
    datasets: frozenset[str] = frozenset()
    observation: Interval | None = None
    management: Interval | None = None

    def is_live(self, now_us: int) -> bool:
        """Return whether it counts at an instant."""
        return self.expires_us is None or now_us < self.expires_us


def compile_registration(
    tenant: str, document: dict[str, Any], contexts: ContextCompiler
) -> Registration:
    """Return the registration of a document (clause 5.2.9); raises `RegistrationInvalid`.

    Names are read with the document's `@context`; without one they are expanded already, or of the core.
    """
    context = contexts.compile(document.get("@context"))
    read = read_document({k: v for k, v in document.items() if k != "@context"}, context)
    mode = Mode(read.get("mode", "inclusive"))
    information = tuple(_information(one) for one in read["information"])
    _check_mode(mode, information, read.get("operations"))
    default = AUXILIARY_OPERATIONS if mode is Mode.AUXILIARY else DEFAULT_OPERATIONS
    told = {one["key"]: one["value"] for one in read.get("contextSourceInfo", ())}
    expires, managed = read.get("expiresAt"), read.get("management", {})
    return Registration(
        tenant=tenant,
        id=read["id"],
        document=read,
        mode=mode,
        operations=resolved(read.get("operations", default)),
        endpoint=_endpoint(read["endpoint"]),
        information=information,
        source_tenant=read.get("tenant"),
        headers=tuple((key, value) for key, value in told.items() if key != JSONLD_CONTEXT),
        context_url=told.get(JSONLD_CONTEXT),
        alias=read.get("contextSourceAlias"),
        expires_us=None if expires is None else parse_us(expires, "expiresAt"),
        timeout_s=_seconds(managed.get("timeout")),
        cooldown_s=_seconds(managed.get("cooldown")),
        local_only=read.get("localOnly", False) or managed.get("localOnly", False),
        scopes=tuple(_listed(read.get("scope"))),
        datasets=frozenset(read.get("datasetId", ())),
        observation=_interval(read.get("observationInterval")),
        management=_interval(read.get("managementInterval")),
    )


def shown_defaults(registration: Registration) -> dict[str, Any]:
    """Return the members that hold for a registration where its document does not say (clause 5.2.9)."""
    default = AUXILIARY_OPERATIONS if registration.mode is Mode.AUXILIARY else DEFAULT_OPERATIONS
    return {"mode": registration.mode.value, "operations": list(default)}


def _information(given: dict[str, Any]) -> Information:
    names = [*given.get("propertyNames", ()), *given.get("relationshipNames", ())]
    return Information(
        entities=tuple(_entity_info(one) for one in given.get("entities", ())),
        attributes=frozenset(names),
    )


def _entity_info(given: dict[str, Any]) -> EntityInfo:
    # An id takes precedence over a pattern (clause 5.2.8).
    pattern = None if "id" in given else given.get("idPattern")
    return EntityInfo(
        types=frozenset(_listed(given.get("type"))),
        id=given.get("id"),
        pattern=None if pattern is None else re2.compile(pattern),
        pattern_text=pattern,
    )


def _check_mode(
    mode: Mode, information: tuple[Information, ...], operations: list[str] | None
) -> None:
    if mode is Mode.EXCLUSIVE:
        for one in information:
            if not one.entities or any(info.id is None for info in one.entities):
                raise RegistrationInvalid(
                    "an exclusive registration is about single entities",
                    param="information.entities",
                    fix="give every entity by its id, or choose another mode",
                )
            if not one.attributes:
                raise RegistrationInvalid(
                    "an exclusive registration names the attributes it is about",
                    param="information.propertyNames",
                    fix="name them, or choose another mode",
                )
    if mode is Mode.AUXILIARY and operations is not None:
        allowed = resolved(AUXILIARY_OPERATIONS)
        if more := sorted(resolved(operations) - allowed):
            raise RegistrationInvalid(
                f"an auxiliary source is not asked for {more[0]}",
                param="operations",
                fix="use retrieveOps, or " + ", ".join(sorted(allowed)),
            )


def _endpoint(uri: str) -> str:
    parts = urlsplit(uri)
    path = parts.path.rstrip("/").removesuffix(_API).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def _interval(given: dict[str, str] | None) -> Interval | None:
    if given is None:
        return None
    end = given.get("endAt")
    return Interval(parse_us(given["startAt"]), None if end is None else parse_us(end))


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
