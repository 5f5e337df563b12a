"""A store that speaks S3 and asks IAM, with a user for each tenant."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Any

import boto3
import httpx
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from partywall.survey.objects.settings import ObjectsLogin, ObjectsSettings, Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TENANTS = ("acme", "globex")
BUCKET = "files"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@dataclass
class Store:
    """A running store; *private* says whether it refuses who shows no credential."""

    url: str
    private: bool = True

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its classes at run time
        return boto3.client(
            service, endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="root",
            aws_secret_access_key="root",
        )  # fmt: skip

    def reset(self) -> None:
        httpx.post(f"{self.url}/moto-api/reset-auth", content=b"1000000000").raise_for_status()
        httpx.post(f"{self.url}/moto-api/reset").raise_for_status()
        self.private = True

    def sound(self, *, versions: bool = False) -> ObjectsSettings:
        """Settings of a bucket in which each tenant may do all with its own keys."""
        self.reset()
        self.client("s3").create_bucket(Bucket=BUCKET)
        if versions:
            self.client("s3").put_bucket_versioning(
                Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"}
            )
        secrets = {name: self.user(name) for name in ("admin", *TENANTS)}
        self.allow("admin", "s3:*", "*")
        for tenant in TENANTS:
            self.allow(tenant, "s3:*", f"{BUCKET}/{tenant}/*")
        tenants = {n: ObjectsLogin(n, secrets[n], BUCKET, f"{n}/") for n in TENANTS}
        return ObjectsSettings(self.url, "us-east-1", secrets["admin"], tenants)

    def allow(self, user: str, action: str, resource: str) -> None:
        arn = "*" if resource == "*" else f"arn:aws:s3:::{resource}"
        statement = {"Effect": "Allow", "Action": action, "Resource": arn}
        name = f"{action}-{resource}".translate(str.maketrans(":*/", "---"))
        self.client("iam").put_user_policy(
            UserName=user, PolicyName=name,
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )  # fmt: skip

    def execute(self, example: str) -> None:
        """``acme: s3:GetObject on files/*``, a line each."""
        for line in example.splitlines():
            who, _, rest = line.partition(": ")
            action, _, resource = rest.partition(" on ")
            if who == "everybody":
                self.private = rest == "nothing"
            else:
                self.allow(who, action, resource)

    def enforce(self) -> None:
        """From now on the store asks IAM."""
        if self.private:
            httpx.post(f"{self.url}/moto-api/reset-auth", content=b"0").raise_for_status()

    def keys(self) -> list[str]:
        httpx.post(f"{self.url}/moto-api/reset-auth", content=b"1000000000").raise_for_status()
        told = self.client("s3").list_object_versions(Bucket=BUCKET)
        kept = [one["Key"] for one in (*told.get("Versions", ()), *told.get("DeleteMarkers", ()))]
        begun = self.client("s3").list_multipart_uploads(Bucket=BUCKET)
        return kept + [one["Key"] for one in begun.get("Uploads", ())]

    def user(self, name: str) -> Secret:
        iam = self.client("iam")
        iam.create_user(UserName=name)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return Secret(made["AccessKeyId"], made["SecretAccessKey"])


@contextmanager
def stored() -> Iterator[Store]:
    store = Store("")
    inner = DomainDispatcherApplication(create_backend_app)

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Any:  # noqa: ANN401 - WSGI
        signed = environ.get("HTTP_AUTHORIZATION") or environ["PATH_INFO"].startswith("/moto-api")
        source = environ.get("HTTP_X_AMZ_COPY_SOURCE", "")  # which moto doesn't ask IAM about
        foreign = source and source.split("/")[1] != environ["PATH_INFO"].split("/")[2]
        if store.private and (not signed or foreign):
            start("403 Forbidden", [("Content-Type", "application/xml")])
            return [DENIED]
        return inner(environ, start)

    server = make_server("127.0.0.1", 0, app, threaded=True)
    store.url = f"http://127.0.0.1:{server.port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        store.reset()  # what moto asks of whom is said for the whole process
        server.shutdown()
        thread.join()
        server.server_close()
