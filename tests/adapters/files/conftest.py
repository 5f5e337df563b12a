"""The two stores: a folder, and a bucket on a server that speaks like S3."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

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


def at(address: str, **options: Any) -> S3:  # noqa: ANN401 - botocore's
    """A bucket of a name that no other test has, which isn't there yet."""
    return S3(
        f"bucket-{uuid.uuid4().hex}",
        prefix="app/",
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        **options,
    )


@pytest.fixture(scope="session")
def s3_client(s3_server: tuple[str, Gate]) -> Any:  # noqa: ANN401 - botocore's
    """A client for all tests: making one takes longer than most of them."""
    return at(s3_server[0]).client


@pytest.fixture
def bucket(s3_server: tuple[str, Gate], s3_client: Any) -> S3:  # noqa: ANN401 - botocore's
    store = at(s3_server[0])
    store.__dict__["_client"] = s3_client
    where = {"LocationConstraint": REGION}
    s3_client.create_bucket(Bucket=store.bucket, CreateBucketConfiguration=where)
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
