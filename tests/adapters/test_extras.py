"""What an adapter needs is imported with it and not before, and named where it is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

MISSING = """
import sys
for name in {hidden!r}:
    sys.modules[name] = None
import partywall
try:
    from {module} import {name}
except partywall.ConfigurationError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("module", "name", "hidden", "extra"),
    [
        ("partywall.adapters.files", "S3", ["botocore", "botocore.config"], "files"),
        ("partywall.adapters.files", "Presigned", ["botocore", "botocore.config"], "files"),
        ("partywall.adapters.files.router", "links_router", ["fastapi"], "fastapi"),
        ("partywall.adapters.prometheus", "PrometheusObserver", ["prometheus_client"],
         "prometheus"),
        ("partywall.adapters.tracing", "TenantSpans", ["opentelemetry"], "telemetry"),
        ("partywall.adapters.httpx", "InternalClients", ["httpx"], "httpx"),
        ("partywall.adapters.httpx", "received", ["fastapi"], "fastapi"),
    ],
)  # fmt: skip
def test_a_missing_extra_is_named(module: str, name: str, hidden: list[str], extra: str) -> None:
    code = MISSING.format(module=module, name=name, hidden=hidden)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"pip install 'partywall[{extra}]'" in done.stdout


def test_what_needs_no_extra_imports_none() -> None:
    code = """
import sys
import partywall.adapters.files, partywall.adapters.logs, partywall.adapters.logs.structlog
import partywall.adapters.httpx
print({"botocore", "fastapi", "starlette", "sqlalchemy", "structlog", "httpx"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
