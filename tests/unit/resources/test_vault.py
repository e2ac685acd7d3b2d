"""Encrypted files come back whole or not at all; run folders vanish with their run, and dead ones are found."""

from __future__ import annotations

import os
import signal
import struct
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from hdh_assets.core.home import Home
from resources.vault import (
    CHUNK_BYTES,
    Vault,
    VaultFileError,
    is_run_alive,
    read_chunks,
    remove_dead_run_folders,
)
from tests.children import exit_code

KEY = os.urandom(32)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(Home(tmp_path), KEY)


def write(vault: Vault, content: bytes, step: int = 300_000) -> Path:
    path = vault.home.vault / "x"
    with vault.writer(path) as file:
        for start in range(0, len(content), step):
            file.write(content[start : start + step])
    return path


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_what_is_written_is_read_back_and_never_in_clear(vault: Vault, size: int) -> None:
    content = os.urandom(16) * (size // 16) + b"z" * (size % 16)
    path = write(vault, content)
    assert b"".join(vault.chunks(path)) == content
    assert size < 64 or content[:64] not in path.read_bytes()


def test_a_file_brought_to_the_disk_in_parts_is_read_back_whole(vault: Vault) -> None:
    content = os.urandom(70_000_001)
    assert b"".join(vault.chunks(write(vault, content, step=1_000_000))) == content


@given(st.data())
def test_any_change_is_noticed(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault(Home(Path(folder)), KEY)
        path = write(vault, b"a" * 100)
        content = bytearray(path.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        with pytest.raises(VaultFileError):
            list(vault.chunks(path))


def test_a_file_cut_after_a_whole_chunk_is_refused(vault: Vault) -> None:
    path = write(vault, b"a" * (2 * CHUNK_BYTES + 5))
    content = path.read_bytes()
    (stored,) = struct.unpack(">I", content[22:26])
    path.write_bytes(content[: 22 + 8 + stored + 16])
    with pytest.raises(VaultFileError):
        list(vault.chunks(path))
    path.write_bytes(content + b"x")
    with pytest.raises(VaultFileError):
        list(vault.chunks(path))


def test_two_chunks_of_one_size_that_changed_places_are_refused(vault: Vault) -> None:
    """Each is whole, and so is its length: only the place it was encrypted for tells."""
    path = write(vault, os.urandom(3 * CHUNK_BYTES))
    content = path.read_bytes()
    size = 8 + CHUNK_BYTES + 16
    start = len(content) - 3 * size
    first, second = content[start : start + size], content[start + size : start + 2 * size]
    assert first[:8] == second[:8]
    path.write_bytes(content[:start] + second + first + content[start + 2 * size :])
    with pytest.raises(VaultFileError):
        list(vault.chunks(path))


def test_one_content_is_encrypted_otherwise_at_each_place_and_in_each_file(vault: Vault) -> None:
    """A key and a nonce that come twice would tell the one text by the other."""
    chunk = os.urandom(CHUNK_BYTES)
    size = 8 + CHUNK_BYTES + 16
    files = [write(vault, 2 * chunk).read_bytes() for _ in range(2)]
    texts = {file[len(file) - back * size :][8 : 8 + CHUNK_BYTES] for file in files for back in (1, 2)}
    assert len(texts) == 4


def test_another_key_reads_nothing(vault: Vault) -> None:
    path = write(vault, b"abc")
    with pytest.raises(VaultFileError):
        list(read_chunks(path, os.urandom(32)))


def test_an_abandoned_file_is_not_readable(vault: Vault) -> None:
    file = vault.writer(vault.home.vault / "x")
    file.write(b"a" * (2 * CHUNK_BYTES))
    file.abandon()
    with pytest.raises(VaultFileError):
        list(vault.chunks(vault.home.vault / "x"))


def test_a_run_folder_is_private_and_goes_with_its_run(vault: Vault) -> None:
    with vault.run_folder("one") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert is_run_alive(vault.home, "one")
        assert remove_dead_run_folders(vault.home) == []
    assert not folder.exists()
    assert list((vault.home.vault / "tmp").iterdir()) == []


def test_the_folder_of_a_killed_run_is_found(vault: Vault) -> None:
    assert exit_code(_killed, vault) == -signal.SIGKILL
    assert not is_run_alive(vault.home, "dead")
    assert remove_dead_run_folders(vault.home) == ["dead"]
    assert list((vault.home.vault / "tmp").iterdir()) == []


def test_a_lock_that_a_killed_run_left_without_its_folder_goes_and_one_that_is_held_stays(vault: Vault) -> None:
    """Killed between the lock and its folder, or between the removals of the two."""
    tmp = vault.home.vault / "tmp"
    with vault.run_folder("at_work") as folder, FileLock(tmp / "begun.lock"):
        folder.rmdir()
        (tmp / "dead.lock").touch()
        assert remove_dead_run_folders(vault.home) == []
        assert {path.name for path in tmp.iterdir()} == {"at_work.lock", "begun.lock"}


def test_who_waits_for_a_lock_that_is_swept_away_holds_another(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run opened its lock's file when the sweep already held it."""
    tmp = vault.home.vault / "tmp"
    tmp.mkdir(parents=True)
    (tmp / "new.lock").touch()
    opened = os.open

    def open_then_sweep(path: str, *arguments: int) -> int:
        found = opened(path, *arguments)
        monkeypatch.undo()
        remove_dead_run_folders(vault.home)
        return found

    monkeypatch.setattr("filelock._unix.os.open", open_then_sweep)
    with vault.run_folder("new") as folder:
        assert is_run_alive(vault.home, "new")
        assert remove_dead_run_folders(vault.home) == []
        assert folder.is_dir()


def _killed(vault: Vault) -> None:
    with vault.run_folder("dead"):
        os.kill(os.getpid(), signal.SIGKILL)
