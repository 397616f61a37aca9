from __future__ import annotations

from typing import Any

import pytest

from chengmai.kernel.problems import Problem
from chengmai.ngsild.contexts import CORE_URL, CORE_URLS, ContextCompiler, core_documents
from chengmai.ngsild.entity import DEFAULT_VOCAB
from chengmai.ngsild.problems import ContextInvalid, ContextNotAvailable

URL = "https://example.org/context.jsonld"


def test_the_core_document_stands_under_every_core_url() -> None:
    assert set(core_documents()) == set(CORE_URLS)
    assert len(CORE_URLS) == 8


def test_a_core_term_expands_and_compacts() -> None:
    core = ContextCompiler().core
    assert core.expand("location") == "https://uri.etsi.org/ngsi-ld/location"
    assert core.compact("https://uri.etsi.org/ngsi-ld/location") == "location"


def test_an_unknown_term_belongs_to_the_default_vocabulary_and_comes_back() -> None:
    core = ContextCompiler().core
    assert core.expand("pm25") == DEFAULT_VOCAB + "pm25"
    assert core.compact(DEFAULT_VOCAB + "pm25") == "pm25"


def test_a_full_iri_passes_unchanged() -> None:
    core = ContextCompiler().core
    assert core.expand("https://example.org/a#b") == "https://example.org/a#b"
    assert core.compact("https://example.org/a#b") == "https://example.org/a#b"


def test_a_user_term_wins_over_the_default_vocabulary() -> None:
    ctx = ContextCompiler().compile({"pm25": "https://example.org/pm25"})
    assert ctx.expand("pm25") == "https://example.org/pm25"
    assert ctx.compact("https://example.org/pm25") == "pm25"


def test_a_name_of_the_default_vocabulary_is_not_stripped_to_a_term_of_the_user() -> None:
    ctx = ContextCompiler().compile({"pm25": "https://example.org/pm25"})
    shown = ctx.compact(DEFAULT_VOCAB + "pm25")
    assert shown != "pm25"
    assert ctx.expand(shown) == DEFAULT_VOCAB + "pm25"


@pytest.mark.parametrize("name", ["type", "id"])
def test_a_name_is_never_compacted_to_a_keyword(name: str) -> None:
    assert ContextCompiler().core.compact(DEFAULT_VOCAB + name) != name


def test_a_core_term_wins_over_the_user_wherever_the_core_stands_in_the_list() -> None:
    mine = {"location": "https://example.org/location"}
    for listed in ([mine], [mine, CORE_URL], [CORE_URL, mine]):
        ctx = ContextCompiler().compile(listed)
        assert ctx.expand("location") == "https://uri.etsi.org/ngsi-ld/location"


def test_a_document_that_includes_the_core_and_redefines_it_is_no_error() -> None:
    document = {
        "@context": [CORE_URL, {"value": "https://example.org/v", "a": "https://example.org/a"}]
    }
    ctx = ContextCompiler({URL: document}).compile(URL)
    assert ctx.expand("a") == "https://example.org/a"
    assert ctx.expand("value") == "https://uri.etsi.org/ngsi-ld/hasValue"


def test_prefixes_work_both_ways() -> None:
    ctx = ContextCompiler().compile({"ex": "https://example.org/"})
    assert ctx.expand("ex:speed") == "https://example.org/speed"
    assert ctx.compact("https://example.org/speed") == "ex:speed"


def test_the_vocabulary_of_the_user_loses_to_the_core() -> None:
    ctx = ContextCompiler().compile({"@vocab": "https://example.org/", "a": {"@type": "@id"}})
    assert ctx.expand("b") == DEFAULT_VOCAB + "b"
    assert ctx.expand("a") == "https://example.org/a"


@pytest.mark.parametrize("nothing", [None, [], {}, CORE_URL, [CORE_URL], [None]])
def test_nothing_of_the_user_is_the_core(nothing: Any) -> None:
    compiler = ContextCompiler()
    assert compiler.compile(nothing) is compiler.core


def test_the_source_for_the_echo_leaves_the_core_out() -> None:
    ctx = ContextCompiler({URL: {"@context": {}}}).compile([URL, CORE_URL])
    assert ctx.source == URL
    assert ctx.url == URL


def test_a_context_is_loaded_once_and_again_after_forget() -> None:
    asked: list[str] = []

    def load(url: str) -> dict[str, Any]:
        asked.append(url)
        return {"@context": {"a": f"https://example.org/{len(asked)}"}}

    compiler = ContextCompiler(load=load)
    assert compiler.compile(URL) is compiler.compile(URL)
    assert asked == [URL]
    compiler.forget(lambda url: url == URL)
    assert compiler.compile(URL).expand("a") == "https://example.org/2"


def test_only_the_last_contexts_are_remembered() -> None:
    compiler = ContextCompiler(size=2)
    first = compiler.compile({"a": "https://example.org/1"})
    compiler.compile({"a": "https://example.org/2"})
    compiler.compile({"a": "https://example.org/3"})
    assert compiler.compile({"a": "https://example.org/1"}) is not first


def test_a_document_given_is_asked_before_the_loader_and_left_as_it_is() -> None:
    def load(url: str) -> dict[str, Any]:
        raise AssertionError(url)

    document = {"@context": {"a": {"@id": "https://example.org/a"}}}
    ContextCompiler({URL: document}, load).compile(URL)
    assert document == {"@context": {"a": {"@id": "https://example.org/a"}}}


@pytest.mark.parametrize(
    "failure", [ContextNotAvailable("gone"), TimeoutError(), ConnectionError()]
)
def test_a_loader_that_fails_makes_the_context_not_available(failure: Exception) -> None:
    def load(url: str) -> dict[str, Any]:
        raise failure

    with pytest.raises(ContextNotAvailable):
        ContextCompiler(load=load).compile(URL)


def test_a_url_that_nobody_can_load_is_not_available() -> None:
    with pytest.raises(ContextNotAvailable) as problem:
        ContextCompiler().compile(URL)
    assert URL in problem.value.detail


@pytest.mark.parametrize(
    "bad",
    [
        "context.jsonld",
        [3],
        5,
        {"a": {"@id": 5}},
        {"a": "b:c", "b": "a:c"},
        {"@version": 1.0},
        {1: "https://example.org/a"},
        {"a": {"@container": "@nothing", "@id": "https://example.org/a"}},
        {f"t{n}": "https://example.org/a" for n in range(10_001)},
    ],
)
def test_a_context_that_is_none_is_invalid(bad: Any) -> None:
    with pytest.raises(ContextInvalid):
        ContextCompiler().compile(bad)


def test_contexts_that_include_each_other_are_a_problem_and_no_endless_loop() -> None:
    documents = {URL: {"@context": [URL]}}
    with pytest.raises(Problem):
        ContextCompiler(documents).compile(URL)
