from __future__ import annotations

import copy
import os
import pickle
import signal
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from partywall.control.data_keys import DataKeys
from partywall.control.database import Database
from partywall.encryption import FileKeys, Keyring
from partywall.errors import (
    DeletedTenant,
    MissingTenant,
    RecordConflict,
    SealBroken,
    Unavailable,
    UnknownKey,
    UnknownTenant,
)
from tests.encryption.keys import ACME, GLOBEX, add_key, house, set_status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.conftest import Database as Place

TENANT = ACME.tenant_id


class Counting(FileKeys):
    """Counts what is asked of it, and can be down."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "one")
        self.asked: list[str] = []
        self.down = False

    def unwrap(self, version: str, wrapped: bytes, about: Mapping[str, str]) -> bytearray:
        self.asked.append("unwrap")
        if self.down:
            raise Unavailable("the key management service gives no answer")
        return super().unwrap(version, wrapped, about)


def test_a_purpose_seals_for_one_tenant_name_and_purpose(keyring: Keyring) -> None:
    cache, files = keyring.sealing("cache"), keyring.sealing("files")
    sealed = cache.seal(TENANT, "key", b"value")
    assert cache.open(TENANT, "key", sealed) == b"value"
    assert b"value" not in sealed
    keyring.seal(GLOBEX.tenant_id, b"", "so that it has a key")
    wrong = [(cache, GLOBEX.tenant_id, "key"), (cache, TENANT, "yek"), (files, TENANT, "key")]
    for sealing, tenant, name in wrong:
        with pytest.raises(SealBroken):
            sealing.open(tenant, name, sealed)
    for nobody in ("", "  ", None):
        with pytest.raises(MissingTenant):
            cache.seal(nobody, "key", b"value")  # type: ignore[arg-type]  # what is tried
        with pytest.raises(MissingTenant):
            cache.open(nobody, "key", sealed)  # type: ignore[arg-type]  # as above


def test_nobody_and_the_deleted_get_no_keys(keyring: Keyring, control: Database) -> None:
    for stranger in (str(uuid4()), "acme"):
        with pytest.raises(UnknownTenant):
            keyring.seal(stranger, b"value")
        with pytest.raises(SealBroken):
            keyring.open(stranger, b"\xffpw\x01" + bytes(56))
    set_status(control, ACME, "deleted")
    with pytest.raises(DeletedTenant):
        keyring.seal(TENANT, b"value")
    with pytest.raises(DeletedTenant):
        keyring.rotate(TENANT)


def test_what_an_older_key_sealed_opens_after_a_rotation(keyring: Keyring) -> None:
    before = keyring.seal(TENANT, b"before")
    new = keyring.rotate(TENANT)
    after = keyring.seal(TENANT, b"after")
    assert [keyring.open(TENANT, each) for each in (before, after)] == [b"before", b"after"]
    assert [keyring.stale(TENANT, each) for each in (before, after)] == [True, False]
    assert UUID(bytes=after[4:20]) == new
    stream = b"".join(keyring.seal_stream(TENANT, "s", [b"x"]))
    assert not keyring.stale(TENANT, stream)
    with pytest.raises(SealBroken):
        keyring.stale(TENANT, b"plain")


def test_another_process_s_new_key_is_found_when_something_names_it(
    keyring: Keyring, control: Database, keks: Path
) -> None:
    keyring.seal(TENANT, b"loaded")
    other = Keyring(DataKeys(Database(control.url)), FileKeys(keks, "one"))
    other.rotate(TENANT)
    assert keyring.open(TENANT, other.seal(TENANT, b"theirs")) == b"theirs"


def test_key_encryption_keys_are_rotated_while_both_are_there(
    keyring: Keyring, control: Database, keks: Path
) -> None:
    store = DataKeys(control)
    keyring.rotate(TENANT)
    sealed = keyring.seal(TENANT, b"value"), keyring.seal(GLOBEX.tenant_id, b"value")
    index = keyring.index(TENANT, b"value")
    add_key(keks, "two")
    newer = Keyring(store, FileKeys(keks, "two"))
    assert newer.open(TENANT, sealed[0]) == b"value"
    assert newer.rewrap() == 3 + 0 * len(sealed)
    assert newer.rewrap() == 0
    (keks / "one.key").unlink()
    newer.forget()
    assert newer.open(TENANT, sealed[0]) == newer.open(GLOBEX.tenant_id, sealed[1]) == b"value"
    assert newer.index(TENANT, b"value") == index
    assert {key.kek for key in store.of(TENANT)} == {"two"}


def test_a_rewrapping_goes_on_where_it_was_stopped(
    keyring: Keyring, keks: Path, control: Database
) -> None:
    keyring.seal(TENANT, b"")
    keyring.seal(GLOBEX.tenant_id, b"")
    add_key(keks, "two")

    class Stopping(DataKeys):
        left = 1

        def replace(self, *args: Any) -> bool:  # noqa: ANN401 - its own
            if not self.left:
                raise Unavailable("stopped")
            self.left -= 1
            return super().replace(*args)

    with pytest.raises(Unavailable):
        Keyring(Stopping(control), FileKeys(keks, "two")).rewrap()
    assert Keyring(DataKeys(control), FileKeys(keks, "two")).rewrap() == 1


def test_a_key_that_was_rewrapped_meanwhile_is_left(keyring: Keyring, control: Database) -> None:
    store = DataKeys(control)
    keyring.seal(TENANT, b"")
    [key] = store.of(TENANT)
    assert store.replace(key, "two", b"theirs")
    assert not store.replace(key, "two", b"ours")
    assert store.of(TENANT)[0].wrapped == b"theirs"


def test_without_a_key_encryption_key_the_error_says_which(
    keyring: Keyring, control: Database, keks: Path
) -> None:
    sealed = keyring.seal(TENANT, b"value")
    add_key(keks, "two")
    (keks / "one.key").rename(keks / "away")
    keyring.forget()
    with pytest.raises(UnknownKey, match=r"'one' is not in the folder .* put its file back"):
        keyring.open(TENANT, sealed)
    with pytest.raises(UnknownKey, match="'one'"):
        keyring.seal(TENANT, b"value")  # and not by another key
    newer = Keyring(DataKeys(control), FileKeys(keks, "two"))
    newer.rotate(TENANT)
    assert newer.open(TENANT, newer.seal(TENANT, b"new")) == b"new"
    with pytest.raises(UnknownKey, match="'one'"):
        newer.open(TENANT, sealed)
    with pytest.raises(UnknownKey, match="'one'"):
        newer.rewrap()
    (keks / "away").rename(keks / "one.key")
    keyring.forget()
    assert keyring.open(TENANT, sealed) == b"value"


def test_while_who_unwraps_is_down_nothing_is_sealed(control: Database, keks: Path) -> None:
    keys = Counting(keks)
    keyring = Keyring(DataKeys(control), keys, ttl_s=0.0)
    sealed = keyring.seal(TENANT, b"value")
    keys.down = True
    with pytest.raises(Unavailable):
        keyring.seal(TENANT, b"x")
    with pytest.raises(Unavailable):
        keyring.open(TENANT, sealed)


def test_a_wrapped_key_in_the_row_of_another_is_no_key(keyring: Keyring, control: Database) -> None:
    store = DataKeys(control)
    for tenant in (TENANT, GLOBEX.tenant_id):
        keyring.seal(tenant, b"")
    ours, theirs = store.of(TENANT)[0], store.of(GLOBEX.tenant_id)[0]
    store.replace(theirs, ours.kek, ours.wrapped)
    keyring.forget()
    with pytest.raises(UnknownKey):
        keyring.seal(GLOBEX.tenant_id, b"value")


def test_keys_are_unwrapped_once_for_all_who_ask_at_once(control: Database, keks: Path) -> None:
    keys = Counting(keks)
    keyring = Keyring(DataKeys(control), keys)
    sealed = keyring.seal(TENANT, b"value")
    keyring.forget()
    keys.asked.clear()
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _: keyring.open(TENANT, sealed), range(64)))
    assert (set(found), keys.asked) == ({b"value"}, ["unwrap"])
    keyring.rotate(TENANT)
    assert keyring.open(TENANT, sealed) == b"value"


def test_memory_of_keys_is_bounded_in_number_and_in_time(control: Database, keks: Path) -> None:
    small = Keyring(DataKeys(control), FileKeys(keks, "one"), size=1)
    for tenant in (TENANT, GLOBEX.tenant_id):
        small.seal(tenant, b"")
        assert small.remembered == 1
    keys = Counting(keks)
    short = Keyring(DataKeys(control), keys, ttl_s=0.05)
    sealed = short.seal(TENANT, b"value")
    asked = len(keys.asked)
    time.sleep(0.06)
    assert short.remembered == 0
    assert short.open(TENANT, sealed) == b"value"
    assert len(keys.asked) > asked


def test_a_living_tenant_s_keys_are_not_shredded(keyring: Keyring, control: Database) -> None:
    sealed = keyring.seal(TENANT, b"value")
    for status in ("active", "suspended", "provisioning", "failed"):
        set_status(control, ACME, status)
        with pytest.raises(RecordConflict, match=f"the tenant is {status}"):
            keyring.shred(TENANT)
    with pytest.raises(UnknownTenant):
        keyring.shred(str(uuid4()))
    assert keyring.open(TENANT, sealed) == b"value"


def test_what_was_sealed_is_lost_with_the_keys_and_only_that(
    keyring: Keyring, control: Database, keks: Path
) -> None:
    sealed, theirs = keyring.seal(TENANT, b"value"), keyring.seal(GLOBEX.tenant_id, b"theirs")
    keyring.index(TENANT, b"value")
    set_status(control, ACME, "deleted")
    assert keyring.shred(TENANT) == 2
    assert keyring.shred(TENANT) == 0
    another = Keyring(DataKeys(control), FileKeys(keks, "one"))
    for ring in (keyring, another):
        with pytest.raises(SealBroken):
            ring.open(TENANT, sealed)
        with pytest.raises(DeletedTenant):
            ring.seal(TENANT, b"again")
        assert ring.open(GLOBEX.tenant_id, theirs) == b"theirs"
    with control.reading() as connection:
        log = connection.exec_driver_sql("SELECT action, detail FROM audit_log").all()
    assert [tuple(each) for each in log] == [("data_keys.shredded", '{"data_keys": 2}')]


def test_one_older_key_can_be_destroyed_and_the_newest_not(keyring: Keyring) -> None:
    sealed = keyring.seal(TENANT, b"old")
    old, new = UUID(bytes=sealed[4:20]), keyring.rotate(TENANT)
    with pytest.raises(RecordConflict, match="rotate it first"):
        keyring.discard(TENANT, new)
    assert not keyring.discard(TENANT, uuid4())
    assert not keyring.discard(GLOBEX.tenant_id, old)
    assert keyring.discard(TENANT, old)
    with pytest.raises(SealBroken):
        keyring.open(TENANT, sealed)


def test_another_process_forgets_keys_as_soon_as_they_are_destroyed(
    database: Place, keks: Path
) -> None:
    places = [Database(database.url()) for _ in range(2)]
    house(places[0])
    here, there = (Keyring(DataKeys(place), FileKeys(keks, "one"), ttl_s=3600) for place in places)
    try:
        sealed = here.seal(TENANT, b"value")
        assert there.open(TENANT, sealed) == b"value"
        assert there._listener is not None  # noqa: SLF001 - a test waits for it
        until(there._listener.current)  # noqa: SLF001 - as above
        assert there.open(TENANT, sealed) == b"value"
        set_status(places[0], ACME, "deleted")
        here.shred(TENANT)

        def forgotten() -> bool:
            try:
                there.open(TENANT, sealed)
            except SealBroken:
                return True
            return False

        until(forgotten)
    finally:
        for ring, place in zip((here, there), places, strict=True):
            ring.close()
            place.close()


def until(true: Any, limit_s: float = 60.0) -> None:  # noqa: ANN401 - any question
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_forked_child_waits_for_none_of_its_parent_s_locks(database: Place, keks: Path) -> None:
    place = Database(database.url())
    house(place)
    keyring = Keyring(DataKeys(place), FileKeys(keks, "one"))
    sealed = keyring.seal(TENANT, b"value")
    assert keyring._listener is not None  # noqa: SLF001 - as above
    locks = (keyring._rings._lock, *keyring._rings._doors, keyring._listener._starting)  # noqa: SLF001 - as above
    for lock in locks:
        lock.acquire()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads: 3.12
        child = os.fork()
    if child == 0:
        keyring.forget()
        opened = keyring.open(TENANT, sealed) == b"value"
        os._exit(0 if opened else 1)
    for lock in locks:
        lock.release()
    ended: list[tuple[int, int]] = []

    def over() -> bool:
        ended.append(os.waitpid(child, os.WNOHANG))
        return ended[-1][0] == child

    try:
        until(over)
    except AssertionError:
        os.kill(child, signal.SIGKILL)
        raise
    assert ended[-1] == (child, 0)
    keyring.close()
    place.close()


def test_what_was_read_before_keys_were_destroyed_is_not_kept(
    control: Database, keks: Path
) -> None:
    store, keys = DataKeys(control), FileKeys(keks, "one")
    sealed = Keyring(store, keys).seal(TENANT, b"value")
    reading, shredded = threading.Event(), threading.Event()

    class Slow(DataKeys):
        def of(self, tenant_id: str) -> Any:  # noqa: ANN401 - its keys
            found = super().of(tenant_id)
            reading.set()
            assert shredded.wait(60)
            return found

    keyring = Keyring(Slow(control), keys)
    with ThreadPoolExecutor(1) as threads:
        late = threads.submit(keyring.open, TENANT, sealed)
        assert reading.wait(60)
        set_status(control, ACME, "deleted")
        keyring.shred(TENANT)
        shredded.set()
        assert late.result(60) == b"value"  # it was under way
    assert keyring.remembered == 0
    with pytest.raises(SealBroken):
        keyring.open(TENANT, sealed)


def first_key(url: str, folder: Path, number: int) -> tuple[bytes, bytes]:
    """Seal and hash in a process of its own, where nobody has before."""
    keyring = Keyring(DataKeys(Database(url)), FileKeys(folder, "one"))
    try:
        return keyring.seal(TENANT, b"from %d" % number), keyring.index(TENANT, b"x")
    finally:
        keyring.close()


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_of_first_keys_made_at_once_one_wins(
    request: pytest.FixtureRequest, control: Database, keks: Path, kind: str
) -> None:
    url = str(control.url)
    if kind == "postgresql":
        url = request.getfixturevalue("database").url()
        place = Database(url)
        house(place)
        place.close()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        racing = [processes.submit(first_key, url, keks, number) for number in range(8)]
        made = [each.result(120) for each in racing]
    database = Database(url)
    keyring = Keyring(DataKeys(database), FileKeys(keks, "one"))
    opened = sorted(keyring.open(TENANT, sealed) for sealed, _ in made)
    assert opened == [b"from %d" % number for number in range(8)]
    assert len({index for _, index in made}) == 1
    assert [(k.purpose, k.number) for k in DataKeys(database).of(TENANT)] in (
        [("seal", 1), ("index", 1)],
        [("index", 1), ("seal", 1)],
    )
    keyring.close()
    database.close()


def test_of_first_keys_made_by_threads_at_once_one_wins(keyring: Keyring) -> None:
    with ThreadPoolExecutor(16) as threads:
        sealed = list(threads.map(lambda _: keyring.seal(TENANT, b"x"), range(32)))
    assert len({each[:20] for each in sealed}) == 1


def test_two_rotations_at_once_make_two_keys(
    keyring: Keyring, control: Database, keks: Path
) -> None:
    keyring.seal(TENANT, b"")
    others = [Keyring(DataKeys(control), FileKeys(keks, "one")) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        made = set(threads.map(lambda ring: ring.rotate(TENANT), others))
    assert len(made) == 4
    assert [key.number for key in DataKeys(control).of(TENANT)] == [1, 2, 3, 4, 5]


def test_no_key_is_shown_pickled_or_copied(keyring: Keyring, keks: Path) -> None:
    keyring.seal(TENANT, b"")
    ring = keyring.ring(TENANT)
    key = ring.newest("seal")
    material = bytes(key.cipher._key)  # noqa: SLF001 - what must not be shown
    assert any(material)
    kek = (keks / "one.key").read_text()
    for thing in (keyring, ring, key, key.cipher, FileKeys(keks, "one"), ring.known()):
        shown = f"{thing!r} {thing}"
        for secret in (material.hex(), repr(material)[2:-1], kek):
            assert secret not in shown
    for thing in (ring, key, key.cipher, FileKeys(keks, "one")):
        for write in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                write(thing)


def test_key_material_is_overwritten_when_the_last_user_lets_go(keyring: Keyring) -> None:
    keyring.seal(TENANT, b"")
    ring = keyring.ring(TENANT)
    material = ring.newest("seal").cipher._key  # noqa: SLF001 - the test looks behind it
    keyring.forget()
    assert any(material)  # still in use
    del ring
    assert not any(material)


def test_an_index_is_stable_and_another_for_each_place(keyring: Keyring) -> None:
    first = keyring.index(TENANT, b"ann", "a")
    keyring.rotate(TENANT)
    assert keyring.index(TENANT, b"ann", "a") == first
    others = {
        keyring.index(TENANT, b"ann", "b"),
        keyring.index(TENANT, b"bob", "a"),
        keyring.index(GLOBEX.tenant_id, b"ann", "a"),
        keyring.index(TENANT, b"", "ann", "a"),
    }
    assert len(others | {first}) == 5
    assert keyring.index(TENANT, b"ann", "a", size=4) == first[:4]


def test_the_house_being_down_is_said(control: Database, keks: Path, tmp_path: Path) -> None:
    gone = Database(f"sqlite:///{tmp_path / 'nowhere' / 'house.db'}")
    with pytest.raises(Unavailable, match="control plane's database"):
        Keyring(DataKeys(gone), FileKeys(keks, "one")).seal(TENANT, b"")
    del control
