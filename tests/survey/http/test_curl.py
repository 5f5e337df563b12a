"""A witness is a command: pasted into bash it asks what was asked, and shows no secret."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from partywall.survey.http.actors import Actor
from partywall.survey.http.curl import curl, named, returned
from partywall.survey.http.hiding import variable, variables
from partywall.survey.http.wire import Answer, Request, Upload, Wire, segment
from tests.probe.serving import serving
from tests.survey.http.echo import OF_THE_CLIENT, echo, meant

BASE = "http://127.0.0.1:8000"
TOKEN = "Bearer tok-3f9a'\"$b `x`!"
ACME = Actor(
    "acme corp",
    {"Authorization": TOKEN, "X-Tenant": "t-1"},
    {"session": 'c00k1e"value'},
    {"tenant": "t-1"},
)
GLOBEX = Actor("globex", {"Authorization": "Bearer other-token"})

TEXTS = st.text(max_size=12) | st.sampled_from(
    [
        "it's",
        '"',
        "$HOME",
        "`id`",
        "\\",
        "a;b",
        "@file",
        "<x",
        "line\nline",
        "\x00",
        "é☃",
        "!!",
        "&",
    ]
)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
UPLOADS = st.builds(Upload, NAMES, TEXTS, st.sampled_from(["text/plain", "image/png"]))
HEADERS = st.tuples(
    st.sampled_from(["X-One", "x-two", "If-None-Match"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12),
)


def bodies() -> st.SearchStrategy[tuple[str, Any]]:
    def of(media: str, body: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Any]]:
        return st.tuples(st.just(media), body)

    return st.one_of(
        st.just(("", None)),
        of("application/json", JSON),
        of("application/x-www-form-urlencoded", st.dictionaries(TEXTS, TEXTS, max_size=3)),
        of("multipart/form-data", st.dictionaries(NAMES, TEXTS | UPLOADS, max_size=3)),
        of("text/plain", TEXTS),
    )


@st.composite
def requests(draw: st.DrawFn) -> Request:
    media, body = draw(bodies())
    return Request(
        draw(st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"])),
        "/" + "/".join(map(segment, draw(st.lists(TEXTS, max_size=3)))),
        tuple(draw(st.lists(st.tuples(TEXTS, TEXTS), max_size=2))),
        tuple(draw(st.lists(HEADERS, max_size=2, unique_by=lambda pair: pair[0]))),
        (),
        media,
        body,
    )


def options() -> argparse.ArgumentParser:
    """Those of curl that a witness uses."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for flag in ("-sS", "-i", "-g", "--path-as-is", "--head"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-b")
    for many in ("-H", "-F", "--form-string"):
        parser.add_argument(many, action="append", default=[])
    parser.add_argument("--data-raw")
    parser.add_argument("--data-binary")
    parser.add_argument("url")
    return parser


def spread(words: list[str]) -> list[str]:
    """An option's value as argparse takes it even where it begins with a dash."""
    valued = {"-X", "-b", "-H", "-F", "--form-string", "--data-raw", "--data-binary"}
    found: list[str] = []
    for word in words:
        if found and found[-1] in valued:
            option = found.pop()
            found.append(f"{option}={word}" if option.startswith("--") else f"{option}{word}")
        else:
            found.append(word)
    return found


@given(requests())
@settings(max_examples=300, deadline=None)
@example(Request("POST", "/notes", media="application/json", body={"title": 'it\'s "$HOME"'}))
@example(Request("POST", "/x", media="text/plain", body="-d @/etc/passwd"))
def test_the_words_are_those_of_the_request(request: Request) -> None:
    words = shlex.split(curl(GLOBEX, request, BASE))
    piped = words[: words.index("curl")]
    asked = options().parse_args(spread(words[len(piped) + 1 :]))
    sent = httpx.URL(BASE + request.target)
    assert asked.url == f"{BASE}{sent.raw_path.decode()}"
    method = None if request.method == "GET" and not request.media else request.method
    assert asked.method == method
    headers = dict(header.split(": ", 1) for header in asked.H if ": " in header)
    assert headers.pop("Authorization") == "$GLOBEX_AUTHORIZATION"
    for name, value in request.headers:
        assert (headers[name] == value) if value else (f"{name};" in asked.H)
    if request.media == "application/json" and not piped:
        assert json.loads(asked.data_raw) == request.body
        assert headers["Content-Type"] == "application/json"
    if request.media == "text/plain" and not piped:
        assert asked.data_raw == request.body
    if piped:
        assert (piped[0], asked.data_binary) == ("printf", "@-")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving(echo) as port:
        yield f"http://127.0.0.1:{port}"


