"""Files in a bucket of S3, or of what speaks like it: `S3`.

https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
"""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from partywall.adapters.files.store import Entry, FileInfo, Removed
from partywall.errors import ConfigurationError, Unavailable, UnknownRecord, WorkError

try:
    from botocore.config import Config
    from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
    from botocore.exceptions import ConnectionError as Unreached
    from botocore.session import get_session
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "botocore":
        raise
    raise ConfigurationError(
        "partywall.adapters.files.S3 needs botocore: pip install 'partywall[files]'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterator

PART = 8 * 1024 * 1024
"""Bytes of a part of a long file, and the most of it that is in memory; S3 wants 5 MiB at least."""

PREFIX = re.compile(r"(?:[A-Za-z0-9_-]{1,64}/){0,3}\Z")
MISSING = frozenset({"NoSuchKey", "NotFound", "404"})
BUSY = frozenset({"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "503"})
UNKNOWN_TO_IT = frozenset({"NotImplemented", "MethodNotAllowed", "501", "405"})
NONE = "there is no such file of the tenant"


class S3:
    """Files of tenants in one bucket: `<prefix><place>/<name>`.

    A file is seen when it is whole. Long ones go up in parts, of which one is in memory; calls
    from async code run in threads.

    Args:
        bucket: its name; it is there already.
        prefix: what all keys begin with, ending in a slash: `files/`; "" for nothing.
        options: passed on to botocore's `create_client`: `endpoint_url=`, `region_name=`.

    Raises:
        ConfigurationError: for a prefix that can't be, or without botocore.
    """

    def __init__(self, bucket: str, *, prefix: str = "", **options: Any) -> None:
        if not bucket or not PREFIX.match(prefix):
            raise ConfigurationError(
                'S3 needs a bucket, and a prefix of letters and digits that ends in a slash: "app/"'
            )
        self.bucket = bucket
        self.prefix = prefix
        self._options = options
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """The bucket."""
        return f"S3({self.bucket!r}, prefix={self.prefix!r})"

    @property
    def client(self) -> Any:
        """Botocore's client, made with the first use; threads share it."""
        with self._lock:
            return self._client

    @cached_property
    def _client(self) -> Any:
        ours = Config(signature_version="s3v4")
        config = self._options.get("config")
        options = self._options | {"config": ours.merge(config) if config is not None else ours}
        return get_session().create_client("s3", **options)

    def key(self, place: str, name: str) -> str:
        """Under which key a file is kept."""
        return f"{self.prefix}{place}/{name}"

    def writing(self, place: str, name: str, content_type: str) -> S3Writing:
        """Begin a file."""
        return S3Writing(self, self.key(place, name), content_type)

    def reading(self, place: str, name: str) -> S3Reading:
        """Open a file."""
        with said():
            found = self.client.get_object(Bucket=self.bucket, Key=self.key(place, name))
        return S3Reading(info(name, found), found["Body"])

    def stat(self, place: str, name: str) -> FileInfo:
        """What is known of a file."""
        with said():
            found = self.client.head_object(Bucket=self.bucket, Key=self.key(place, name))
        return info(name, found)

    def entries(self, place: str, under: str) -> Iterator[Entry]:
        """The files below a folder, page by page."""
        prefix = self.key(place, f"{under}/" if under else "")
        own = len(self.key(place, ""))
        for page in self._pages("list_objects_v2", prefix):
            for found in page.get("Contents", ()):
                if not found["Key"].endswith("/"):  # what consoles make for an empty folder
                    yield Entry(found["Key"][own:], found["Size"], found["LastModified"])

    def delete(self, place: str, name: str) -> None:
        """Remove a file; a bucket with versions keeps what it was until `empty`."""
        self.stat(place, name)
        with said():
            self.client.delete_object(Bucket=self.bucket, Key=self.key(place, name))

    def empty(self, place: str) -> Removed:
        """Remove every file of the place, with all its versions, and what is going up."""
        prefix, total = self.key(place, ""), Removed()
        for page in self._pages("list_multipart_uploads", prefix):
            for found in page.get("Uploads", ()):
                self.abandon(found["Key"], found["UploadId"])
        method = "list_object_versions" if self._versioned() else "list_objects_v2"
        for page in self._pages(method, prefix):
            kinds = ("Contents", "Versions", "DeleteMarkers")
            found = [each for kind in kinds for each in page.get(kind, ())]
            self._delete(found)
            total += Removed(len(found), sum(each.get("Size", 0) for each in found))
        return total

    def erase(self, place: str) -> Removed:
        """As `empty`, until nothing is found: what was on its way up may have arrived meanwhile."""
        total = Removed()
        while (found := self.empty(place)) != Removed():
            total += found
        return total

    def abandon(self, key: str, upload: str) -> None:
        """Remove the parts of a file that is going up; again: nothing."""
        with said():
            try:
                self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload)
            except ClientError as error:
                if code(error) != "NoSuchUpload":
                    raise

    def _pages(self, method: str, prefix: str) -> Iterator[dict[str, Any]]:
        pages = iter(self.client.get_paginator(method).paginate(Bucket=self.bucket, Prefix=prefix))
        while True:
            with said():
                page = next(pages, None)
            if page is None:
                return
            yield page

    def _versioned(self) -> bool:
        with said():
            try:
                found = self.client.get_bucket_versioning(Bucket=self.bucket)
            except ClientError as error:
                if code(error) in UNKNOWN_TO_IT:
                    return False  # a store that has none
                raise
        return "Status" in found  # a bucket whose versions are suspended has those from before

    def _delete(self, found: list[dict[str, Any]]) -> None:
        if not found:
            return
        objects = [
            {name: each[name] for name in ("Key", "VersionId") if name in each} for each in found
        ]
        with said():
            answer = self.client.delete_objects(
                Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True}
            )
        failed = {each.get("Code", "") for each in answer.get("Errors", ())}
        if failed:
            raise WorkError(f"the bucket keeps files of the tenant: {', '.join(sorted(failed))}")


class S3Writing:
    """A file that goes up: at once when it is short, else in parts."""

    def __init__(self, store: S3, key: str, content_type: str) -> None:
        self._store = store
        self._at = {"Bucket": store.bucket, "Key": key}
        # Also for who reads it without a link of ours: it isn't shown as a page.
        self._kind = {"ContentType": content_type, "ContentDisposition": "attachment"}
        self._waiting = bytearray()
        self._upload = ""
        self._parts: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._waiting += data
        while len(self._waiting) > PART:
            self._send(bytes(self._waiting[:PART]))
            del self._waiting[:PART]

    def commit(self) -> None:
        """Make it a file."""
        client, rest = self._store.client, bytes(self._waiting)
        self._waiting.clear()
        if not self._upload:
            with said():
                client.put_object(**self._at, **self._kind, Body=rest)
            return
        self._send(rest)
        with said():
            client.complete_multipart_upload(
                **self._at, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
            )
        self._upload = ""

    def abort(self) -> None:
        """Leave nothing of the parts."""
        upload, self._upload = self._upload, ""
        self._waiting.clear()
        if upload:
            self._store.abandon(self._at["Key"], upload)

    def _send(self, data: bytes) -> None:
        client = self._store.client
        with said():
            if not self._upload:
                begun = client.create_multipart_upload(**self._at, **self._kind)
                self._upload = begun["UploadId"]
            number = len(self._parts) + 1
            sent = client.upload_part(
                **self._at, UploadId=self._upload, PartNumber=number, Body=data
            )
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})


