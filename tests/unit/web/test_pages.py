"""Pages over HTTP: safe headers, both languages, default deny, forms that cannot be forged."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from chengmai.kernel.texts import LANGS
from chengmai.web.cockpit.build import all_screens
from tests.unit.web.builders import KEY, browser, signed_in, token_of
from tests.unit.web.fake_assessment import INDICATORS, INDICATORS_CSV, INDICATORS_JSON, VALUES
from tests.unit.web.fake_city import PASSWORD, FakeCity
from tests.unit.web.fake_incidents import INCIDENT
from tests.unit.web.fake_signs import FIRST_CASE

VITAL = "/vitals/urn:ngsi-ld:VitalSign:environment:pm25:East-Lake"
UNKNOWN = "/vitals/urn:ngsi-ld:VitalSign:environment:noise:Old-Port"
CASE = f"/cases/{FIRST_CASE}"
ROOM = f"/incidents/{INCIDENT}"
PAGES = (
    "/", "/vitals", "/vitals?pack=power&level=act", "/vitals?q=nothing-like-this", VITAL, UNKNOWN,
    f"{VITAL}?range=6h", f"{VITAL}?range=7d", f"{VITAL}?range=6w", "/cases", "/cases?q=nothing-like-this",
    CASE, "/cases/new", "/feeds", "/audit", "/search?q=PM2.5", "/search", "/search?q=zzz", "/help",
    "/assessment", "/assessment?data=example", "/assessment/places?data=example&code=330000",
    "/assessment/places?data=example", "/assessment/registry", "/assessment/registry?data=example",
    "/incidents", "/incidents?state=ended", ROOM, "/incidents/review",
    "/pools", "/pools?pack=nowhere", "/pools/transport/parking", "/pools/transport/bikes",
    *INDICATORS, "/assessment/outlook", "/assessment/outlook?place=330100",
    "/assessment/outlook?group=east&level=sub_provincial", "/assessment/outlook?place=330100&peers=east",
    "/assessment/values", *(f"/assessment/values?indicator=E01&{q}" for q in VALUES),
    "/assessment/frameworks", "/assessment/frameworks?framework=gbt-33356-2022",
    "/assessment/frameworks?framework=nsc-2018&place=330200&node=M1&to=90",
    "/assessment/frameworks?framework=iso-37122", "/assessment/crosswalk",
    "/assessment/surveys", "/assessment/surveys/exp2018",
    "/assessment/crosswalk?framework=indicators&q=E0", "/assessment/crosswalk?q=zzz",
)  # fmt: skip
FRAGMENTS = (
    "/fragments/desk/queue", "/fragments/desk/strip", "/fragments/desk/map", "/fragments/desk/places",
    "/fragments/desk/lines", "/fragments/vitals", "/fragments/cases", "/fragments/feeds",
    f"/fragments{VITAL}/front", f"/fragments{VITAL}/chart", f"/fragments{CASE}/facts",
    f"/fragments{CASE}/log", "/fragments/incidents", f"/fragments{ROOM}/timeline",
    f"/fragments{ROOM}/members",
)  # fmt: skip
DATA = (
    "/map.json", "/vitals.json", "/cases.json", "/feeds.json", "/audit.json", "/search.json?q=PM",
    "/assessment.json?data=example", "/assessment/places.json?data=example", "/assessment/registry.json",
    "/pools.json", "/pools/transport/parking/data.json",
    "/assessment/frameworks.json", *INDICATORS_JSON,
    "/assessment/outlook.json?place=330100", "/assessment/values.json?indicator=E01",
    "/assessment/surveys.json", "/assessment/surveys/exp2018/data.json",
    "/assessment/frameworks/package.json", "/assessment/crosswalk.json",
    f"{VITAL}/data.json", f"{CASE}/data.json",
    "/incidents.json", "/incidents/review.json", f"{ROOM}/data.json",
)  # fmt: skip
TABLES = ("/vitals.csv", "/cases.csv", "/feeds.csv", "/audit.csv", f"{VITAL}/data.csv",
    "/incidents.csv", "/incidents/review.csv",
    "/assessment.csv?data=example", "/assessment/places.csv?data=example",
    "/assessment/registry.csv?data=example",
    "/assessment/outlook.csv?place=330100", "/assessment/values.csv?indicator=E05",
    "/assessment/ranking.csv?data=example", "/assessment/frameworks.csv", *INDICATORS_CSV,
    "/assessment/surveys.csv", "/assessment/surveys/exp2018/data.csv",
    "/assessment/frameworks.csv?framework=u4ssc", "/assessment/crosswalk.csv?framework=indicators",
    "/pools.csv", "/pools/transport/parking/data.csv")  # fmt: skip
ROLES = ("admin", "duty_officer", "manager", "worker", "partner", "auditor", "citizen")
HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>"""


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("empty", [False, True])
def test_every_page_speaks_both_languages(lang: str, empty: bool) -> None:
    client = signed_in(FakeCity(empty=empty), lang)
    pages = [page for page in PAGES if not (empty and page == CASE)]
    for path in (*pages, *(FRAGMENTS if not empty else ())):
        answer = client.get(path)
        assert answer.status_code == 200, path
        if not path.startswith("/fragments"):
            assert f'<html lang="{lang}"' in answer.text
            assert "<h1" in answer.text