def pasted(command: str, *actors: Actor) -> str:
    """What a command prints in bash, the actors' credentials in the environment."""
    environment = {k: v for one in actors for k, v in variables(one).items()}
    bash = shutil.which("bash")
    assert bash, "bash is not on this machine"
    assert shutil.which("curl"), "curl is not on this machine: `make test` installs it"
    done = subprocess.run(
        [bash, "-c", command],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment},
        capture_output=True,
        check=True,
        timeout=20,
    )
    return done.stdout.decode()


def answered(actor: Actor, request: Request, base: str) -> Answer:
    async def ask() -> Answer:
        async with Wire(base) as wire:
            return await wire.send(actor, request)

    return asyncio.run(ask())


def same(actor: Actor, request: Request, base: str, *others: Actor) -> None:
    """Fail unless the server gets the same from bash as it got from the probe."""
    command = curl(actor, request, base, others=others)
    shown = pasted(command, actor, *others)
    head, _, body = shown.replace("\r\n", "\n").partition("\n\n")
    assert head.startswith("HTTP/1.1 200"), command
    asked = answered(actor, request, base)
    assert asked.status == 200, asked.error
    assert meant(json.loads(body)) == meant(asked.json), command


@given(requests())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_real_curl_asks_the_same(server: str, request: Request) -> None:
    same(ACME, request, server)


UPLOAD = Upload('na"me; x.csv', 'a;b,"c"\\d\n@e', "text/csv")


@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", "/notes", media="application/json", body={"a": "it's $HOME `id` \"q\""}),
        Request("POST", "/f", media="application/x-www-form-urlencoded", body={"a b": "&=é"}),
        Request("POST", "/u", media="multipart/form-data", body={"file": UPLOAD, "n": "@x;type=y"}),
        Request("POST", "/u", media="multipart/form-data", body={"tags": ["a", "b"], "f": UPLOAD}),
        Request("POST", "/u", media="multipart/form-data", body={}),
        Request("POST", "/u", media="multipart/form-data", body={"a=b": Upload("x", "\0\x1b[m")}),
        Request("PUT", "/raw", media="text/plain", body="@not-a-file\x00\x1b\\n\n"),
        Request("GET", "/notes/" + segment("a/b é[1]{2}?#"), (("q[]", "*"), ("q[]", "a+b c"))),
        Request("GET", "/a%2e%2e/%2e%2e/b"),
        Request("GET", "/x", headers=(("X-Empty", ""), ("X-Tenant", "t-2"))),
        Request("GET", "/x", cookies=(("more", "1"), ("session", "mine"))),
        Request("DELETE", "/x", media="application/json", body=["1", 2, None]),
        Request("POST", "/x", headers=(("content-type", "a/b"),), media="text/plain", body="x"),
        Request("MKCOL", "/x"),
    ],
    ids=lambda one: f"{one.method} {one.path} {one.media}",
)  # fmt: skip
def test_what_shells_and_forms_get_wrong(server: str, request_: Request) -> None:
    same(ACME, request_, server)


def test_a_secret_is_a_variable_wherever_it_stands(server: str) -> None:
    bare = TOKEN.partition(" ")[2]
    request = Request(
        "POST",
        "/notes",
        (("tenant", "t-1"),),
        (("X-Forwarded-Authorization", TOKEN), ("X-Other", "Bearer other-token")),
        media="text/plain",
        body=f"{bare} and other-token",
    )
    command = curl(ACME, request, server, others=[GLOBEX])
    for secret in (TOKEN, bare, "other-token", 'c00k1e"value'):
        assert secret not in command
    assert sorted(named(command)) == [
        "ACME_CORP_AUTHORIZATION", "ACME_CORP_COOKIE_SESSION", "GLOBEX_AUTHORIZATION",
    ]  # fmt: skip
    same(ACME, request, server, GLOBEX)


