"""Files of tenants, in a folder or a bucket: each in its tenant's place, reached from nowhere else.

`partywall.adapters.files.router` has the routes that answer links.
"""

from typing import TYPE_CHECKING

from partywall.adapters.files.content import AsyncTenantFile, TenantFile
from partywall.adapters.files.folder import Folder
from partywall.adapters.files.links import Claim, Form, Link, Links
from partywall.adapters.files.sealing import Sealing
from partywall.adapters.files.store import Entry, FileInfo, Removed, Store
from partywall.adapters.files.tenant_files import TenantFiles
from partywall.adapters.late import late

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

__getattr__ = late(__name__, {"S3": "s3", "Presigned": "presigned"})
