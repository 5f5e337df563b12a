"""Key-encryption keys: what wraps the tenants' data keys, and is never with them.

Each has versions: one wraps, all unwrap. To rotate, add a version, make it the one that wraps, and
run `Keyring.rewrap`; then the one before can go.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import stat
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from partywall.encryption.envelope import place
from partywall.encryption.xaes import KEY_BYTES, NONCE_BYTES, Xaes
from partywall.errors import ConfigurationError, UnknownKey

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
"""What a version may be called."""

END = ".key"


class KeyProvider(Protocol):
    """Wraps and unwraps data keys."""

    def current(self) -> str:
        """The version that wraps now.

        Raises:
            UnknownKey: when it is missing.
            Unavailable: when who has it gives no answer.
        """
        ...

    def wrap(self, key: bytes, about: Mapping[str, str]) -> tuple[str, bytes]:
        """The version that wrapped, and *key* as it did.

        Args:
            key: a data key.
            about: what it is; the same must be said to unwrap it.

        Raises:
            UnknownKey, Unavailable: as `current`.
        """
        ...

    def unwrap(self, version: str, wrapped: bytes, about: Mapping[str, str]) -> bytearray:
        """The key that was wrapped.

        Raises:
            UnknownKey: when that version is missing.
            SealBroken: when it was wrapped about something else, or changed.
            Unavailable: when who has it gives no answer.
        """
        ...


class LocalKeys(ABC):
    """Key-encryption keys that this process holds itself.

    Args:
        source: where they come from, for messages.
        mend: how one that is missing is put back.
    """

    def __init__(self, source: str, mend: str) -> None:
        self._source, self._mend = source, mend

    @abstractmethod
    def current(self) -> str:
        """The version that wraps now."""

    @abstractmethod
    def material(self, version: str) -> bytearray | None:
        """The key of a version, None where there is none."""

    def wrap(self, key: bytes, about: Mapping[str, str]) -> tuple[str, bytes]:
        """By XAES-256-GCM."""
        version, nonce = self.current(), secrets.token_bytes(NONCE_BYTES)
        return version, nonce + self._cipher(version).seal(nonce, key, said(version, about))

    def unwrap(self, version: str, wrapped: bytes, about: Mapping[str, str]) -> bytearray:
        """By XAES-256-GCM."""
        nonce, sealed = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        return bytearray(self._cipher(version).open(nonce, sealed, said(version, about)))

    def _cipher(self, version: str) -> Xaes:
        found = self.material(version) if VERSION.match(version) else None
        if found is None:
            raise UnknownKey(
                f"the key-encryption key {version!r} is not in {self._source}, and the data keys "
                f"that it wraps can't be had: {self._mend}"
            )
        return Xaes(found)

    def __repr__(self) -> str:
        """Where they come from."""
        return f"<key-encryption keys from {self._source}>"

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse to be written down.

        Raises:
            TypeError: always.
        """
        raise TypeError("key-encryption keys are not pickled or copied")


class FileKeys(LocalKeys):
    """Key-encryption keys in a folder, each in a file `<version>.key` that its owner alone reads.

    `openssl rand -base64 32 > 2026-10.key; chmod 600 2026-10.key` makes one. Files are read when
    they are needed, and not kept.

    Args:
        folder: where they are.
        current: the version that wraps.

    Raises:
        ConfigurationError: for a folder or a version that can't be. When a file is read: where
            others than its owner may read it, or what is in it is no key.
    """

    def __init__(self, folder: str | Path, current: str) -> None:
        self._folder = Path(folder)
        super().__init__(f"the folder {self._folder}", "put its file back")
        self._current = named(current)
        if not self._folder.is_dir():
            raise ConfigurationError(f"there is no folder {self._folder} of key-encryption keys")

    def current(self) -> str:
        """The version that wraps."""
        return self._current

    def material(self, version: str) -> bytearray | None:
        """What its file holds."""
        path = self._folder / (version + END)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigurationError(f"{path} can't be read: {error.strerror}") from error
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
            mode = os.fstat(descriptor).st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ConfigurationError(
                    f"others than its owner may read or change {path}: chmod 600 {path}"
                )
            return decoded(file.read(1024), str(path))


class EnvironmentKeys(LocalKeys):
    """Key-encryption keys in a variable of the environment: `2026-10:BASE64,2026-04:BASE64`.

    The first one wraps. The environment is read when a key is needed.

    Args:
        variable: its name.

    Raises:
        ConfigurationError: when it is not set. When it is read: for what is no key.
    """

    def __init__(self, variable: str = "PARTYWALL_KEYS") -> None:
        super().__init__(f"the variable {variable}", "add it, as version:base64, after a comma")
        self._variable = variable
        self.current()

    def current(self) -> str:
        """The first of them."""
        return next(iter(self._given()))

    def material(self, version: str) -> bytearray | None:
        """What stands behind its name."""
        found = self._given().get(version)
        return None if found is None else decoded(found.encode(), self._source)

    def _given(self) -> dict[str, str]:
        pairs = [each.strip().partition(":") for each in self._value().split(",")]
        return {named(version): key for version, _, key in pairs}

    def _value(self) -> str:
        value = os.environ.get(self._variable, "")
        if not value.strip():
            raise ConfigurationError(
                f"the variable {self._variable} holds no key-encryption keys: set it to "
                "version:base64, as from openssl rand -base64 32"
            )
        return value


def named(version: str) -> str:
    """The name of a version.

    Raises:
        ConfigurationError: for what can't be one; the message doesn't repeat it, as it may be a
            key that was put into the wrong place.
    """
    if not VERSION.match(version):
        raise ConfigurationError(
            "a version of a key-encryption key has a name of 1 to 64 ASCII letters, digits and "
            "any of _ . - between them, as in 2026-10"
        )
    return version


def decoded(text: bytes, source: str) -> bytearray:
    """A key from its base64.

    Raises:
        ConfigurationError: for anything but 32 bytes.
    """
    try:
        key = bytearray(base64.b64decode(text.strip(), validate=True))
    except binascii.Error:
        key = bytearray()
    if len(key) != KEY_BYTES:
        raise ConfigurationError(
            f"{source} holds what is no key: write 32 bytes as base64, openssl rand -base64 32"
        )
    return key


def said(version: str, about: Mapping[str, str]) -> bytes:
    """What a data key is bound to, as additional data has it."""
    return place("data key", version, *(word for pair in sorted(about.items()) for word in pair))
