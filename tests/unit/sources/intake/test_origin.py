"""Bytes of the inbox: no more of a file than was sealed, and none of a folder that is not the delivery's own."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hdh_assets.core.home import Home
from hdh_assets.sources.intake.admission import check_folder
from hdh_assets.sources.intake.manifest import Manifest, ManifestFile
from hdh_assets.sources.intake.origin import InboxOrigin
from hdh_assets.sources.intake.receipt import DeliveryRefusedError
from resources.keys import open_keys
from resources.vault import Vault, open_vault

CONTENT = b"0123456789abcde\n" * 20_000
SEALED = ManifestFile(name="A.csv", size=len(CONTENT), rows=1, sha256=hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def vault(home: Home) -> Vault:
    return open_vault(home, open_keys(home))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "2024-01").mkdir()
    (tmp_path / "2024-01" / "A.csv").write_bytes(CONTENT)
    return tmp_path / "2024-01"


def test_a_file_is_read_whole_and_kept(vault: Vault, folder: Path, tmp_path: Path) -> None:
    assert b"".join(InboxOrigin(folder, vault, tmp_path / "keep").blocks(SEALED)) == CONTENT
    assert b"".join(vault.chunks(tmp_path / "keep" / "A.csv")) == CONTENT


def test_a_file_that_grows_while_it_is_read_gives_no_byte_more_than_was_sealed(
    vault: Vault, folder: Path, tmp_path: Path
) -> None:
    given = 0
    with pytest.raises(DeliveryRefusedError, match="wrong_size"):
        for block in InboxOrigin(folder, vault, tmp_path / "keep").blocks(SEALED):
            given += len(block)
            with (folder / "A.csv").open("ab") as file:
                file.write(bytes(1_000_000))
            assert given < 10_000_000
    assert 0 < given <= SEALED.size


def test_a_folder_swapped_for_a_link_is_neither_listed_nor_read(vault: Vault, folder: Path, tmp_path: Path) -> None:
    manifest = Manifest(
        dataset="care", period="2024-01", descriptor_version=1, producer="clinic", files=(SEALED,),
        sealed_at="2024-02-01T00:00:00Z",
    )  # fmt: skip
    check_folder(folder, manifest)
    folder.rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "secret").touch()
    folder.symlink_to("elsewhere")
    with pytest.raises(DeliveryRefusedError, match="missing_file"):
        list(InboxOrigin(folder, vault, tmp_path / "keep").blocks(SEALED))
    with pytest.raises(DeliveryRefusedError, match="manifest_not_a_file"):
        check_folder(folder, manifest)
