"""The two stores: a folder, and a bucket on a server that speaks like S3."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from partywall.adapters.files import S3, Folder
from tests.adapters.files.bucket import KEY_ID, REGION, SECRET, Gate, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from partywall.adapters.files import Store


@pytest.fixture(scope="session")
def s3_server() -> Iterator[tuple[str, Gate]]:
    with served() as found:
        yield found


@pytest.fixture
def gate(s3_server: tuple[str, Gate]) -> Gate:
    return s3_server[1]


@pytest.fixture
def bucket(s3_server: tuple[str, Gate]) -> S3:
    store = S3(
        f"bucket-{uuid.uuid4().hex}",
        prefix="app/",
        endpoint_url=s3_server[0],
        region_name=REGION,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
    )
    where = {"LocationConstraint": REGION}
    store.client.create_bucket(Bucket=store.bucket, CreateBucketConfiguration=where)
    return store


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "files"
    path.mkdir()
    return Folder(path)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue(request.param)
    return found