def test_every_page_is_guarded_and_holds_nothing_inline() -> None:
    client = signed_in()
    for path in (*PAGES, "/nope"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        nonce = re.search(r"'nonce-([^']+)'", policy)
        assert nonce is not None
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        for tag in re.findall(r"<script\b[^>]*>", answer.text):
            assert " src=" in tag or f'nonce="{nonce[1]}"' in tag, tag
        assert not re.search(r"<style\b|\sstyle=|\son[a-z]+=|javascript:", answer.text), path
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", answer.text), path


def test_a_page_says_up_to_which_news_it_is() -> None:
    assert 'data-live-last="test-0"' in signed_in().get("/feeds").text


def test_a_nonce_is_used_once() -> None:
    client = browser()
    first, second = (client.get("/sign-in").headers["content-security-policy"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("path", [p for p in PAGES if p != "/"] + ["/nope"])
def test_a_signed_out_visitor_is_led_to_sign_in(path: str) -> None:
    answer = browser().get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=/")


@pytest.mark.parametrize("path", [*FRAGMENTS, *DATA, *TABLES, "/live"])
def test_data_are_refused_to_a_signed_out_visitor(path: str) -> None:
    assert browser().get(path).status_code == 401


def test_only_sign_in_preferences_and_open_surveys_are_open_to_all() -> None:
    assert {s.path for s in all_screens() if s.roles is None} == {
        "/sign-in",
        "/preferences",
        "/survey",
        "/survey/{survey_id}",
    }


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("citizen", "/", 303), ("citizen", "/vitals", 403), ("citizen", "/cases/new", 200),
        ("worker", "/audit", 403), ("auditor", "/cases/new", 403), ("auditor", "/audit", 200),
        ("partner", "/feeds", 200), ("duty_officer", "/audit", 403), ("unheard_of", "/help", 403),
    ],
)  # fmt: skip
def test_a_role_sees_its_pages_and_no_others(role: str, path: str, status: int) -> None:
    client = signed_in(FakeCity(roles=frozenset({role})))
    assert client.get(path).status_code == status


@pytest.mark.parametrize("role", ROLES)
def test_every_link_of_the_rail_opens(role: str) -> None:
    client = signed_in(FakeCity(roles=frozenset({role})))
    rail = re.findall(r'<a href="([^"]+)" data-go', client.get("/help").text)
    assert rail
    assert {client.get(path).status_code for path in rail} == {200}


def test_hostile_text_stays_text() -> None:
    client = signed_in(FakeCity(hostile=HOSTILE))
    for path in (*(p for p in PAGES if p != CASE), CASE, *FRAGMENTS, f"/search?q={HOSTILE}"):
        body = client.get(path).text
        assert "<script>alert" not in body, path
        assert "<img" not in body, path
    assert "&lt;script&gt;alert(1)" in client.get(CASE).text


@pytest.mark.parametrize("path", DATA)
def test_a_page_has_a_json_twin(path: str) -> None:
    answer = signed_in().get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()


@pytest.mark.parametrize("path", TABLES)
def test_a_table_has_a_csv_twin_of_even_width(path: str) -> None:
    answer = signed_in(FakeCity(hostile="=cmd()")).get(path)
    assert answer.headers["content-disposition"].startswith("attachment")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not any(cell.startswith("=") for row in rows for cell in row)


def step_form(client: TestClient, **more: str) -> dict[str, str]:
    page = client.get(CASE).text
    key = KEY.search(page)
    assert key is not None
    return {
        "csrf": token_of(page),
        "key": key[1],
        "version": "3",
        "step": "dispatch",
        "note": "go",
    } | more


def test_a_step_is_taken_and_leads_back_to_the_case() -> None:
    city = FakeCity()
    client = signed_in(city)
    form = step_form(client, note="  two\n lines ")
    answer = client.post(f"{CASE}/steps", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{CASE}?done=1#log")
    order = city.steps[0]
    assert (order.step, order.note, order.version, order.key) == (
        "dispatch",
        "two lines",
        3,
        form["key"],
    )
    assert "Recorded." in client.get(f"{CASE}?done=1").text


@pytest.mark.parametrize(
    "change", [{"csrf": ""}, {"csrf": "a.b"}, {"csrf": "no-dot"}, {"csrf": "é.ü"}]
)
def test_a_form_without_our_token_is_refused(change: dict[str, str]) -> None:
    city = FakeCity()
    client = signed_in(city)
    assert client.post(f"{CASE}/steps", data=step_form(client, **change)).status_code == 403
    assert city.steps == []


def test_a_token_of_another_browser_or_before_sign_in_is_refused() -> None:
    city = FakeCity()
    early = token_of(browser(city).get("/sign-in").text)
    client = signed_in(city)
    for token in (early, step_form(signed_in(city))["csrf"]):
        assert client.post(f"{CASE}/steps", data=step_form(client, csrf=token)).status_code == 403
    assert city.steps == []


def test_a_form_that_another_site_sent_is_refused() -> None:
    city = FakeCity()
    client = signed_in(city)
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert client.post(f"{CASE}/steps", data=step_form(client), headers=headers).status_code == 403
    assert city.steps == []


def test_a_step_on_an_old_version_shows_the_case_and_keeps_the_note() -> None:
    client = signed_in()
    answer = client.post(f"{CASE}/steps", data=step_form(client, version="2", note="keep me"))
    assert answer.status_code == 409
    assert "That no longer fits" in answer.text
    assert 'value="keep me"' in answer.text


def test_the_queue_offers_its_steps_as_forms_that_come_back_to_the_desk() -> None:
    city = FakeCity()
    client = signed_in(city)
    page = client.get("/").text
    form = re.search(r'<form method="post" action="(/cases/[^"]+/steps)">(.*?)</form>', page, re.S)
    assert form is not None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[2]))
    assert client.post(form[1], data=fields).headers["location"] == "/"
    assert city.steps[0].step == "dispatch"


