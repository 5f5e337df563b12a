"""Links of our own: what was signed and nothing else, and only while the tenant may be entered."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from partywall import TenantContext
from partywall.adapters.files import Folder, Links, TenantFiles
from partywall.adapters.files.links import PURPOSE, Target
from partywall.adapters.files.names import place_of
from partywall.adapters.files.router import download, links_router
from partywall.adapters.signing import Signing, bytes_of, text_of
from partywall.errors import ConfigurationError, NotAuthenticated, TooLarge, UnknownRecord
from partywall.runtime.directory import CachedDirectory
from tests.adapters.files.test_sealing import Sealed
from tests.probe.serving import answering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from partywall.adapters.files.links import Claim, Method
    from partywall.runtime.directory import Standing

ACME, GLOBEX = TenantContext("acme"), TenantContext("globex")
KEY, OTHER = b"k" * 32, b"o" * 32
BASE = "https://app.example.com/files"
NOW_S = 1_800_000_000
TEXT = "text/plain"


def links(*keys: bytes, now_s: float = NOW_S) -> Links:
    return Links(*(keys or (KEY,)), base=BASE, clock=lambda: now_s)


def token(
    name: str = "a", tenant_id: str = "acme", of: Links | None = None, lifetime_s: int = 60
) -> str:
    made = (of or links()).download(None, Target(tenant_id, "", name), lifetime_s)  # type: ignore[arg-type]  # it asks no store
    assert made.url.startswith(f"{BASE}/")
    return made.url.rpartition("/")[2]


def claim(token: str, method: Method = "GET", *, of: Links | None = None) -> Claim:
    return (of or links()).claim(token, method)


def forged(payload: object, purpose: str = PURPOSE) -> str:
    return Signing((KEY,), purpose).token(json.dumps(payload).encode())


def test_a_link_says_what_it_is_for() -> None:
    found = claim(token("a/ü", "a.b"))
    assert (found.tenant_id, found.name, found.method) == ("a.b", "a/ü", "GET")
    assert found.expires_at == NOW_S + 60


@given(st.data())
def test_a_link_that_was_changed_anywhere_does_not_hold(data: st.DataObject) -> None:
    whole = token()
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.characters(codec="ascii", exclude_characters=whole[at]))
    changed = whole[:at] + other + whole[at + 1 :]
    with pytest.raises(NotAuthenticated):
        claim(changed)
    assert claim(whole).name == "a"


@given(st.binary(max_size=40))
def test_what_is_signed_has_one_spelling(data: bytes) -> None:
    text = text_of(data)
    assert bytes_of(text) == data
    for other in (text + "=", text + "\n", " " + text):
        with pytest.raises(NotAuthenticated):
            bytes_of(other)
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    if len(text) % 4 in {2, 3}:
        spelled = [text[:-1] + each for each in last]
        same = [each for each in spelled if base64.urlsafe_b64decode(each + "==") == data]
        assert len(same) > 1
        for each in set(same) - {text}:
            with pytest.raises(NotAuthenticated):
                bytes_of(each)


def test_one_tenant_s_name_in_another_s_link_is_another_link() -> None:
    mine, theirs = token("a", "acme"), token("a", "globex")
    mixed = theirs.partition(".")[0] + "." + mine.partition(".")[2]
    with pytest.raises(NotAuthenticated):
        claim(mixed)
    assert (claim(mine).tenant_id, claim(theirs).tenant_id) == ("acme", "globex")


def test_a_link_is_for_one_method() -> None:
    with pytest.raises(NotAuthenticated):
        claim(token(), "PUT")


def test_a_link_ends() -> None:
    made = token()
    assert claim(made, of=links(now_s=NOW_S + 59)).name == "a"
    with pytest.raises(NotAuthenticated):
        claim(made, of=links(now_s=NOW_S + 60))


def test_a_link_for_longer_than_one_may_hold_is_neither_made_nor_taken() -> None:
    with pytest.raises(ConfigurationError, match="1 to 86400"):
        token(lifetime_s=86_401)
    with pytest.raises(ConfigurationError):
        token(lifetime_s=0)
    long = token(lifetime_s=86_400)
    shorter = Links(KEY, base=BASE, longest_s=3600, clock=lambda: NOW_S)
    with pytest.raises(NotAuthenticated):
        claim(long, of=shorter)


def test_a_key_is_changed_without_ending_what_the_old_one_signed() -> None:
    before = token()
    assert claim(before, of=links(OTHER, KEY)).name == "a"
    assert claim(token(of=links(OTHER, KEY)), of=links(OTHER)).name == "a"
    with pytest.raises(NotAuthenticated):
        claim(before, of=links(OTHER))


@pytest.mark.parametrize(
    "payload",
    [[], {}, "a", ["acme", "a", "GET"], ["", "a", "GET", "", 0, NOW_S + 9],
     ["acme", "a", "GET", "", 0, None], ["acme", "a", "GET", "", 0, "x"], 7],
)  # fmt: skip
def test_what_another_program_signed_with_the_key_is_no_link(payload: object) -> None:
    with pytest.raises(NotAuthenticated):
        claim(forged(payload))
    sound = ["acme", "a", "GET", "", 0, NOW_S + 9]
    assert claim(forged(sound)).name == "a"
    with pytest.raises(NotAuthenticated):
        claim(forged(sound, "another purpose"))


@pytest.mark.parametrize("given", ["", ".", "a.b", "a" * 5000, "é." + "A" * 43, "A." + "A" * 43])
def test_what_is_no_token_is_refused(given: str) -> None:
    with pytest.raises(NotAuthenticated):
        claim(given)


def test_links_show_no_key_and_want_a_long_one() -> None:
    assert "k" * 32 not in repr(links())
    with pytest.raises(ConfigurationError, match="32"):
        Links(b"short", base=BASE)
    with pytest.raises(ConfigurationError):
        Links(base=BASE)
    for base in ("", "/files", "https://a?b=", "javascript:alert(1)"):
        with pytest.raises(ConfigurationError):
            Links(KEY, base=base)


def test_links_want_to_know_who_the_tenants_are(folder: Folder) -> None:
    with pytest.raises(ConfigurationError, match="directory="):
        TenantFiles(folder, links=links())


class Town:
    """An application with the router, served by a real server, whose tenants' standing is set."""

    def __init__(self, folder: Folder, address: str, *, sealed: bool = False) -> None:
        self.standing: Standing | None = "active"
        directory = CachedDirectory(lambda _: self.standing, ttl_s=0)
        made = Links(KEY, base=f"{address}/files")
        sealing = Sealed() if sealed else None
        self.files = TenantFiles(
            folder, directory=directory, links=made, sealing=sealing, limit_bytes=1000
        )
        self.app = FastAPI()
        self.app.include_router(links_router(self.files), prefix="/files")

        @self.app.get("/own")
        async def own(name: str) -> object:
            return await download(self.files, ACME, name)


