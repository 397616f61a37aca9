"""`chengmai assess survey`: surveys of citizens, and how sure their results are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chengmai.app import City
from chengmai.assess.surveys.model import Survey
from chengmai.assess.surveys.published import document
from chengmai.assess.surveys.results import QuestionResult
from chengmai.assess.surveys.service import Standing
from chengmai.cli.files import text_of
from chengmai.cli.open import DataOption, JsonOption, operator, run_in
from chengmai.cli.output import print_json, print_table

app = typer.Typer(
    help="Surveys of citizens: results with sample and interval.", no_args_is_help=True
)
IdArgument = Annotated[str, typer.Argument(help="Its id, as `list` shows.")]


@app.command("list")
def list_(data: DataOption = None, json: JsonOption = False) -> None:
    """List the surveys, the newest first."""

    async def read(city: City) -> list[Standing]:
        return await city.surveys.surveys(operator(city))

    found = run_in(data, read)
    if json:
        print_json([_document(one) for one in found])
        return
    if not found:
        typer.echo("There is no survey yet: define one with chengmai assess survey define.")
        return
    rows = [
        (
            one.survey.id,
            one.survey.place,
            one.survey.begins,
            one.survey.ends,
            one.survey.mode,
            one.answers,
            "published" if one.is_published else "",
        )
        for one in found
    ]
    print_table(("id", "place", "begins", "ends", "mode", "answers", "state"), rows)


@app.command()
def define(
    file: Annotated[Path, typer.Argument(help="A JSON file with the survey.")],
    data: DataOption = None,
) -> None:
    """Take in a survey, or change one of the same id."""
    text = text_of(file)

    async def take(city: City) -> Survey:
        return await city.surveys.define(operator(city), text)

    typer.echo(f"survey {run_in(data, take).id} is taken in")


@app.command()
def counts(
    survey: IdArgument,
    file: Annotated[Path, typer.Argument(help="A CSV file: stratum,question,option,count.")],
    data: DataOption = None,
) -> None:
    """Take in how often each answer was given, in place of all before, and publish the result."""
    text = text_of(file)

    async def take(city: City) -> Standing:
        return await city.surveys.import_counts(operator(city), survey, text)

    _print(run_in(data, take))


@app.command()
def result(survey: IdArgument, data: DataOption = None, json: JsonOption = False) -> None:
    """Print the result of each question: value, 95 % interval, sample, and what is said against it."""

    async def read(city: City) -> Standing:
        return await city.surveys.survey(operator(city), survey)

    found = run_in(data, read)
    if json:
        print_json(_document(found))
        return
    _print(found)


@app.command()
def publish(survey: IdArgument, data: DataOption = None) -> None:
    """Publish what the answers to an open survey say, from the day after its last on."""

    async def take(city: City) -> Standing:
        return await city.surveys.publish(operator(city), survey)

    _print(run_in(data, take))


def _print(found: Standing) -> None:
    if not found.results:
        typer.echo(f"{found.answers} answers; there is no result to show yet.")
        return
    header = ("question", "value", "low", "high", "n", "N", "method", "mind")
    print_table(header, [_row(one) for one in found.results])


def _row(one: QuestionResult) -> tuple[object, ...]:
    doubts, found = ", ".join(one.doubts), one.estimate
    if found is None:
        return one.question.id, "hidden", "", "", "", "", "", doubts
    ends = (f"{found.value:.2f}", f"{found.low:.2f}", f"{found.high:.2f}")
    return one.question.id, *ends, found.n, found.population or "–", found.method, doubts


def _document(one: Standing) -> dict[str, object]:
    return {
        "survey": one.survey.model_dump(mode="json"),
        "answers": one.answers,
        "published": one.is_published,
        "results": [document(result) for result in one.results],
    }
