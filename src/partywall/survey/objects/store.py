"""One tenant's planted object, and requests to a store, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from partywall.survey.objects.settings import ObjectsLogin
from partywall.survey.planted import Direction, Planted
from partywall.survey.trying import ADMINISTRATOR, Step

UPLOAD, VERSION = "{upload}", "{version}"
"""Stand for what the store gave out when the object was planted."""


@dataclass(frozen=True, slots=True)
class Request:
    """One operation of S3 by its name in the API (``get_object``), with its arguments."""

    operation: str
    arguments: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """For people: ``get-object``."""
        return self.operation.replace("_", "-")


@dataclass(frozen=True, slots=True)
class Thing(Planted[ObjectsLogin]):
    """The object that is planted for one tenant."""

    @property
    def key(self) -> str:
        """Its name in the bucket."""
        return f"{self.login.prefix}partywall-{self.run}"

    @property
    def copy(self) -> str:
        """Where something copied goes."""
        return f"{self.key}-copy"

    def at(self, operation: str, key: str = "", **more: str) -> Request:
        """An operation on its object, or on another key of its bucket."""
        named = {"Bucket": self.login.bucket, "Key": key or self.key, **more}
        return Request(operation, tuple(named.items()))

    def bucket(self, operation: str, **more: str) -> Request:
        """An operation on its bucket."""
        return Request(operation, tuple({"Bucket": self.login.bucket, **more}.items()))

    def planted(self) -> tuple[Step[Request], ...]:
        """Make it anew, with a tag, and begin an upload of another under its name."""
        return (
            Step(
                ADMINISTRATOR, self.at("put_object", Body=self.canary, Tagging=f"c={self.canary}")
            ),
            Step(ADMINISTRATOR, self.at("create_multipart_upload")),
        )

    def looked(self) -> tuple[Step[Request], ...]:
        """All that the administrator sees of it."""
        calls = ("get_object", "get_object_tagging", "get_object_acl")
        steps = [Step(ADMINISTRATOR, self.at(call), quiet=True) for call in calls]
        parts = self.at("list_parts", UploadId=UPLOAD)
        return (*steps, Step(ADMINISTRATOR, parts, quiet=True))

    def cleared(self) -> tuple[Step[Request], ...]:
        """Remove it, and what stands beside it."""
        return (
            Step(ADMINISTRATOR, self.at("abort_multipart_upload", UploadId=UPLOAD)),
            Step(ADMINISTRATOR, self.at("delete_object")),
            Step(ADMINISTRATOR, self.at("delete_object", self.copy)),
        )


Scene: TypeAlias = Direction[Thing]