def test_a_secret_that_would_have_to_be_encoded_is_left_out() -> None:
    request = Request("POST", "/x", (("key", TOKEN),), media="application/json", body={"k": TOKEN})
    command = curl(ACME, request, BASE)
    assert "tok-3f9a" not in command
    assert command.count("[hidden]") == 2


def test_it_reads_well() -> None:
    request = Request("PATCH", "/notes/7", media="application/json", body={"title": "mine"})
    assert curl(GLOBEX, request, BASE) == (
        f"curl -sS -i -X PATCH {BASE}/notes/7 -H 'Content-Type: application/json' "
        '-H "Authorization: $GLOBEX_AUTHORIZATION" --data-raw \'{"title": "mine"}\''
    )


def test_a_tenant_s_own_address_and_a_certificate_nobody_signed() -> None:
    own = Actor("acme", base="https://acme.localhost:8443/")
    assert curl(own, Request("GET", "/x"), BASE, verify=False) == (
        "curl -sS -i -k https://acme.localhost:8443/x"
    )
    assert BASE in curl(own, Request("GET", "/x", base=BASE), "http://nowhere")


def test_head_asks_for_no_body() -> None:
    assert "--head" in curl(GLOBEX, Request("HEAD", "/x"), BASE).split()


def test_names_of_variables_are_names() -> None:
    assert variable("7-eleven", "X-Api-Key") == "_7_ELEVEN_X_API_KEY"
    assert named("""curl -H 'a: $NOT_ONE' -H "b: $ONE" -H "${TWO}x" "${THREE#* }" '"$NO"'""") == [
        "ONE", "TWO", "THREE",
    ]  # fmt: skip


def answer(body: object, status: int = 200, **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {"content-type": "application/json", **headers}, content)


def test_an_answer_is_its_status_and_its_body() -> None:
    assert returned(answer({"id": 7}, 201)) == '201 Created application/json\n{"id": 7}'
    assert returned(Answer(204)) == "204 No Content"
    assert returned(Answer(0, error="ReadTimeout")) == "no answer: ReadTimeout"
    assert returned(Answer(599)) == "599"
    assert returned(Answer(302, {"location": "/in"})) == "302 Found\nlocation: /in"


def test_a_long_answer_is_shortened_around_what_it_proves() -> None:
    found = returned(
        answer([{"n": n} for n in range(500)] + ["pwcanary77"] + ["z"] * 500), (), "pwcanary77"
    )
    assert "pwcanary77" in found
    assert len(found) < 500
    assert "…" in found


def test_a_header_that_proves_is_shown() -> None:
    told = answer({}, link="</x/pwcanary77>", server="x")
    assert returned(told, (), "pwcanary77").splitlines()[1:] == ["link: </x/pwcanary77>", "{}"]


def test_no_secret_comes_back() -> None:
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
    body = {
        "echo": TOKEN,
        "bare": TOKEN.partition(" ")[2],
        "other": jwt,
        "refresh_token": "r-123",
        "api_key": 'k"ey',
        "short": "t-1",
        "secret_note": "pwcanary77 of acme",
    }
    found = returned(answer(body), [TOKEN, "t-1"], "pwcanary77")
    assert found.count("[hidden]") == 6
    assert "tok-3f9a" not in found
    assert jwt not in found
    assert "pwcanary77 of acme" in found


def test_what_is_no_text_is_counted_and_what_steers_a_terminal_is_not_passed_on() -> None:
    assert returned(Answer(200, {"content-type": "image/png"}, b"\x89PNG\xff")) == (
        "200 OK image/png\n(5 bytes of image/png)"
    )
    assert "\x1b" not in returned(Answer(200, {}, b"\x1b[31mred"))


def test_the_echo_leaves_out_only_what_clients_add() -> None:
    assert not {"authorization", "content-type", "cookie"} & OF_THE_CLIENT
