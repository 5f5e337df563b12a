"""Nothing among a tenant's files leads out of them, whenever it was put there."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from partywall import TenantContext
from partywall.adapters.files import Folder, Removed, TenantFiles, walking
from partywall.adapters.files.folder import HEADER
from partywall.adapters.files.names import place_of
from partywall.errors import (
    ConfigurationError,
    DeletedTenant,
    RecordConflict,
    TenantMismatch,
    UnknownRecord,
    WallError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ACME, GLOBEX = TenantContext("acme"), TenantContext("globex")


@pytest.fixture
def files(folder: Folder) -> TenantFiles:
    found = TenantFiles(folder)
    found.put(ACME, "a/own", b"acme's")
    found.put(GLOBEX, "a/secret", b"globex's")
    return found


@pytest.fixture
def home(folder: Folder) -> Path:
    """Where acme's files are."""
    return folder.path / place_of("acme")


@pytest.fixture
def neighbour(folder: Folder) -> Path:
    return folder.path / place_of("globex")


def every_use(files: TenantFiles, name: str) -> list[Callable[[], object]]:
    return [
        lambda: files.read(ACME, name),
        lambda: files.stat(ACME, name),
        lambda: files.put(ACME, name, b"overwritten"),
        lambda: files.delete(ACME, name),
        lambda: list(files.list(ACME)),
    ]


def test_a_link_to_another_tenant_s_file_is_refused(
    files: TenantFiles, home: Path, neighbour: Path
) -> None:
    (home / "a" / "link").symlink_to(neighbour / "a" / "secret")
    for use in every_use(files, "a/link"):
        with pytest.raises(WallError, match="symbolic link"):
            use()
    assert files.read(GLOBEX, "a/secret") == b"globex's"


@pytest.mark.parametrize("where", ["place", "folder"])
def test_a_link_to_another_tenant_s_folder_is_refused(
    files: TenantFiles, home: Path, neighbour: Path, where: str
) -> None:
    linked = home if where == "place" else home / "a"
    target = neighbour if where == "place" else neighbour / "a"
    linked.rename(linked.with_name("aside"))
    linked.symlink_to(target)
    for use in every_use(files, "a/secret"):
        with pytest.raises(WallError, match="symbolic link"):
            use()
    assert files.read(GLOBEX, "a/secret") == b"globex's"


def test_a_hard_link_to_another_tenant_s_file_is_refused(
    files: TenantFiles, home: Path, neighbour: Path
) -> None:
    (home / "a" / "link").hardlink_to(neighbour / "a" / "secret")
    for use in every_use(files, "a/link"):
        with pytest.raises(WallError, match="hard link"):
            use()


@pytest.mark.parametrize("special", ["pipe", "socket"])
def test_what_is_no_plain_file_is_refused_without_waiting_for_it(
    files: TenantFiles, home: Path, special: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home / "a")  # the address of a socket has to be short
    with socket.socket(socket.AF_UNIX) as listening:
        if special == "pipe":
            os.mkfifo("special")
        else:
            listening.bind("special")
        for use in every_use(files, "a/special"):
            with pytest.raises(WallError, match="device, pipe or socket"):
                use()


def test_a_file_that_was_moved_from_another_tenant_is_not_read(
    files: TenantFiles, home: Path, neighbour: Path
) -> None:
    (neighbour / "a" / "secret").rename(home / "a" / "found")
    for use in (files.read, files.stat):
        with pytest.raises(TenantMismatch):
            use(ACME, "a/found")


@pytest.mark.parametrize("content", [b"", b"plain", b"{}" + b" " * HEADER])
def test_a_file_that_somebody_else_put_there_is_not_read(
    files: TenantFiles, home: Path, content: bytes
) -> None:
    (home / "a" / "foreign").write_bytes(content)
    with pytest.raises(WallError, match="not put there"):
        files.read(ACME, "a/foreign")


def swapping(home: Path, neighbour: Path, stop: threading.Event) -> None:
    """Be a folder and a link to the neighbour's folder in turn, as fast as can be."""
    real, link = home / "real", home / "link"
    link.symlink_to(neighbour / "a")
    while not stop.is_set():
        os.rename(home / "a", real)  # noqa: PTH104 - as fast as can be
        os.rename(link, home / "a")  # noqa: PTH104
        os.rename(home / "a", link)  # noqa: PTH104
        os.rename(real, home / "a")  # noqa: PTH104