@contextmanager
def serving(build: Callable[[str], Town]) -> Iterator[Town]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        town = build(f"http://127.0.0.1:{listening.getsockname()[1]}")
        with answering(town.app, listening):
            yield town


@pytest.fixture
def town(folder: Folder) -> Iterator[Town]:
    with serving(lambda address: Town(folder, address)) as town:
        yield town


PAGE = b"<script>document.cookie</script>"


def test_a_page_of_a_tenant_is_saved_and_never_shown(town: Town) -> None:
    town.files.put(ACME, "a/straße .html", PAGE, content_type="text/html")
    link = town.files.download_link(ACME, "a/straße .html")
    answers = [
        httpx.get(link.url),
        httpx.get(link.url.split("/files")[0] + "/own?name=a/straße .html"),
    ]
    for answer in answers:
        assert (answer.status_code, answer.content) == (200, PAGE)
        said = answer.headers
        assert said["content-disposition"] == (
            "attachment; filename=\"stra_e_.html\"; filename*=UTF-8''stra%C3%9Fe%20.html"
        )
        assert said["x-content-type-options"] == "nosniff"
        assert said["content-security-policy"] == "sandbox; default-src 'none'"
        assert said["cache-control"] == "private, no-store"
        assert said["content-type"].startswith("text/html")
        assert said["content-length"] == str(len(PAGE))
    head = httpx.head(link.url)
    assert (head.status_code, head.headers["x-content-type-options"]) == (200, "nosniff")


def test_a_name_can_not_add_a_header(town: Town) -> None:
    town.files.put(ACME, 'a"; x="b.txt', b"x")
    answer = httpx.get(town.files.download_link(ACME, 'a"; x="b.txt').url)
    assert answer.headers["content-disposition"].startswith('attachment; filename="a___x__b.txt";')