@pytest.mark.parametrize(
    "next_", ["//evil.example", "https://evil.example", "/\\evil.example", "x"]
)
def test_a_form_never_leads_to_another_host(next_: str) -> None:
    client = signed_in()
    answer = client.post(f"{CASE}/steps", data=step_form(client, next=next_))
    assert answer.headers["location"].startswith("/cases/")


def test_a_report_becomes_a_case() -> None:
    city = FakeCity()
    client = signed_in(city)
    form = {
        "csrf": token_of(client.get("/cases/new").text),
        "category": "dust",
        "area": "East Lake",
    }
    answer = client.post("/cases/new", data=form | {"description": "Dust everywhere", "key": "k1"})
    assert answer.headers["location"].startswith(CASE)
    assert (city.reports[0].category, city.reports[0].key) == ("dust", "k1")


def test_a_wrong_report_comes_back_with_its_words_and_what_is_wrong() -> None:
    client = signed_in(lang="zh-CN")
    form = {
        "csrf": token_of(client.get("/cases/new").text),
        "area": "",
        "description": "工地扬尘严重",
    }
    answer = client.post("/cases/new", data=form)
    assert answer.status_code == 422
    assert "工地扬尘严重" in answer.text
    assert 'aria-describedby="area-mistake"' in answer.text


