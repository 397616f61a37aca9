"""Where and how a subscription notifies: reading its `notification` (clauses 5.2.14, 5.2.15, 5.2.22)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from chengmai.broker.documents import entries, flag, member, number, text
from chengmai.broker.problems import SubscriptionInvalid
from chengmai.kernel.problems import NotSupported
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.linking import Join
from chengmai.ngsild.projection import Tree, View, check_apart, parse_projection
from chengmai.ngsild.represent import Form

FORMS: dict[str, Form] = {
    "normalized": "normalized",
    "concise": "concise",
    "keyValues": "simplified",
    "simplified": "simplified",
}
_ACCEPTS = ("application/json", "application/ld+json", "application/geo+json")
_HTTP, _MQTT = ("http", "https"), ("mqtt", "mqtts")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OWN_HEADERS = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection"}
)
_JOINS: dict[str, Join | None] = {"flat": "flat", "inline": "inline", "@none": None}
_NOTIFIER = {"MQTT-Version": ("mqtt3.1.1", "mqtt5.0"), "MQTT-QoS": ("0", "1", "2")}
_MOST_LEVELS = 10


@dataclass(frozen=True)
class Endpoint:
    """Where notifications go. `timeout_s` and `cooldown_s` None leave the broker's own rules."""

    uri: str
    accept: str
    headers: tuple[tuple[str, str], ...]
    notifier: Mapping[str, str]
    timeout_s: float | None
    cooldown_s: float | None

    @property
    def is_mqtt(self) -> bool:
        """Whether it is a topic of an MQTT broker."""
        return self.uri.partition(":")[0].lower() in _MQTT


def read_notification(
    notification: dict[str, Any], datasets: frozenset[str] | None, context: Context
) -> dict[str, Any]:
    """Return the members of `Subscription` that say what is told and where; raises `Invalid`."""
    form = FORMS.get(text(notification, "format") or "normalized")
    if form is None:
        raise SubscriptionInvalid(
            "unknown format", param="notification.format", fix="use " + ", ".join(FORMS)
        )
    show_changes = flag(notification, "showChanges", default=False)
    if show_changes and form == "simplified":
        raise SubscriptionInvalid(
            "changes cannot be shown in the simplified format",
            param="notification.showChanges",
            fix="use normalized or concise",
        )
    join = text(notification, "join") or "@none"
    if join not in _JOINS:
        raise SubscriptionInvalid(
            f"join {join!r:.60} is not known", param="notification.join", fix="use flat or inline"
        )
    level = number(notification, "joinLevel", least=1)
    return {
        "view": _view(notification, datasets, context),
        "form": form,
        "sys_attrs": flag(notification, "sysAttrs", default=False),
        "show_changes": show_changes,
        "join": _JOINS[join],
        "join_level": min(int(level or 1), _MOST_LEVELS),
        "endpoint": read_endpoint(member(notification, "endpoint", dict)),
    }


def read_endpoint(given: dict[str, Any]) -> Endpoint:
    """Return a compiled endpoint; raises `SubscriptionInvalid` or `NotSupported`."""
    accept = text(given, "accept") or _ACCEPTS[0]
    if accept not in _ACCEPTS:
        raise NotSupported(
            f"notifications as {accept!r:.80}",
            param="notification.endpoint.accept",
            fix="use " + " or ".join(_ACCEPTS),
        )
    timeout = number(given, "timeout", least=0)
    cooldown = number(given, "cooldown", least=0)
    return Endpoint(
        uri=_checked_uri(str(member(given, "uri", str))),
        accept=accept,
        headers=tuple(map(_header, entries(given, "receiverInfo", dict))),
        notifier=dict(_notifier(one) for one in entries(given, "notifierInfo", dict)),
        timeout_s=None if not timeout else timeout / 1000,
        cooldown_s=None if cooldown is None else cooldown / 1000,
    )


def _view(notification: dict[str, Any], datasets: frozenset[str] | None, context: Context) -> View:
    attributes = entries(notification, "attributes", str)
    pick = _tree(notification, "pick", context)
    omit = _tree(notification, "omit", context)
    if attributes and (pick is not None or omit is not None):
        raise SubscriptionInvalid(
            "attributes goes with neither pick nor omit",
            param="notification.attributes",
            fix="use pick instead",
        )
    check_apart(pick, omit)
    return View(
        pick=pick,
        omit=omit,
        attrs=frozenset(map(context.expand, attributes)) if attributes else None,
        datasets=datasets,
    )


def _tree(notification: dict[str, Any], name: str, context: Context) -> Tree | None:
    if isinstance(notification.get(name), str):
        return parse_projection(notification[name], context, name)
    names = entries(notification, name, str)
    return parse_projection(",".join(names), context, name) if names else None


def _checked_uri(uri: str) -> str:
    param = "notification.endpoint.uri"
    try:
        parts = urlsplit(uri)
        good = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise SubscriptionInvalid(f"{uri!r:.80} is no address", param=param) from None
    if parts.scheme not in (*_HTTP, *_MQTT):
        raise NotSupported(
            f"notifications to {uri!r:.80}", param=param, fix="use http(s) or mqtt(s)"
        )
    if parts.scheme in _MQTT:
        topic = parts.path.lstrip("/")
        good = good and bool(topic) and not {"+", "#"} & set(uri)
    if not good or not (uri.isascii() and uri.isprintable()) or " " in uri:
        raise SubscriptionInvalid(f"{uri!r:.80} is no address", param=param)
    return uri


def _header(info: dict[str, Any]) -> tuple[str, str]:
    key, value = info.get("key"), info.get("value")
    good = isinstance(key, str) and _HEADER.fullmatch(key) and key.lower() not in _OWN_HEADERS
    if not good or not isinstance(value, str) or not (value.isascii() and value.isprintable()):
        raise SubscriptionInvalid(
            "an entry of receiverInfo is no header that can be sent",
            param="notification.endpoint.receiverInfo",
            fix='write {"key": "X-Name", "value": "printable ASCII"}',
        )
    return str(key), value


def _notifier(info: dict[str, Any]) -> tuple[str, str]:
    param = "notification.endpoint.notifierInfo"
    if not (isinstance(info.get("key"), str) and isinstance(info.get("value"), str)):
        raise SubscriptionInvalid(
            "an entry is no pair of texts", param=param, fix='write {"key": "…", "value": "…"}'
        )
    key, value = str(info["key"]), str(info["value"])
    if key in _NOTIFIER and value not in _NOTIFIER[key]:
        raise SubscriptionInvalid(
            f"{key} {value!r:.40} is not known",
            param=param,
            fix="use " + ", ".join(_NOTIFIER[key]),
        )
    return key, value
