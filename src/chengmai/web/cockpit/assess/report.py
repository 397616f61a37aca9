"""A report as it is written in one language: lines, and numbered notes that every number leads to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from chengmai.assess.outlook.model import Kept, Line, Report, Verdict
from chengmai.assess.outlook.periods import written
from chengmai.assess.outlook.sayings import AGAINST, COURSE, trend_in_words
from chengmai.web.cockpit.formats import NO_VALUE, Formats
from chengmai.web.cockpit.svg.draw import element, line_path

_WIDTH, _HEIGHT, _PAD = 96, 26, 3
_ENTITIES = "/ngsi-ld/v1/entities/"
_CLASS: dict[Verdict, str] = {"better": "good", "worse": "bad", "level": "even", "unknown": "none"}
_SHAPE: dict[Verdict, str] = {"better": "▲", "worse": "▼", "level": "●", "unknown": "○"}


@dataclass(frozen=True)
class Note:
    """A footnote; `link` leads to the records where there are some."""

    number: int
    text: str
    link: str = ""


@dataclass(frozen=True)
class Mark:
    """A verdict as word, shape and class: never colour alone."""

    word: str
    shape: str
    kind: str


@dataclass(frozen=True)
class LineView:
    id: str
    title: str
    value: str
    period: str
    median: str
    place: str
    against: Mark
    course: Mark
    forecast: str
    naive: str
    test: str
    spark: Markup
    note: int


@dataclass(frozen=True)
class SuggestionView:
    title: str
    advice: str
    move: str
    gain: str
    nodes: str
    note: int


@dataclass(frozen=True)
class KeptView:
    title: str
    made: str
    period: str
    said: str
    came: str
    error: str
    naive: str
    inside: str
    link: str
    note: int


@dataclass(frozen=True)
class ReportView:
    """Everything page and paper show."""

    title: str
    on: str
    about: str
    sentences: tuple[str, ...]
    standing: tuple[tuple[str, str, int], ...]
    lines: tuple[LineView, ...]
    gaps: tuple[LineView, ...]
    no_gaps: str
    suggestions: tuple[SuggestionView, ...]
    kept: tuple[KeptView, ...]
    scores: str
    notes: tuple[Note, ...]
    general: tuple[int, ...]
    query: str


@dataclass
class _Notes:
    found: list[Note] = field(default_factory=list)

    def add(self, text: str, link: str = "") -> int:
        self.found.append(Note(len(self.found) + 1, text, link))
        return len(self.found)


def report_view(report: Report, query: str, formats: Formats) -> ReportView:
    """Return a report in the words of one language."""
    words, notes = formats.words, _Notes()
    names = ("median", "course", "forecast", "tested", "gain")
    general = tuple(notes.add(words(f"outlook.note.{name}")) for name in names)
    lines = tuple(_line(line, report, notes, formats) for line in report.lines)
    by_id = {line.id: line for line in lines}
    return ReportView(
        title=words("outlook.of", name=words.pick(report.subject.title)),
        on=formats.day(report.on),
        about=_about(report, formats),
        sentences=tuple(words.pick(one) for one in report.sentences),
        standing=_standing(report, notes, formats),
        lines=lines,
        gaps=tuple(by_id[line.meaning.id] for line in report.gaps),
        no_gaps=words("outlook.no_gaps") if report.is_compared else words("outlook.no_peers"),
        suggestions=tuple(
            SuggestionView(
                words.pick(one.line.meaning.title),
                words.pick(one.advice),
                f"{_number(one.line.value, formats)} → {_number(one.line.median, formats)}",
                words("outlook.marks", n=f"{one.gain:+.2f}") if one.gain is not None else NO_VALUE,
                ", ".join(one.nodes) or NO_VALUE,
                by_id[one.line.meaning.id].note,
            )
            for one in report.suggestions
        ),
        kept=tuple(_kept(one, by_id, formats) for one in report.kept),
        scores=_scores(report, formats),
        notes=tuple(notes.found),
        general=general,
        query=query,
    )


def _about(report: Report, formats: Formats) -> str:
    words, subject = formats.words, report.subject
    if not subject.level:
        return words("outlook.about.own")
    about = words(
        f"outlook.about.{subject.kind}",
        level=words(f"assess.level.{subject.level}"),
        peers=formats.number(len(subject.peers)),
        members=formats.number(len(subject.members)),
    )
    # It goes on paper with the report: a made-up number must never be taken for a real one.
    return f"{about}. {words('outlook.example_note')}" if report.is_example else about


def _standing(report: Report, notes: _Notes, formats: Formats) -> tuple[tuple[str, str, int], ...]:
    """Return name, value and note of what is said of the score."""
    words, found = formats.words, report.standing
    if found is None:
        return ()
    framework = found.framework
    title = words.pick(framework.title)
    source = f"{title}: {framework.source}; {words.pick(framework.note)}"
    number = notes.add(source, _scored(report, framework.id))
    rows = [(title, words("outlook.marks", n=str(found.total)))]
    if found.known is not None:
        rows.append((words("assess.known_marks"), str(found.known)))
    if found.stage is not None:
        rows.append((words("assess.stage"), words.pick(found.stage)))
    if found.of > 1:
        rows.append((words("assess.rank"), f"{found.rank} / {found.of}"))
    if found.median is not None:
        rows.append((words("outlook.median"), str(found.median)))
    return tuple((name, value, number) for name, value in rows)


def _scored(report: Report, framework: str) -> str:
    """Return where the score is shown node by node; of a group or of made-up values it is not."""
    if report.is_example or report.subject.kind == "group":
        return ""
    return (
        f"/assessment/frameworks?framework={framework}&place={report.subject.code}&on={report.on}"
    )


def _line(line: Line, report: Report, notes: _Notes, formats: Formats) -> LineView:
    words, meaning = formats.words, line.meaning
    median, place = NO_VALUE, NO_VALUE
    if line.median is not None:
        median = f"{_number(line.median, formats)} (n={line.peers})"
        place = f"{line.ahead_of + 1} / {line.peers + 1}" if meaning.better else NO_VALUE
    return LineView(
        id=meaning.id,
        title=words.pick(meaning.title),
        value=formats.quantity(line.value, meaning.unit_in(words.lang), 2),
        period=written(line.period, line.step),
        median=median,
        place=place,
        against=Mark(words.pick(AGAINST[line.against]), _SHAPE[line.against], _CLASS[line.against]),
        course=Mark(words.pick(COURSE[line.course]), _SHAPE[line.course], _CLASS[line.course]),
        forecast=words.pick(trend_in_words(line)),
        naive=_number(line.trend.steps[0].naive, formats)
        if line.trend and line.trend.steps
        else "",
        test=_tested(line, formats),
        spark=spark(line),
        note=notes.add(_origin(line, report, formats), _records(line, report)),
    )


def _tested(line: Line, formats: Formats) -> str:
    found = line.trend
    if found is None or not found.own.count:
        return ""
    return formats.words(
        "outlook.tested",
        model=formats.words(f"outlook.model.{found.model}"),
        error=_number(found.own.error, formats),
        naive=_number(found.own.naive_error, formats),
        n=found.own.count,
        series=found.series,
    )


def _origin(line: Line, report: Report, formats: Formats) -> str:
    """Return definition, value, parts, source and date of a line."""
    words, meaning, point = formats.words, line.meaning, line.point
    said = [f"{meaning.id} {words.pick(meaning.title)}"]
    if formula := meaning.formula_in(words.lang):
        said.append(f"{words('assess.definition')}: {formula}")
    if meaning.source:
        said.append(f"{meaning.source} ({words('trust.' + meaning.trust[:1])})")
    if point is None:
        said.append(words("outlook.of_places", n=line.counts[-1], day=formats.day(line.on)))
        return "; ".join(said)
    value = formats.quantity(point.value, meaning.unit_in(words.lang), 2)
    if point.denominator is not None:
        value += f" = {_number(point.numerator, formats)} ÷ {_number(point.denominator, formats)}"
    if point.sample is not None:
        value += f" (n={point.sample})"
    said.append(f"{value}, {formats.day(point.on)}")
    source = f"{point.ref.source} ({formats.day(point.ref.source_date)})"
    said.append(f"{words('assess.source')}: {source}, {point.ref.evidence}")
    said.append(point.ref.entity_id)
    if line.peers_since is not None and line.median is not None:
        said.append(words("outlook.peers_since", day=formats.day(line.peers_since)))
    for other in line.beside:
        differs = f"{other.ref.source} ({formats.day(other.ref.source_date)})"
        said.append(words("outlook.beside", value=_number(other.value, formats), source=differs))
    return "; ".join(said)


def _records(line: Line, report: Report) -> str:
    subject = report.subject
    if line.is_computed:
        return f"/assessment/indicators/{line.meaning.id}"
    asked = f"indicator={line.meaning.id}&on={report.on}"
    if report.is_example:
        asked += "&data=example"
    if subject.kind == "place":
        return f"/assessment/values?{asked}&code={subject.code}"
    return f"/assessment/values?{asked}&group={subject.code}&level={subject.level}"


def _kept(one: Kept, by_id: dict[str, LineView], formats: Formats) -> KeptView:
    promise, words = one.promise, formats.words
    line = by_id.get(promise.indicator)
    inside = (
        words("outlook.waiting")
        if one.is_inside is None
        else words("outlook.inside")
        if one.is_inside
        else words("outlook.outside")
    )
    ends = f"{_number(promise.low, formats)}–{_number(promise.high, formats)}"
    return KeptView(
        title=line.title if line else promise.indicator,
        made=formats.day(promise.made_on),
        period=formats.day(promise.target),
        said=f"{_number(promise.value, formats)} ({ends}, {round(promise.covers * 100)}%)",
        came=_number(one.came, formats),
        error=_number(one.error, formats),
        naive=_number(one.naive_error, formats),
        inside=inside,
        link=f"{_ENTITIES}{promise.entity_id}",
        note=line.note if line else 0,
    )


def _scores(report: Report, formats: Formats) -> str:
    found = report.scores
    if found is None:
        return ""
    if not found.scored:
        return formats.words("outlook.none_due", n=found.made)
    return formats.words(
        "outlook.scores",
        scored=found.scored,
        made=found.made,
        inside=formats.percent(found.inside / found.scored),
        promised=formats.percent(found.promised),
        beaten=found.beaten,
    )


def _number(value: float | None, formats: Formats) -> str:
    return formats.number(value, 2)


def spark(line: Line) -> Markup:
    """Return the course of a line as a small picture with the next interval; words stand beside it."""
    steps = line.trend.steps[:1] if line.trend else ()
    ends = [end for step in steps for end in (step.low, step.high)]
    known = [*line.values, *ends, *([line.median] if line.median is not None else [])]
    low, high = min(known), max(known)
    first, last = line.periods[0], line.periods[-1] + len(steps)

    def x(period: int) -> float:
        return _PAD + (period - first) / max(1, last - first) * (_WIDTH - 2 * _PAD)

    def y(value: float) -> float:
        return _HEIGHT - _PAD - (value - low) / ((high - low) or 1) * (_HEIGHT - 2 * _PAD)

    parts = []
    if line.median is not None:
        at = y(line.median)
        parts.append(element("path", d=line_path([(0, at), (_WIDTH, at)]), class_="c-median"))
    for step in steps:
        path = line_path([(x(last), y(step.low)), (x(last), y(step.high))])
        parts.append(element("path", d=path, class_="c-ahead"))
    drawn = line_path((x(p), y(v)) for p, v in zip(line.periods, line.values, strict=True))
    parts.append(element("path", d=drawn, class_="c-line"))
    kind = _CLASS[line.against]
    parts.append(
        element("circle", cx=x(line.period), cy=y(line.value), r=3.0, class_=f"c-now is-{kind}")
    )
    return element(
        "svg",
        *parts,
        class_="spark outlook",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        width=_WIDTH,
        height=_HEIGHT,
        aria_hidden="true",
        focusable="false",
    )


def columns() -> Sequence[str]:
    """Return the names of the columns of the table of a report."""
    return (
        *("indicator", "title", "value", "unit", "period", "on", "median", "peers", "ahead"),
        *("against", "course", "is_gap", "is_urgent", "next", "low", "high", "covers", "model"),
        *("naive", "error", "naive_error", "numerator", "denominator", "definition", "source"),
        *("source_date", "record", "note"),
    )


def row(line: Line, view: LineView, lang: str) -> tuple[object, ...]:
    """Return a line as a row of the table of a report, its formula in a language."""
    step = line.trend.steps[0] if line.trend and line.trend.steps else None
    own = line.trend.own if line.trend and line.trend.own.count else None
    point, meaning = line.point, line.meaning
    unit = meaning.unit_in(lang)
    return (
        *(meaning.id, view.title, line.value, unit, view.period, line.on, line.median),
        *(line.peers, line.ahead_of if meaning.better else None, line.against, line.course),
        *(line.is_gap, line.is_urgent),
        *((step.value, step.low, step.high, step.covers) if step else (None,) * 4),
        line.trend.model if line.trend else None,
        step.naive if step else None,
        *((own.error, own.naive_error) if own else (None, None)),
        *((point.numerator, point.denominator) if point else (None, None)),
        meaning.formula_in(lang),
        *(
            (point.ref.source, point.ref.source_date, point.ref.entity_id)
            if point
            else ("", "", "")
        ),
        f"[{view.note}]",
    )