def test_a_link_that_comes_and_goes_never_wins(
    files: TenantFiles, home: Path, neighbour: Path
) -> None:
    files.put(ACME, "a/secret", b"acme's")
    stop = threading.Event()
    thread = threading.Thread(target=swapping, args=(home, neighbour, stop))
    thread.start()
    refused = read = 0
    try:
        end = time.monotonic() + 60
        while min(refused, read) <= 100 and time.monotonic() < end:
            try:
                assert files.read(ACME, "a/secret") == b"acme's"
                read += 1
            except (WallError, UnknownRecord):
                refused += 1
    finally:
        stop.set()
        thread.join()
    assert read
    assert refused
    assert files.read(GLOBEX, "a/secret") == b"globex's"


def test_a_link_put_between_the_look_and_the_use_never_wins(
    files: TenantFiles, home: Path, neighbour: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.put(ACME, "a/secret", b"acme's")
    look = walking.kind

    def late(parent: int, name: str) -> int | None:
        found = look(parent, name)
        if name == "secret" and not (home / "a" / "secret").is_symlink():
            (home / "a" / "secret").unlink()
            (home / "a" / "secret").symlink_to(neighbour / "a" / "secret")
        return found

    monkeypatch.setattr(walking, "kind", late)
    with pytest.raises(WallError, match="symbolic link"):
        files.read(ACME, "a/secret")
    assert (home / "a" / "secret").is_symlink()
    files.delete(GLOBEX, "a/secret")


def test_what_is_a_link_only_while_it_is_opened_is_no_error_of_the_system(
    files: TenantFiles, home: Path, neighbour: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.put(ACME, "a/secret", b"acme's")
    look, folder, secret = walking.kind, home / "a", home / "a" / "secret"

    def linked(path: Path, to: Path) -> None:
        path.rename(home / "real")
        path.symlink_to(to)

    def back(parent: int, name: str) -> int | None:
        for path in (folder, secret):
            if path.is_symlink():
                path.unlink()
                (home / "real").rename(path)
        found = look(parent, name)
        if name == "secret" and not looked:
            looked.append(name)
            linked(secret, neighbour / "a" / "secret")
        return found

    looked = ["not yet of the file"]
    monkeypatch.setattr(walking, "kind", back)
    linked(folder, neighbour / "a")
    assert files.read(ACME, "a/secret") == b"acme's"
    looked.clear()
    with pytest.raises(WallError, match="symbolic link"):
        files.read(ACME, "a/secret")


def test_a_link_put_in_the_place_of_a_file_is_replaced_and_not_followed(
    files: TenantFiles, home: Path, neighbour: Path
) -> None:
    def content() -> Iterator[bytes]:
        yield b"acme's new"
        (home / "a" / "own").unlink()
        (home / "a" / "own").symlink_to(neighbour / "a" / "secret")

    with pytest.raises(WallError):
        files.put(ACME, "a/own", content())
    assert files.read(GLOBEX, "a/secret") == b"globex's"


def test_a_removal_of_all_removes_links_and_not_what_they_lead_to(
    files: TenantFiles, home: Path, neighbour: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("kept")
    (home / "folder").symlink_to(elsewhere)
    (home / "a" / "link").symlink_to(neighbour / "a" / "secret")
    assert files.remove_all(ACME).files == 3
    assert not home.exists()
    assert (elsewhere / "kept").read_text() == "kept"
    assert files.read(GLOBEX, "a/secret") == b"globex's"


def test_a_place_that_is_a_link_is_removed_as_a_link(
    files: TenantFiles, home: Path, neighbour: Path
) -> None:
    files.remove_all(ACME)
    home.symlink_to(neighbour)
    assert files.remove_all(ACME) == Removed()
    assert not home.is_symlink()
    assert files.read(GLOBEX, "a/secret") == b"globex's"


def test_files_and_folders_are_their_owner_s_alone(files: TenantFiles, home: Path) -> None:
    files.put(ACME, "b/c", b"x")
    for path in (home, home / "b", home / "b" / "c"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_name_is_a_file_or_a_folder_and_not_both(files: TenantFiles) -> None:
    with pytest.raises(RecordConflict):
        files.put(ACME, "a/own/below", b"x")
    with pytest.raises(RecordConflict):
        files.put(ACME, "a", b"x")
    assert sorted(entry.name for entry in files.list(ACME)) == ["a/own"]
    files.delete(ACME, "a/own")
    files.put(ACME, "a", b"x")


def test_what_is_being_written_is_in_no_list_and_leaves_nothing(
    files: TenantFiles, home: Path
) -> None:
    seen: list[int] = []

    def content() -> Iterator[bytes]:
        yield b"x"
        seen.append(len(list((home / "new" / "deep").iterdir())))
        seen.append(len(list(files.list(ACME))))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.put(ACME, "new/deep/file", content())
    assert seen == [1, 1]
    assert not (home / "new").exists()


def test_who_reads_a_file_that_is_replaced_reads_the_old_one_to_its_end(files: TenantFiles) -> None:
    with files.open(ACME, "a/own") as file:
        files.put(ACME, "a/own", b"another")
        assert b"".join(file) == b"acme's"
    assert files.read(ACME, "a/own") == b"another"


def test_what_is_written_while_all_is_removed_is_not_kept(files: TenantFiles, home: Path) -> None:
    def content() -> Iterator[bytes]:
        yield b"x"
        files.remove_all(ACME)
        yield b"y"

    with pytest.raises(RecordConflict, match="removed while"):
        files.put(ACME, "a/late", content())
    assert not home.exists()


def test_after_an_erasure_nothing_can_be_written_even_by_who_was_let_in_before(
    files: TenantFiles, folder: Folder, home: Path
) -> None:
    def content() -> Iterator[bytes]:
        yield b"x"
        assert folder.erase(home.name) == Removed(2, 7)
        yield b"y"

    with pytest.raises(RecordConflict):
        files.put(ACME, "a/late", content())
    with pytest.raises(DeletedTenant):
        files.put(ACME, "later", b"x")
    assert home.read_bytes() == b""
    assert list(folder.path.glob(".*")) == []
    assert folder.erase(home.name) == Removed()
    assert list(files.list(ACME)) == []
    assert files.read(GLOBEX, "a/secret") == b"globex's"


def test_what_a_killed_removal_left_is_removed_by_the_next(folder: Folder, home: Path) -> None:
    files = TenantFiles(folder)
    files.put(ACME, "a", b"x")
    home.rename(folder.path / f".{home.name}.removed-0000")
    files.put(ACME, "b", b"y")
    assert files.remove_all(ACME).files == 2
    assert list(folder.path.iterdir()) == []


def test_many_who_write_and_delete_at_once_never_stand_in_each_other_s_way(folder: Folder) -> None:
    files, errors = TenantFiles(folder), list[BaseException]()

    def work(number: int) -> None:
        try:
            for turn in range(30):
                files.put(ACME, f"a/b/{number}", b"%d" % turn)
                assert files.read(ACME, f"a/b/{number}") == b"%d" % turn
                files.delete(ACME, f"a/b/{number}")
        except BaseException as error:  # noqa: BLE001 - told by the test
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert list(folder.path.iterdir()) == []


def test_no_descriptor_is_left_open(files: TenantFiles, home: Path) -> None:
    (home / "link").symlink_to("/")
    before = os.listdir("/proc/self/fd")  # noqa: PTH208 - of Linux; elsewhere nothing to see
    for _ in range(3):
        for name in ("a/own", "none", "a/none", "link", "link/etc/passwd"):
            for use in every_use(files, name)[:4]:
                try:
                    use()
                except (WallError, UnknownRecord):
                    continue
        files.put(ACME, "b/own", b"x")
        next(files.list(ACME, "b"))
    assert len(os.listdir("/proc/self/fd")) == len(before)  # noqa: PTH208


def test_a_folder_that_is_missing_is_named_before_anything_is_put(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="make it"):
        Folder(tmp_path / "none")
    gone = tmp_path / "gone"
    gone.mkdir()
    files = TenantFiles(Folder(gone))
    gone.rmdir()
    with pytest.raises(ConfigurationError, match="any more"):
        files.put(ACME, "a", b"x")