def test_a_huge_form_is_refused() -> None:
    client = signed_in()
    assert client.post("/cases/new", data={"description": "x" * 70_000}).status_code == 413


def test_a_form_that_is_no_text_is_refused() -> None:
    client = signed_in()
    assert client.post("/cases/new", content=b"csrf=%ff%fe&\xff").status_code == 400


def test_a_wrong_password_says_nothing_about_the_name() -> None:
    client = browser()
    form = {"csrf": token_of(client.get("/sign-in").text), "name": "a<b", "password": "wrong"}
    answer = client.post("/sign-in", data=form)
    assert answer.status_code == 401
    assert "The name or the password is not right." in answer.text
    assert 'value="a&lt;b"' in answer.text


def test_the_session_cookie_is_out_of_reach_of_scripts() -> None:
    client = browser()
    token = token_of(client.get("/sign-in?next=/feeds").text)
    form = {"csrf": token, "name": "a", "password": PASSWORD, "next": "/feeds"}
    answer = client.post("/sign-in", data=form)
    assert answer.headers["location"] == "/feeds"
    cookie = answer.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=lax", "max-age=43200"):
        assert part in cookie


def test_signing_out_ends_the_session() -> None:
    city = FakeCity()
    client = signed_in(city)
    token = token_of(client.get("/").text)
    assert client.post("/sign-out", data={"csrf": token}).headers["location"] == "/sign-in"
    assert city.signed_in == {}
    assert client.get("/").status_code == 303


def test_language_and_appearance_are_kept() -> None:
    client = signed_in(lang="en")
    token = token_of(client.get("/feeds").text)
    answer = client.post("/preferences", data={"csrf": token, "lang": "zh-CN", "next": "/feeds"})
    assert answer.headers["location"] == "/feeds"
    client.post("/preferences", data={"csrf": token, "theme": "dark", "next": "/feeds"})
    page = client.get("/feeds").text
    assert '<html lang="zh-CN" data-theme="dark">' in page
    assert re.search(r'tokens-dark.css" media="all"', page)


def test_an_unknown_page_and_an_unknown_case_are_404_with_a_number() -> None:
    client = signed_in(lang="zh-CN")
    for path in ("/nope", "/cases/urn:x", "/vitals/urn:x"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.headers["x-request-id"] in answer.text


class Broken(FakeCity):
    async def feeds(self, actor: object) -> object:  # type: ignore[override]
        raise RuntimeError("a secret detail")


def test_a_fault_shows_a_number_and_no_detail() -> None:
    answer = signed_in(Broken()).get("/feeds")
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    assert "secret" not in answer.text


def test_the_banner_says_that_the_city_is_simulated_and_its_clock_fast() -> None:
    page = signed_in(FakeCity(rate=30)).get("/").text
    assert "This city is simulated" in page
    assert "30 times as fast as life" in page


def test_a_static_file_is_kept_for_ever_under_its_hash_and_asked_for_again_under_another() -> None:
    client = browser()
    found = re.search(r'href="(/static/(\w+)/base\.css)"', client.get("/sign-in").text)
    assert found is not None
    right = client.get(found[1])
    assert "immutable" in right.headers["cache-control"]
    old = client.get(found[1].replace(found[2], "0" * 12))
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")
    again = client.get(found[1], headers={"If-None-Match": right.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["../../app.py", "%2e%2e/app.mjs", "nothing.css", "vendor"])
def test_nothing_but_static_files_is_served(path: str) -> None:
    assert browser().get(f"/static/x/{path}").status_code in (303, 404)


def test_without_the_browser_libraries_pages_work_and_the_administrator_is_told(
    tmp_path: Path,
) -> None:
    from chengmai.web.cockpit.build import WEB

    for file in (WEB / "static").glob("*.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    client = signed_in(static=tmp_path)
    for path in PAGES:
        assert client.get(path).status_code == 200, path
    page = client.get("/").text
    assert "npm ci" in page
    assert "<svg" in page
    assert "maplibre" not in page
    officer = signed_in(FakeCity(roles=frozenset({"duty_officer"})), static=tmp_path)
    assert "npm ci" not in officer.get("/").text
