"""What talks to an object store: a client of botocore for each actor."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from partywall.errors import ConfigurationError, TargetError
from partywall.survey.objects.store import UPLOAD, VERSION
from partywall.survey.trying import NOBODY, Outcome
from partywall.survey.verdict import WitnessStep

try:
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError as missing:
    raise ConfigurationError(
        "a survey of an object store needs botocore: pip install 'partywall[files]'"
    ) from missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.survey.objects.settings import Secret
    from partywall.survey.objects.store import Request, Thing

LIMIT_S = 10
REFUSED = frozenset({
    "AccessDenied", "403", "401", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch",
    "AllAccessDisabled", "Unauthorized",
})  # fmt: skip
FORMS: Mapping[str, Any] = {
    "Delete": lambda key: {"Objects": [{"Key": key}]},
    "PartNumber": int,
    "Body": str.encode,
}


class Store:
    """Asks a store as several actors; nobody's requests go out without a signature."""

    def __init__(self, url: str, region: str, secrets: Mapping[str, Secret]) -> None:
        self._url, self._secrets = url, secrets
        self._session = botocore.session.Session()
        self._region = region
        self._clients: dict[str, Any] = {}
        self._given: dict[tuple[str, str], str] = {}

    def do(self, who: str, call: Request) -> Outcome:
        """Ask as *who*.

        Raises:
            TargetError: the store can't be reached.
        """
        arguments = {name: self._argument(call, name, text) for name, text in call.arguments}
        arguments = {name: value for name, value in arguments.items() if value is not None}
        try:
            answer = getattr(self._client(who), call.operation)(**arguments)
            if failed := answer.get("Errors"):  # of one object among many
                return Outcome(error=str(failed), refused=failed[0].get("Code") in REFUSED)
            return Outcome(self._written(call, answer))
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
            return Outcome(error=str(error), refused=bool({code, status} & REFUSED))
        except BotoCoreError as error:
            raise TargetError(f"the object store at {self._url}, as {who}: {error}") from error

    def told(self, who: str, call: Request, returned: str) -> WitnessStep:
        """The same for the command of AWS; credentials are those of the profile by that name."""
        words = []
        for name, text in call.arguments:
            option = "".join(f"-{c.lower()}" if c.isupper() else c for c in name).strip("-")
            words += [f"--{option}", shlex.quote(text)]
        login = "--no-sign-request" if who == NOBODY else f"--profile {shlex.quote(who)}"
        command = f"aws s3api {call} {login} --endpoint-url {self._url} {' '.join(words)}"
        return WitnessStep(who, "", returned, command)

    def forget(self, who: str, thing: Thing) -> str:
        """Remove every version of a planted object; why one may stay, "" when none does."""
        client, bucket = self._client(who), thing.login.bucket
        try:
            told = client.list_object_versions(Bucket=bucket, Prefix=thing.key)
            for one in (*told.get("Versions", ()), *told.get("DeleteMarkers", ())):
                client.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            return str(error) if code in REFUSED else ""  # a store may know no versions
        return ""

    def close(self) -> None:
        """End all connections."""
        for client in self._clients.values():
            client.close()

    def _argument(self, call: Request, name: str, text: str) -> Any:  # noqa: ANN401 - as botocore has it
        if text in {UPLOAD, VERSION}:
            return self._given.get((text, dict(call.arguments)["Key"]), "none")
        if name == "Tagging" and call.operation == "put_object_tagging":
            return {"TagSet": [{"Key": "c", "Value": text}]}
        return FORMS[name](text) if name in FORMS else text

    def _written(self, call: Request, answer: dict[str, Any]) -> str:
        """The answer's parts, without what differs each time."""
        key = dict(call.arguments).get("Key", "")
        if call.operation == "create_multipart_upload":
            self._given[UPLOAD, key] = answer["UploadId"]
        if call.operation == "put_object":
            self._given[VERSION, key] = answer.get("VersionId", "null")
        for echoed in ("ResponseMetadata", "Prefix", "Key"):
            answer.pop(echoed, None)
        body = answer.pop("Body", None)
        if body is not None:
            answer = {"Body": body.read().decode(errors="replace"), "ETag": answer.get("ETag", "")}
        return json.dumps(answer, default=str, sort_keys=True) if answer else "done"

    def _client(self, who: str) -> Any:  # noqa: ANN401 - botocore makes its classes at run time
        if who not in self._clients:
            secret = self._secrets[who]
            signed = {} if secret.access_key else {"signature_version": UNSIGNED}
            config = Config(
                connect_timeout=LIMIT_S, read_timeout=LIMIT_S, retries={"max_attempts": 0},
                s3={"addressing_style": "path"}, **signed,
            )  # fmt: skip
            self._clients[who] = self._session.create_client(
                "s3", region_name=self._region, endpoint_url=self._url, config=config,
                aws_access_key_id=secret.access_key or None,
                aws_secret_access_key=secret.secret_key or None,
                aws_session_token=secret.session_token or None,
            )  # fmt: skip
        return self._clients[who]
