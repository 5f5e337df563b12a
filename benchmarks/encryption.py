"""What sealing costs, beside the bare library and beside columns that are not sealed.

    python -m benchmarks.encryption            # a minute

Each figure is the median of rounds in which all take turns. Nothing is asked of a server: the
database is a local SQLite file, so that the ratio of columns is the worst there is.
"""

from __future__ import annotations

import argparse
import base64
import secrets
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, LargeBinary, MetaData, Table, Text, Uuid, insert, select

from partywall import FilePerTenant, Tenancy, TenantContext
from partywall.control import tables
from partywall.control.data_keys import DataKeys
from partywall.control.database import Database, now
from partywall.control.migrations import migrate
from partywall.encryption import Encrypted, FileKeys, Keyring
from partywall.runtime import housing

if TYPE_CHECKING:
    from collections.abc import Callable

TENANT = TenantContext("00000000-0000-4000-8000-00000000000a")
VALUES = 20_000
STREAM_BYTES = 64 * 2**20
ROWS = 2_000


def opened(folder: Path, stack: ExitStack) -> Keyring:
    """A keyring with one tenant."""
    database = Database(f"sqlite:///{folder / 'house.db'}")
    stack.callback(database.close)
    migrate(database)
    row: dict[str, object] = {"id": TENANT.tenant_id, "slug": "acme", "name": "Acme"}
    row |= {"status": "active", "settings": {}, "created_at": now(), "changed_at": now()}
    with database.begin() as connection:
        connection.execute(tables.tenants.insert(), row)
    key = folder / "one.key"
    key.touch(mode=0o600)
    key.write_bytes(base64.b64encode(secrets.token_bytes(32)))
    keyring = Keyring(DataKeys(database), FileKeys(folder, "one"))
    stack.callback(keyring.close)
    return keyring


def taking_turns(rounds: int, works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median seconds of each work."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            begun = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - begun)
    return {name: statistics.median(each) for name, each in taken.items()}


def values(keyring: Keyring, size: int, rounds: int) -> dict[str, float]:
    """Values a second, sealed and opened, and by the bare library with one key."""
    tenant, data, bare = TENANT.tenant_id, secrets.token_bytes(size), AESGCM(bytes(32))
    sealed, plain = keyring.seal(tenant, data, "name"), bare.encrypt(bytes(12), data, b"name")

    def many(work: Callable[[], object]) -> Callable[[], None]:
        def all_of_them() -> None:
            for _ in range(VALUES):
                work()

        return all_of_them

    found = taking_turns(
        rounds,
        {
            "seal": many(lambda: keyring.seal(tenant, data, "name")),
            "open": many(lambda: keyring.open(tenant, sealed, "name")),
            "bare seal": many(lambda: bare.encrypt(secrets.token_bytes(12), data, b"name")),
            "bare open": many(lambda: bare.decrypt(bytes(12), plain, b"name")),
        },
    )
    return {name: VALUES / seconds for name, seconds in found.items()}


def streams(keyring: Keyring, rounds: int) -> dict[str, float]:
    """MB a second of streams, and of the bare library in chunks of the same size."""
    tenant, chunk, bare = TENANT.tenant_id, secrets.token_bytes(65_536), AESGCM(bytes(32))
    source = [chunk] * (STREAM_BYTES // len(chunk))
    sealed = list(keyring.seal_stream(tenant, "s", source))
    plain = bare.encrypt(bytes(12), chunk, b"")

    def drained(pieces: object) -> None:
        for _ in pieces:  # type: ignore[attr-defined]  # an iterator
            pass

    found = taking_turns(
        rounds,
        {
            "seal": lambda: drained(keyring.seal_stream(tenant, "s", source)),
            "open": lambda: drained(keyring.open_stream(tenant, "s", sealed)),
            "bare seal": lambda: drained(bare.encrypt(bytes(12), each, b"") for each in source),
            "bare open": lambda: drained(bare.decrypt(bytes(12), plain, b"") for _ in source),
        },
    )
    return {name: STREAM_BYTES / 1e6 / seconds for name, seconds in found.items()}


def columns(keyring: Keyring, folder: Path, rounds: int) -> dict[str, float]:
    """Rows a second of a table with four columns of text, sealed and not."""
    metadata = MetaData()
    names = [f"c{n}" for n in range(4)]
    kinds: dict[str, Callable[[], Any]] = {
        "sealed": lambda: Encrypted("id"),
        "plain": Text,
        "bytes": LargeBinary,
    }
    made = {
        kind: Table(kind, metadata, Column("id", Uuid, primary_key=True), *[
            Column(name, make()) for name in names
        ])
        for kind, make in kinds.items()
    }  # fmt: skip
    model = FilePerTenant(folder=str(folder / "tenants"))
    housing.provision(model, TENANT.tenant_id, metadata)
    text = dict.fromkeys(names, "a sentence of about forty letters, so to say")
    with Tenancy("sqlite://", model, guards=[keyring.guard]) as tenancy:

        def written(kind: str) -> None:
            value = {n: v.encode() for n, v in text.items()} if kind == "bytes" else text
            rows = [{"id": uuid4(), **value} for _ in range(ROWS)]
            with tenancy.connection(TENANT) as connection:
                connection.execute(made[kind].delete())
                connection.execute(insert(made[kind]), rows)

        def read(kind: str) -> None:
            with tenancy.connection(TENANT) as connection:
                connection.execute(select(made[kind])).all()

        works: dict[str, Callable[[], object]] = {}
        for kind in kinds:
            works[f"write {kind}"] = lambda kind=kind: written(kind)  # type: ignore[misc]  # bound
            works[f"read {kind}"] = lambda kind=kind: read(kind)  # type: ignore[misc]  # as above
        found = taking_turns(rounds, works)
    return {name: ROWS / seconds for name, seconds in found.items()}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="What sealing costs.")
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keyring = opened(folder, stack)
        print("values a second")
        for size in (32, 1_024, 16_384):
            told(f"{size:>6} bytes", values(keyring, size, rounds))
        print("streams, MB a second")
        told("64 KiB chunks", streams(keyring, rounds))
        print("rows a second, four columns")
        for name, rate in columns(keyring, folder, rounds).items():
            print(f"  {name:14} {rate:12,.0f}")


def told(what: str, rates: dict[str, float]) -> None:
    """Print rates and what they are of the bare library's."""
    for verb in ("seal", "open"):
        ours, bare = rates[verb], rates[f"bare {verb}"]
        print(f"  {what:14} {verb}  {ours:12,.0f}   bare {bare:12,.0f}   {bare / ours:5.2f}x")


if __name__ == "__main__":
    main()
