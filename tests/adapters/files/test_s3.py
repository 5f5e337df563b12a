"""What a bucket does that a folder doesn't: versions, parts, being away, links of its own."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import pytest
from botocore.config import Config

from partywall import TenantContext
from partywall.adapters.files import S3, Folder, Presigned, Removed, TenantFiles
from partywall.adapters.files.s3 import PART
from partywall.errors import (
    ConfigurationError,
    InvalidRecord,
    TooLarge,
    Unavailable,
    UnknownRecord,
)
from tests.adapters.files.conftest import at
from tests.adapters.files.test_sealing import Sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from partywall.adapters.files.links import Link
    from tests.adapters.files.bucket import Gate

ACME, GLOBEX = TenantContext("acme"), TenantContext("globex")
TEXT = "text/plain"


@pytest.fixture
def files(bucket: S3) -> TenantFiles:
    found = TenantFiles(bucket, links=Presigned(), limit_bytes=1000)
    found.put(ACME, "a b/ü.txt", b"acme's", content_type=TEXT)
    found.put(GLOBEX, "a b/ü.txt", b"globex's", content_type=TEXT)
    return found


def test_a_removal_takes_every_version_and_what_is_going_up(bucket: S3) -> None:
    files = TenantFiles(bucket)
    on = {"Status": "Enabled"}
    bucket.client.put_bucket_versioning(Bucket=bucket.bucket, VersioningConfiguration=on)
    for content in (b"1", b"22"):
        files.put(ACME, "a", content)
    files.delete(ACME, "a")
    files.put(GLOBEX, "a", b"globex's")
    key = bucket.key("t_acme", "long")
    bucket.client.create_multipart_upload(Bucket=bucket.bucket, Key=key)
    assert files.remove_all(ACME) == Removed(3, 3)
    left = bucket.client.list_object_versions(Bucket=bucket.bucket)
    assert [each["Key"] for each in left["Versions"]] == ["app/t_globex/a"]
    assert "DeleteMarkers" not in left
    assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket=bucket.bucket)
    assert files.read(GLOBEX, "a") == b"globex's"


def test_an_erasure_goes_on_until_nothing_is_found(
    bucket: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = TenantFiles(bucket)
    files.put(ACME, "a", b"1")
    empty, late = S3.empty, [b"22"]

    def interrupted(store: S3, place: str) -> Removed:
        found = empty(store, place)
        if late:
            files.put(ACME, "late", late.pop())
        return found

    monkeypatch.setattr(S3, "empty", interrupted)
    assert bucket.erase("t_acme") == Removed(2, 3)
    assert list(files.list(ACME)) == []


def test_a_list_of_many_files_comes_page_by_page(bucket: S3) -> None:
    files = TenantFiles(bucket)
    for number in range(7):
        files.put(ACME, f"a/{number}", b"x")
    bucket.client.put_object(Bucket=bucket.bucket, Key=bucket.key("t_acme", "a/"), Body=b"")
    small = bucket.client.meta.events
    pages: list[object] = []

    def by_three(params: dict[str, object], **_: object) -> None:
        params["MaxKeys"] = 3
        pages.append(params)

    small.register("provide-client-params.s3.ListObjectsV2", by_three)
    try:
        assert len(list(files.list(ACME))) == 7
        assert files.remove_all(ACME).files == 8
    finally:
        small.unregister("provide-client-params.s3.ListObjectsV2", by_three)
    assert len(pages) >= 6
    assert list(files.list(ACME)) == []


def test_a_long_file_that_breaks_off_leaves_no_parts(bucket: S3) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * (PART + 1)
        assert bucket.client.list_multipart_uploads(Bucket=bucket.bucket)["Uploads"]
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - it is ours
        TenantFiles(bucket).put(ACME, "a", broken())
    assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket=bucket.bucket)


def test_a_bucket_that_is_away_is_unavailable_and_says_no_name() -> None:
    config = Config(retries={"max_attempts": 0}, connect_timeout=5)
    files = TenantFiles(at("http://127.0.0.1:9", config=config))
    with pytest.raises(Unavailable) as refused:
        files.read(ACME, "secret name")
    assert "secret" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_a_bucket_that_is_none_is_a_matter_of_configuration(
    s3_server: tuple[str, Gate], s3_client: object
) -> None:
    missing = at(s3_server[0])
    missing.__dict__["_client"] = s3_client
    with pytest.raises(ConfigurationError, match="no such bucket"):
        TenantFiles(missing).read(ACME, "a")


@pytest.mark.parametrize("prefix", ["/", "a", "../", "a//", "a/b/c/d/", "a/../"])
def test_a_prefix_that_leads_elsewhere_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError):
        S3("bucket", prefix=prefix)


def test_a_link_reads_its_file_and_saves_it(files: TenantFiles) -> None:
    link = files.download_link(ACME, "a b/ü.txt")
    answer = httpx.get(link.url)
    assert (answer.status_code, answer.content) == (200, b"acme's")
    assert answer.headers["content-disposition"] == "attachment"
    assert link.url not in repr(link)


CHANGES: dict[str, Callable[[str], str]] = {
    "tenant": lambda url: url.replace("t_acme", "t_globex"),
    "name": lambda url: url.replace(quote("ü.txt"), "other.txt"),
    "end": lambda url: url.replace("X-Amz-Expires=300", "X-Amz-Expires=3000"),
    "disposition": lambda url: url.replace("=attachment", "=inline"),
    "signature": lambda url: url.partition("&X-Amz-Signature")[0] + "&X-Amz-Signature=00",
    "none": lambda url: url.partition("?")[0],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_link_of_one_tenant_opens_nothing_else(files: TenantFiles, change: str) -> None:
    url = files.download_link(ACME, "a b/ü.txt").url
    changed = CHANGES[change](url)
    assert changed != url
    assert httpx.get(changed).status_code == 403
    assert httpx.get(url).status_code == 200
    for method in ("PUT", "DELETE"):
        assert httpx.request(method, url, content=b"").status_code == 403


def test_a_link_ends(files: TenantFiles, gate: Gate) -> None:
    url = files.download_link(ACME, "a b/ü.txt", lifetime_s=60).url
    usual, gate.now = gate.now, lambda: dt.datetime.now(dt.UTC) + dt.timedelta(seconds=61)
    try:
        assert httpx.get(url).status_code == 403
    finally:
        gate.now = usual
    for seconds in (0, -1, 1801):
        with pytest.raises(ConfigurationError, match="1 to 1800"):
            files.download_link(ACME, "a", lifetime_s=seconds)
    with pytest.raises(ConfigurationError):
        Presigned(longest_s=604_801)


def upload(files: TenantFiles) -> Link:
    return files.upload_link(ACME, "new", content_type=TEXT, size_bytes=5)


def test_a_link_writes_a_file_of_its_type_and_size(files: TenantFiles) -> None:
    link = upload(files)
    assert httpx.put(link.url, content=b"12345", headers=link.headers).status_code == 200
    assert files.read(ACME, "new") == b"12345"
    assert files.stat(ACME, "new").content_type == TEXT


@pytest.mark.parametrize(
    ("content", "content_type", "of"),
    [
        (b"1234", TEXT, "t_acme"),
        (b"123456", TEXT, "t_acme"),
        (b"12345", "text/html", "t_acme"),
        (b"12345", TEXT, "t_globex"),
    ],
)
def test_a_link_writes_nothing_else(
    files: TenantFiles, content: bytes, content_type: str, of: str
) -> None:
    url = upload(files).url.replace("t_acme", of)
    answer = httpx.put(url, content=content, headers={"Content-Type": content_type})
    assert answer.status_code == 403
    for context in (ACME, GLOBEX):
        with pytest.raises(UnknownRecord):
            files.stat(context, "new")


def test_a_form_writes_a_file_up_to_a_size(files: TenantFiles) -> None:
    form = files.upload_form(ACME, "new", content_type=TEXT, limit_bytes=5)
    for content in (b"", b"12345"):
        sent = httpx.post(form.url, data=dict(form.fields), files={"file": content})
        assert sent.status_code == 204
        assert files.read(ACME, "new") == content
    assert form.fields["policy"] not in repr(form)


@pytest.mark.parametrize(
    ("content", "change"),
    [
        (b"123456", {}),
        (b"12345", {"key": "app/t_globex/new"}),
        (b"12345", {"key": "app/t_acme/other"}),
        (b"12345", {"Content-Type": "text/html"}),
        (b"12345", {"x-amz-signature": "00"}),
        (b"12345", {"success_action_redirect": "https://evil.example"}),
    ],
)
def test_a_form_writes_nothing_else(
    files: TenantFiles, content: bytes, change: dict[str, str]
) -> None:
    form = files.upload_form(ACME, "new", content_type=TEXT, limit_bytes=5)
    sent = httpx.post(form.url, data={**form.fields, **change}, files={"file": content})
    assert sent.status_code == 403
    for context in (ACME, GLOBEX):
        with pytest.raises(UnknownRecord):
            files.stat(context, "new")


@pytest.mark.parametrize("name", ["${filename}", "a/${filename}", "${filename}.txt"])
def test_no_form_lets_the_browser_choose_the_name(files: TenantFiles, name: str) -> None:
    with pytest.raises(InvalidRecord, match="form"):
        files.upload_form(ACME, name, content_type=TEXT)


def test_no_link_is_for_more_than_a_file_may_have(files: TenantFiles) -> None:
    with pytest.raises(TooLarge):
        files.upload_link(ACME, "a", content_type=TEXT, size_bytes=1001)
    with pytest.raises(TooLarge):
        files.upload_form(ACME, "a", content_type=TEXT, limit_bytes=1001)


def test_links_of_the_bucket_are_made_for_buckets_that_are_not_sealed(
    bucket: S3, folder: Folder
) -> None:
    with pytest.raises(ConfigurationError, match="only S3"):
        TenantFiles(folder, links=Presigned())
    with pytest.raises(ConfigurationError, match="sealed"):
        TenantFiles(bucket, links=Presigned(), sealing=Sealed())
    with pytest.raises(ConfigurationError, match="nothing makes links"):
        TenantFiles(bucket).download_link(ACME, "a")
    files = TenantFiles(bucket, links=Presigned())
    with pytest.raises(ConfigurationError, match="no link is answered"):
        files.claim("a", "GET")


def test_a_signature_that_binds_less_is_refused(s3_server: tuple[str, Gate]) -> None:
    old = at(s3_server[0], config=Config(signature_version="s3"))
    with pytest.raises(ConfigurationError, match="signature"):
        TenantFiles(old, links=Presigned()).download_link(ACME, "a")
