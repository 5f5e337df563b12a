from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.session import Session
from moto.server import ThreadedMotoServer

from partywall.control.data_keys import DataKeys
from partywall.encryption import AwsKms, EnvironmentKeys, FileKeys, Keyring, KmsKeys
from partywall.errors import ConfigurationError, SealBroken, Unavailable, UnknownKey
from tests.encryption.keys import ACME, GLOBEX, add_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from partywall.control.database import Database

TENANT = ACME.tenant_id
ABOUT = {"tenant": TENANT}
KEY = bytes(range(32))


def test_files_that_others_may_read_or_that_hold_no_key_are_refused(keks: Path) -> None:
    keys = FileKeys(keks, "one")
    version, wrapped = keys.wrap(KEY, ABOUT)
    assert keys.unwrap(version, wrapped, ABOUT) == KEY
    file = keks / "one.key"
    for mode in (0o640, 0o604, 0o620, 0o610):
        file.chmod(mode)
        with pytest.raises(ConfigurationError, match="chmod 600"):
            keys.wrap(KEY, ABOUT)
    file.chmod(0o600)
    for wrong in (b"", b"short", base64.b64encode(bytes(31)), b"\xff" * 44):
        file.write_bytes(wrong)
        with pytest.raises(ConfigurationError, match="holds what is no key") as raised:
            keys.wrap(KEY, ABOUT)
        assert not wrong or wrong.decode("latin-1") not in str(raised.value)
    file.unlink()
    file.symlink_to(keks / "two.key")
    add_key(keks, "two")
    with pytest.raises(ConfigurationError, match="can't be read"):
        keys.wrap(KEY, ABOUT)
    with pytest.raises(ConfigurationError, match="no folder"):
        FileKeys(keks / "nowhere", "one")


@pytest.mark.parametrize("version", ["", "../one", "a/b", ".", "ä", "a" * 65, "a\n"])
def test_a_version_is_a_name_and_never_a_path(keks: Path, version: str) -> None:
    with pytest.raises(ConfigurationError):
        FileKeys(keks, version)
    with pytest.raises(UnknownKey):
        FileKeys(keks, "one").unwrap(version, bytes(80), ABOUT)


def test_wrapped_keys_are_bound_to_what_they_are(keks: Path) -> None:
    keys = FileKeys(keks, "one")
    version, wrapped = keys.wrap(KEY, ABOUT)
    (keks / "two.key").write_bytes((keks / "one.key").read_bytes())
    (keks / "two.key").chmod(0o600)
    wrong = [
        (version, wrapped, {"tenant": GLOBEX.tenant_id}),
        (version, wrapped[:-1] + b"\x00", ABOUT),
        (version, b"", ABOUT),
        ("two", wrapped, ABOUT),
    ]
    for version_, wrapped_, about in wrong:
        with pytest.raises(SealBroken):
            keys.unwrap(version_, wrapped_, about)


def test_keys_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    monkeypatch.setenv("KEKS", f"old:{old}")
    version, wrapped = EnvironmentKeys("KEKS").wrap(KEY, ABOUT)
    monkeypatch.setenv("KEKS", f"new:{new}, old:{old}")
    keys = EnvironmentKeys("KEKS")
    assert (version, keys.current()) == ("old", "new")
    assert keys.unwrap("old", wrapped, ABOUT) == KEY
    assert old not in repr(keys)
    with pytest.raises(UnknownKey, match="'older' is not in the variable KEKS"):
        keys.unwrap("older", wrapped, ABOUT)
    for wrong in ("", " ", new, f":{new}", "new:short", "new:"):
        monkeypatch.setenv("KEKS", wrong)
        with pytest.raises(ConfigurationError) as raised:
            EnvironmentKeys("KEKS").wrap(KEY, ABOUT)
        assert new not in str(raised.value)


@pytest.fixture(scope="module")
def kms() -> Iterator[str]:
    """The address of a key management service."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def client(address: str) -> Any:  # noqa: ANN401 - botocore makes its class at run time
    session = Session()
    session.set_credentials("test", "test")
    once = Config(retries={"total_max_attempts": 1}, connect_timeout=5)
    return session.create_client("kms", "eu-central-1", endpoint_url=address, config=once)


def test_a_key_management_service_wraps_and_unwraps(control: Database, kms: str) -> None:
    aws = client(kms)
    ids = [aws.create_key()["KeyMetadata"]["KeyId"] for _ in range(2)]
    aws.create_alias(AliasName="alias/partywall", TargetKeyId=ids[0])
    store = DataKeys(control)
    keyring = Keyring(store, KmsKeys(AwsKms(aws), "alias/partywall"))
    sealed = keyring.seal(TENANT, b"value")
    [before] = store.of(TENANT)
    assert before.kek.endswith(f"key/{ids[0]}")
    keyring.forget()
    assert keyring.open(TENANT, sealed) == b"value"
    aws.update_alias(AliasName="alias/partywall", TargetKeyId=ids[1])
    keyring.forget()
    assert keyring.open(TENANT, sealed) == b"value"
    assert keyring.rewrap() == 1
    [after] = store.of(TENANT)
    assert after.kek.endswith(f"key/{ids[1]}")
    assert keyring.rewrap() == 0
    keyring.forget()
    assert keyring.open(TENANT, sealed) == b"value"
    keyring.seal(GLOBEX.tenant_id, b"")
    [theirs] = store.of(GLOBEX.tenant_id)
    store.replace(theirs, after.kek, after.wrapped)
    keyring.forget()
    with pytest.raises(UnknownKey):
        keyring.seal(GLOBEX.tenant_id, b"")  # the service refuses another tenant's context


def test_what_a_key_management_service_refuses_is_told_apart(control: Database, kms: str) -> None:
    aws = client(kms)
    missing = KmsKeys(AwsKms(aws), "alias/nobody")
    for ask in (lambda: missing.wrap(KEY, ABOUT), missing.current):
        with pytest.raises(UnknownKey, match=r"alias/nobody \(NotFoundException\)"):
            ask()
    made = aws.create_key()["KeyMetadata"]["KeyId"]
    keys = KmsKeys(AwsKms(aws), made)
    version, wrapped = keys.wrap(KEY, ABOUT)
    assert keys.unwrap(version, wrapped, ABOUT) == KEY
    with pytest.raises(SealBroken):
        keys.unwrap(version, wrapped, {"tenant": GLOBEX.tenant_id})
    down = Keyring(DataKeys(control), KmsKeys(AwsKms(client("http://127.0.0.1:9")), made))
    with pytest.raises(Unavailable, match="no answer"):
        down.seal(TENANT, b"value")
    assert DataKeys(control).of(TENANT) == []
