"""Key-encryption keys that a key management service holds, and never gives out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from partywall.encryption.xaes import BROKEN
from partywall.errors import SealBroken, Unavailable, UnknownKey

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kms(Protocol):
    """What is needed of a service: `AwsKms`, or one of your own in a dozen lines."""

    def wrap(self, key_id: str, key: bytes, about: Mapping[str, str]) -> tuple[str, bytes]:
        """Which key it was that *key_id* means, by its own id, and *key* encrypted by it.

        Raises:
            UnknownKey: when there is no such key, or it may not be used.
            Unavailable: when the service gives no answer.
        """
        ...

    def unwrap(self, key_id: str, wrapped: bytes, about: Mapping[str, str]) -> bytes:
        """What was wrapped by the key of that id.

        Raises:
            UnknownKey, Unavailable: as `wrap`.
            SealBroken: when it was wrapped about something else, or changed.
        """
        ...

    def resolved(self, key_id: str) -> str:
        """The own id of the key that *key_id*, an alias perhaps, means now.

        Raises:
            UnknownKey, Unavailable: as `wrap`.
        """
        ...


class KmsKeys:
    """Key-encryption keys in a key management service.

    Each data key is unwrapped by a request, once in a while: see `Keyring`'s *ttl_s*.

    Args:
        kms: the service.
        current: the key that wraps, as the service names it: an id, an alias.
    """

    def __init__(self, kms: Kms, current: str) -> None:
        self._kms, self._current = kms, current

    def current(self) -> str:
        """The own id of the key that wraps."""
        return self._kms.resolved(self._current)

    def wrap(self, key: bytes, about: Mapping[str, str]) -> tuple[str, bytes]:
        """By a request."""
        return self._kms.wrap(self._current, key, about)

    def unwrap(self, version: str, wrapped: bytes, about: Mapping[str, str]) -> bytearray:
        """By a request."""
        return bytearray(self._kms.unwrap(version, wrapped, about))


WRONG = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
MISSING = frozenset(
    {
        "NotFoundException",
        "DisabledException",
        "KMSInvalidStateException",
        "AccessDeniedException",
        "InvalidKeyUsageException",
    }
)
"""https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors"""


class AwsKms:
    """AWS KMS, or what speaks like it.

    Args:
        client: botocore's: `session.create_client("kms")`.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def wrap(self, key_id: str, key: bytes, about: Mapping[str, str]) -> tuple[str, bytes]:
        """Encrypt, with *about* for its context."""
        answer = self._asked("encrypt", key_id, Plaintext=key, EncryptionContext=dict(about))
        return str(answer["KeyId"]), bytes(answer["CiphertextBlob"])

    def unwrap(self, key_id: str, wrapped: bytes, about: Mapping[str, str]) -> bytes:
        """Decrypt, by that key and no other."""
        answer = self._asked(
            "decrypt", key_id, CiphertextBlob=wrapped, EncryptionContext=dict(about)
        )
        return bytes(answer["Plaintext"])

    def resolved(self, key_id: str) -> str:
        """DescribeKey."""
        return str(self._asked("describe_key", key_id)["KeyMetadata"]["Arn"])

    def _asked(self, verb: str, key_id: str, **said: object) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - who has KMS

        try:
            return getattr(self._client, verb)(KeyId=key_id, **said)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in WRONG:
                raise SealBroken(BROKEN) from None
            if code in MISSING:
                raise UnknownKey(
                    f"the key management service won't use the key {key_id} ({code}): enable it, "
                    "or let this process use it"
                ) from None
            raise Unavailable(f"the key management service failed: {code}") from None
        except BotoCoreError as error:
            raise Unavailable(
                f"the key management service gives no answer: {type(error).__name__}"
            ) from None