def test_a_sealed_file_comes_open_by_its_link(folder: Folder) -> None:
    with serving(lambda address: Town(folder, address, sealed=True)) as town:
        town.files.put(ACME, "a", b"acme's")
        answer = httpx.get(town.files.download_link(ACME, "a").url)
        assert (answer.content, answer.headers.get("content-length")) == (b"acme's", None)
        place = folder.path / place_of("acme")
        (place / "a").rename(place / "b")
        assert httpx.get(town.files.download_link(ACME, "b").url).status_code >= 400


def test_a_link_of_one_tenant_opens_nothing_of_another(town: Town) -> None:
    town.files.put(ACME, "a", b"acme's")
    town.files.put(GLOBEX, "a", b"globex's")
    mine, theirs = (town.files.download_link(each, "a").url for each in (ACME, GLOBEX))
    assert httpx.get(mine).content == b"acme's"
    assert httpx.get(theirs).content == b"globex's"
    mixed = theirs.rpartition(".")[0] + "." + mine.rpartition(".")[2]
    assert httpx.get(mixed).status_code == 403
    assert httpx.put(mine, content=b"x").status_code == 403


@pytest.mark.parametrize("standing", ["suspended", "deleted", "failed", None])
def test_a_link_of_a_tenant_that_is_none_any_more_is_a_link_that_does_not_hold(
    town: Town, standing: Standing | None
) -> None:
    town.files.put(ACME, "a", b"acme's")
    read = town.files.download_link(ACME, "a")
    write = town.files.upload_link(ACME, "b", content_type=TEXT, size_bytes=1)
    assert httpx.get(read.url).status_code == 200
    town.standing = standing
    refused = [
        httpx.get(read.url),
        httpx.put(write.url, content=b"x", headers=write.headers),
        httpx.get(read.url + "x"),
    ]
    assert {answer.status_code for answer in refused} == {403}
    assert len({answer.content for answer in refused}) == 1
    assert httpx.head(read.url).status_code == 403
    town.standing = "active"
    assert httpx.get(read.url).status_code == 200


def test_a_link_to_a_file_that_is_gone_is_not_found(town: Town) -> None:
    url = town.files.download_link(ACME, "none").url
    assert httpx.get(url).status_code == 404
    assert httpx.head(url).status_code == 404


def test_a_link_writes_its_file(town: Town) -> None:
    link = town.files.upload_link(ACME, "a/new", content_type=TEXT, size_bytes=5)
    assert httpx.put(link.url, content=b"12345", headers=link.headers).status_code == 204
    assert town.files.read(ACME, "a/new") == b"12345"
    assert town.files.stat(ACME, "a/new").content_type == TEXT
    assert httpx.get(link.url).status_code == 403


def in_pieces(content: bytes) -> Iterator[bytes]:
    for each in content:
        yield bytes([each])


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"1234", {"Content-Type": TEXT}, 400),
        (b"123456", {"Content-Type": TEXT}, 400),
        (b"12345", {"Content-Type": "text/html"}, 400),
        (b"12345", {}, 400),
        (b"12345", {"Content-Type": TEXT, "Content-Encoding": "gzip"}, 400),
        (in_pieces(b"1234"), {"Content-Type": TEXT}, 422),
        (in_pieces(b"123456"), {"Content-Type": TEXT}, 413),
        (in_pieces(b"12345"), {"Content-Type": TEXT}, 204),
    ],
)
def test_a_link_writes_nothing_of_another_type_or_size(
    town: Town, content: bytes, headers: dict[str, str], status: int
) -> None:
    link = town.files.upload_link(ACME, "new", content_type=TEXT, size_bytes=5)
    assert httpx.put(link.url, content=content, headers=headers).status_code == status
    if status != 204:
        with pytest.raises(UnknownRecord):
            town.files.stat(ACME, "new")


def test_async_code_makes_the_same_links(town: Town) -> None:
    async def all_of_it() -> None:
        link = await town.files.async_upload_link(ACME, "a", content_type=TEXT, size_bytes=1)
        async with httpx.AsyncClient() as client:
            sent = await client.put(link.url, content=b"x", headers=dict(link.headers))
            assert sent.status_code == 204
            found = await client.get((await town.files.async_download_link(ACME, "a")).url)
            assert found.content == b"x"
        with pytest.raises(ConfigurationError):
            await town.files.async_upload_form(ACME, "a", content_type=TEXT)
        with pytest.raises(TooLarge):
            await town.files.async_upload_link(ACME, "a", content_type=TEXT, size_bytes=1001)

    asyncio.run(all_of_it())
