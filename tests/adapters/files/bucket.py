"""A server that speaks like S3, with a gate before it that reads signatures as S3 does.

moto keeps objects and checks nobody. The gate is written after AWS's description of the signature
and not after botocore's code, so that it doubts what botocore signs.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import io
import json
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from werkzeug import formparser
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

KEY_ID, SECRET, REGION = "test", "a secret of the bucket's", "eu-central-1"
DENIED = b"<Error><Code>AccessDenied</Code></Error>"

Environ = dict[str, Any]


class Gate:
    """Lets through what is signed: by a header (botocore's own), in the address, or in a form."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self.now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        if self.admitted(environ):
            return self._app(environ, start)
        start("403 Forbidden", [("Content-Type", "application/xml")])
        return [DENIED]

    def admitted(self, environ: Environ) -> bool:
        query: dict[str, str] = dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))
        if "X-Amz-Signature" in query:
            return self.by_address(environ, query)
        if environ["REQUEST_METHOD"] == "POST" and "multipart/form-data" in environ.get(
            "CONTENT_TYPE", ""
        ):
            return self.by_form(environ)
        return "HTTP_AUTHORIZATION" in environ

    def by_address(self, environ: Environ, query: dict[str, str]) -> bool:
        claimed = query.pop("X-Amz-Signature")
        moment = query["X-Amz-Date"]
        began = dt.datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        if self.now() > began + dt.timedelta(seconds=int(query["X-Amz-Expires"])):
            return False
        names = query["X-Amz-SignedHeaders"].split(";")
        values = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}
        headers = "".join(
            f"{n}:{environ.get(values.get(n, 'HTTP_' + n.upper().replace('-', '_')), '')}\n"
            for n in names
        )
        canonical = "\n".join(
            [
                environ["REQUEST_METHOD"],
                quote(environ["PATH_INFO"].encode("latin-1").decode(), safe="/~"),
                "&".join(f"{encoded(k)}={encoded(query[k])}" for k in sorted(query)),
                headers,
                ";".join(names),
                "UNSIGNED-PAYLOAD",
            ]
        )  # fmt: skip
        scope = query["X-Amz-Credential"].partition("/")[2]
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        return claimed == sign(f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}", scope)

    def by_form(self, environ: Environ) -> bool:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        _, form, files = formparser.parse_form_data({**environ, "wsgi.input": io.BytesIO(body)})
        environ["wsgi.input"] = io.BytesIO(body)
        scope = form["x-amz-credential"].partition("/")[2]
        if form["x-amz-signature"] != sign(form["policy"], scope):
            return False
        policy = json.loads(base64.b64decode(form["policy"]))
        if self.now().isoformat() > policy["expiration"].replace("Z", "+00:00"):
            return False
        sent = dict(form.items()) | {"bucket": environ["PATH_INFO"].strip("/")}
        size = len(files["file"].read())
        fields = set(sent) - {"policy", "x-amz-signature", "bucket"}
        return all(held(each, sent, size, fields) for each in policy["conditions"]) and not fields


def held(condition: Any, sent: dict[str, str], size: int, fields: set[str]) -> bool:  # noqa: ANN401 - JSON
    """Whether a condition holds; the field that it is about is struck from *fields*."""
    if isinstance(condition, dict):
        [(only, wanted)] = condition.items()
        fields.discard(only)
        return sent.get(only) == str(wanted)
    kind, *rest = map(str, condition)
    if kind == "content-length-range":
        return int(rest[0]) <= size <= int(rest[1])
    name = rest[0].removeprefix("$")
    fields.discard(name)
    value = sent.get(name, "")
    return value.startswith(rest[1]) if kind == "starts-with" else value == rest[1]


def encoded(text: str) -> str:
    return quote(text, safe="~")


def sign(text: str, scope: str) -> str:
    key = ("AWS4" + SECRET).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


@contextmanager
def served() -> Iterator[tuple[str, Gate]]:
    """A server with an empty memory: its address, and its gate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - importing it warns
            DomainDispatcherApplication,
            create_backend_app,
        )
    # Its own is a temporary file, which moto leaves open.
    usual, formparser.default_stream_factory = formparser.default_stream_factory, in_memory
    gate = Gate(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, gate, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", gate
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        formparser.default_stream_factory = usual


def in_memory(*_: object, **__: object) -> io.BytesIO:
    """Where the parts of a form go."""
    return io.BytesIO()
