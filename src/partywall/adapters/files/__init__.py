"""Files of tenants, in a folder or a bucket: each in its tenant's place, reached from nowhere else.

`partywall.adapters.files.router` has the routes that answer links.
"""

from typing import TYPE_CHECKING, Any

from partywall.adapters.files.content import AsyncTenantFile, TenantFile
from partywall.adapters.files.folder import Folder
from partywall.adapters.files.links import Claim, Form, Link, Links
from partywall.adapters.files.sealing import Sealing
from partywall.adapters.files.store import Entry, FileInfo, Removed, Store
from partywall.adapters.files.tenant_files import TenantFiles

if TYPE_CHECKING:
    from partywall.adapters.files.presigned import Presigned
    from partywall.adapters.files.s3 import S3

__all__ = [
    "S3",
    "AsyncTenantFile",
    "Claim",
    "Entry",
    "FileInfo",
    "Folder",
    "Form",
    "Link",
    "Links",
    "Presigned",
    "Removed",
    "Sealing",
    "Store",
    "TenantFile",
    "TenantFiles",
]

_LATER = {"S3": "s3", "Presigned": "presigned"}


def __getattr__(name: str) -> Any:
    """Import what needs botocore when it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - for these names alone

    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