class S3Reading:
    """An object that comes down."""

    def __init__(self, known: FileInfo, body: Any) -> None:
        self.info = known
        self._body = body

    def read(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            Unavailable: when the connection ends before the object does.
        """
        with said():
            return bytes(self._body.read(size))

    def close(self) -> None:
        """Let it go."""
        self._body.close()


def info(name: str, found: dict[str, Any]) -> FileInfo:
    """What an answer says of an object."""
    return FileInfo(name, found["ContentLength"], found["LastModified"], found["ContentType"])


def code(error: ClientError) -> str:
    """What the server calls the error."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def said() -> Iterator[None]:
    """Say a missing file, a store that is down and a missing bucket in our words.

    What botocore says of a connection has the address in it, and with it the file's name.
    """
    try:
        yield
    except ClientError as error:
        if code(error) in MISSING:
            raise UnknownRecord(NONE) from None
        if code(error) == "NoSuchBucket":
            raise ConfigurationError("there is no such bucket: S3(bucket)") from error
        if code(error) in BUSY:
            raise Unavailable(f"the bucket takes no request now: {code(error)}") from None
        raise
    except (HTTPClientError, Unreached, IncompleteReadError) as error:
        raise Unavailable(f"the bucket can't be reached: {type(error).__name__}") from None
