"""Addresses of rules: list, page, editor, firings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from chengmai.kernel.instants import parse_instant
from chengmai.kernel.problems import Conflict, Forbidden, NotFound, Problem
from chengmai.packs.rules import RuleSpec
from chengmai.rules import words as rule_words
from chengmai.rules.model import CITY, CommandState, FiringFilter, Rule
from chengmai.web.cockpit.access import RULES, RULES_EDIT, RULES_TRY
from chengmai.web.cockpit.errors import describe
from chengmai.web.cockpit.rules import commands, trials
from chengmai.web.cockpit.rules.form import Mistake, RuleForm, fields_of, mistake_of, read_form
from chengmai.web.cockpit.screens import Screen
from chengmai.web.cockpit.twins import as_csv, as_json
from chengmai.web.cockpit.visit import Visit, link

_LATEST = 20


async def show_list(visit: Visit) -> Response:
    desk, actor = visit.desk.rules, visit.actor
    return visit.page(
        "rules/list.html",
        rules=await desk.rules(actor),
        waiting=await desk.commands(actor, [CommandState.WAITING]),
        firings=await desk.firings(actor, FiringFilter(limit=_LATEST)),
        may_edit=desk.may(actor, "rules.edit"),
        asked=rule_words.condition,
    )


async def list_json(visit: Visit) -> Response:
    found = await visit.desk.rules.rules(visit.actor)
    return as_json(
        [_rule_json(one.rule) | {"fired_24h": one.fired, "active": one.active} for one in found]
    )


async def list_csv(visit: Visit) -> Response:
    header = ("rule", "title", "type", "q", "on", "version", "fired_24h", "active")
    rows = (
        (
            one.rule.key,
            visit.words.pick(one.rule.spec.title),
            one.rule.spec.on.type,
            one.rule.spec.q,
            one.rule.is_on,
            one.rule.version,
            one.fired,
            one.active,
        )
        for one in await visit.desk.rules.rules(visit.actor)
    )
    return as_csv(header, rows, "rules")


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def data_json(visit: Visit) -> Response:
    desk, name = visit.desk.rules, visit.param("rule_id")
    versions = await desk.versions(visit.actor, name)
    return as_json({"rule": _rule_json(versions[0]), "versions": [_rule_json(v) for v in versions]})


async def switch(visit: Visit) -> Response:
    """Switch the rule on or off, and show it; say why when it cannot be done."""
    desk, form = visit.desk.rules, visit.form
    name, wanted = visit.param("rule_id"), form.get("on") == "1"
    note = " ".join(form.get("note", "").split())[:500]
    return await _done(visit, lambda: desk.switch(visit.actor, name, wanted, _version(form), note))


async def undo(visit: Visit) -> Response:
    name, version = visit.param("rule_id"), _version(visit.form)
    return await _done(visit, lambda: visit.desk.rules.undo(visit.actor, name, version))


async def remove(visit: Visit) -> Response:
    await visit.desk.rules.remove(visit.actor, visit.param("rule_id"), _version(visit.form))
    return visit.redirect("/rules")


async def show_new(visit: Visit) -> Response:
    copied = visit.asked("copy")
    values = {
        "level": "act",
        "late": "10 min",
        "source_zh": "本市选择",
        "source_en": "a city's choice",
    }
    if copied:
        spec = (await visit.desk.rules.rule(visit.actor, copied)).spec
        values = fields_of(spec) | {"id": f"{spec.id}_2"}
    return _form_page(visit, values, {}, is_new=True)


async def show_edit(visit: Visit) -> Response:
    rule = await visit.desk.rules.rule(visit.actor, visit.param("rule_id"))
    values = fields_of(rule.spec) | {"version": str(rule.version)}
    return _form_page(visit, values, {}, is_new=False)


async def make(visit: Visit) -> Response:
    return await _take_form(visit, is_new=True)


async def change(visit: Visit) -> Response:
    return await _take_form(visit, is_new=False)


async def preview(visit: Visit) -> Response:
    """Return how many entities a half-written rule is about and holds on, or what is wrong with it."""
    found, mistakes = await _preview(visit)
    return visit.page("rules/_preview.html", found=found, mistakes=mistakes)


async def show_firing(visit: Visit) -> Response:
    desk, actor = visit.desk.rules, visit.actor
    firing = await desk.firing(actor, visit.param("firing_id"))
    command = await desk.command(actor, firing.command) if firing.command else None
    return visit.page(
        "rules/firing.html",
        firing=firing,
        command=command,
        state_words=rule_words.STATE_WORDS,
        ended_words=rule_words.ENDED_WORDS,
        readings=[
            (parse_instant(one["at"]), rule_words.reading(one["values"]), one["holds"])
            for one in firing.evidence
        ],
    )


async def firing_json(visit: Visit) -> Response:
    firing = await visit.desk.rules.firing(visit.actor, visit.param("firing_id"))
    return as_json(firing.model_dump())


async def firings_json(visit: Visit) -> Response:
    found = await visit.desk.rules.firings(visit.actor, _which(visit))
    return as_json([one.model_dump() for one in found])


async def firings_csv(visit: Visit) -> Response:
    header = (
        "firing",
        "rule",
        "version",
        "entity",
        "area",
        "level",
        "fired_at",
        "ended_at",
        "ended",
        "case",
    )
    rows = (
        (
            one.id,
            one.rule_key,
            one.rule_version,
            one.entity,
            one.area,
            one.level,
            one.fired_at,
            one.ended_at,
            one.ended,
            one.case,
        )
        for one in await visit.desk.rules.firings(visit.actor, _which(visit))
    )
    return as_csv(header, rows, "firings")


def _which(visit: Visit) -> FiringFilter:
    return FiringFilter(
        rule=visit.asked("rule") or None, entity=visit.asked("entity") or None, limit=1000
    )


def _version(form: Mapping[str, str]) -> int:
    text = form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1


async def _done(visit: Visit, do: Any) -> Response:
    try:
        rule: Rule = await do()
    except Conflict as problem:
        return await _page(visit, describe(problem, visit.words))
    return visit.redirect(link("rules", rule.id) + "?done=1")


async def _page(visit: Visit, wrong: Any = None) -> Response:
    desk, actor = visit.desk.rules, visit.actor
    versions = await desk.versions(actor, visit.param("rule_id"))
    rule = versions[0]
    return visit.page(
        "rules/page.html",
        wrong.status if wrong else 200,
        rule=rule,
        versions=versions[:50],
        firings=await desk.firings(actor, FiringFilter(rule=rule.id, limit=_LATEST)),
        wrong=wrong,
        done=bool(visit.asked("done", at_most=1)),
        may_edit=desk.may(actor, "rules.edit"),
        may_try=desk.may(actor, "rules.try"),
        is_ours=rule.origin == CITY,
        condition=rule_words.condition(rule.spec),
        recovery=rule_words.recovery(rule.spec),
        length=rule_words.length,
        has_address=rule.spec.command is None or rule.spec.command.channel in desk.channels(),
    )


async def _take_form(visit: Visit, *, is_new: bool) -> Response:
    desk, actor, form = visit.desk.rules, visit.actor, visit.form
    if form.get("do") == "check":
        found, mistakes = await _preview(visit)
        return _form_page(visit, form, mistakes, is_new=is_new, found=found)
    spec, mistakes = read_form(form, visit.words)
    if spec is None:
        return _form_page(visit, form, mistakes, is_new=is_new, status=422)
    note = " ".join(form.get("note", "").split())[:500]
    try:
        if is_new:
            rule = await desk.make(actor, spec, note)
        else:
            name = visit.param("rule_id")
            rule = await desk.change(actor, name, spec, _version(form), note)
    except (NotFound, Forbidden):
        raise
    except Problem as problem:
        wrong = describe(problem, visit.words)
        where = mistake_of(problem, form, visit.words)
        return _form_page(visit, form, where, is_new=is_new, status=wrong.status)
    return visit.redirect(link("rules", rule.id) + "?done=1")


async def _preview(visit: Visit) -> tuple[Any, Mapping[str, Mistake]]:
    spec, mistakes = read_form(visit.form, visit.words)
    if spec is None:
        return None, mistakes
    return await _previewed(visit, spec)


async def _previewed(visit: Visit, spec: RuleSpec) -> tuple[Any, Mapping[str, Mistake]]:
    try:
        return await visit.desk.rules.preview(visit.actor, spec), {}
    except (NotFound, Forbidden):
        raise
    except Problem as problem:
        return None, mistake_of(problem, visit.form, visit.words)


def _form_page(
    visit: Visit,
    values: Mapping[str, str],
    mistakes: Mapping[str, Mistake],
    *,
    is_new: bool,
    status: int = 200,
    found: Any = None,
) -> Response:
    desk, pick = visit.desk.rules, visit.words.pick
    form = RuleForm(
        values=values,
        mistakes=mistakes,
        is_new=is_new,
        types=[(name, pick(title)) for name, title in desk.types()],
        categories=[(name, pick(title)) for name, title in desk.categories()],
        channels=desk.channels(),
    )
    return visit.page("rules/edit.html", status, form=form, found=found, mistakes=mistakes)


def _rule_json(rule: Rule) -> dict[str, Any]:
    return rule.model_dump(mode="json", by_alias=True)


SCREENS = (
    Screen("/rules", show_list, RULES),
    Screen("/rules.json", list_json, RULES, quiet=True),
    Screen("/rules.csv", list_csv, RULES, quiet=True),
    Screen("/rules/firings.json", firings_json, RULES, quiet=True),
    Screen("/rules/firings.csv", firings_csv, RULES, quiet=True),
    Screen("/rules/firings/{firing_id}", show_firing, RULES),
    Screen("/rules/firings/{firing_id}/data.json", firing_json, RULES, quiet=True),
    *commands.SCREENS,
    *trials.SCREENS,
    Screen("/rules/new", show_new, RULES_EDIT),
    Screen("/rules/new", make, RULES_EDIT, methods=("POST",)),
    Screen("/fragments/rules/preview", preview, RULES_TRY, methods=("POST",), quiet=True),
    Screen("/rules/{rule_id}", show, RULES),
    Screen("/rules/{rule_id}/data.json", data_json, RULES, quiet=True),
    Screen("/rules/{rule_id}/edit", show_edit, RULES_EDIT),
    Screen("/rules/{rule_id}/edit", change, RULES_EDIT, methods=("POST",)),
    Screen("/rules/{rule_id}/switch", switch, RULES_EDIT, methods=("POST",)),
    Screen("/rules/{rule_id}/undo", undo, RULES_EDIT, methods=("POST",)),
    Screen("/rules/{rule_id}/remove", remove, RULES_EDIT, methods=("POST",)),
    Screen("/rules/{rule_id}/try", trials.start, RULES_TRY, methods=("POST",)),
)
