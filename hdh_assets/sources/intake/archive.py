"""Where the pieces of a delivery end: originals and identities in the vault, rejects and refusals in quarantine.

Every move is a rename that can be done again, or undone for a delivery that was not loaded after all.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from hdh_assets.core.crash import crash_point
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.digests import short
from hdh_assets.core.files import write_atomically
from hdh_assets.core.home import Home
from hdh_assets.sources.intake.admission import Place
from hdh_assets.sources.intake.diagnose import REJECTED
from hdh_assets.sources.intake.manifest import delivery_id
from hdh_assets.sources.intake.outcome import Task
from hdh_assets.sources.intake.receipt import Receipt
from hdh_assets.sources.intake.receipt_page import page
from resources.inbox import MANIFEST, move_folder, remove_emptied
from resources.vault import Vault

REFUSED = "delivery"
"""Folder of the files of a refused delivery, in quarantine."""


def keep(home: Home, vault: Vault, task: Task, dataset: Dataset) -> None:
    """Move what a run prepared to its lasting place, just before the commit."""
    own = str(delivery_id(task.digest))
    for path in sorted((task.run_folder / "identities").glob("*.parquet")):
        target = vault.identities(dataset.id, path.stem, own)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.replace(target)
        crash_point("intake.keeping")
    rejected = task.run_folder / REJECTED
    if rejected.is_dir():
        move_folder(rejected, quarantine_folder(home, task.place, task.digest) / REJECTED)
    originals = task.run_folder / "originals"
    if originals.is_dir():
        write_atomically(originals / MANIFEST, task.content or b"")
        move_folder(originals, vault.original(dataset.id, task.place.period, task.digest))


def forget_rejected(home: Home, place: Place, digest: str) -> None:
    """Remove the rows that an earlier loading of a delivery rejected, when the last one rejected none."""
    shutil.rmtree(quarantine_folder(home, place, digest) / REJECTED, ignore_errors=True)


def forget(home: Home, vault: Vault, dataset: Dataset, place: Place, digest: str) -> None:
    """Remove what `keep` moved, for a delivery that is not in the lake."""
    for table in dataset.tables:
        vault.identities(dataset.id, table.lake_name, str(delivery_id(digest))).unlink(missing_ok=True)
    shutil.rmtree(vault.original(dataset.id, place.period, digest), ignore_errors=True)
    forget_rejected(home, place, digest)


def set_aside(home: Home, source: Path | None, receipt: Receipt) -> None:
    """Move a refused delivery whole into quarantine, its report beside it; the report alone when it is gone."""
    folder = quarantine_folder(home, Place(receipt.producer, receipt.dataset, receipt.period), receipt.digest)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "receipt.json", receipt.to_json().encode("utf-8"))
    write_atomically(folder / "receipt.md", page(receipt).encode("utf-8"))
    crash_point("intake.setting_aside")
    if source and os.path.lexists(source):
        move_folder(source, folder / REFUSED)
        remove_emptied(source, home.inbox)


def quarantine_folder(home: Home, place: Place, digest: str) -> Path:
    """Where a refused delivery or the rejected rows of an accepted one lie."""
    return home.quarantine / place.producer / place.dataset / place.period / short(digest)
