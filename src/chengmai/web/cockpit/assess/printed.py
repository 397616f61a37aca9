"""A report as one HTML file that needs nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chengmai.web.cockpit.assess.report import ReportView
from chengmai.web.cockpit.texts import Words

_TEMPLATES = Path(__file__).parent.parent


def as_html(view: ReportView, words: Words, base: str = "") -> str:
    """Return a report as HTML; `base` is the address of the city that links lead to, none without it."""
    templates = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    root = base.rstrip("/")
    notes = tuple(replace(one, link=root + one.link if base else "") for one in view.notes)
    kept = tuple(replace(one, link=root + one.link if base else "") for one in view.kept)
    template = templates.get_template("assess/outlook_print.html")
    return template.render(view=replace(view, notes=notes, kept=kept), t=words, lang=words.lang)
