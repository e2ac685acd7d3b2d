"""Accepted deliveries that the lake forgot: its catalogue is of an older backup than the vault, which has them.

The vault tells them, since an original is moved there just before its delivery is committed. The ledger tells those
apart that were never accepted: what is under way, or was interrupted and not yet cleaned up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.home import Home
from hdh_assets.sources.intake.manifest import ManifestError, parse_manifest
from resources.inbox import MANIFEST
from resources.lake import has_table
from resources.lake_tables import DeliveryRow, deliveries, is_latest, rivals, scope
from resources.ledger import Ledger
from resources.vault import original_folders


@dataclass(frozen=True)
class Lost:
    """A delivery whose original the vault has, and the lake no row."""

    dataset: str
    period: str
    producer: str
    digest: str
    sealed_at: datetime


def lost_deliveries(
    home: Home, ledger: Ledger, engine: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset]
) -> list[Lost]:
    """Deliveries of these datasets that would be in force had the lake not forgotten them, by dataset and period.

    Nothing where the vault cannot be looked at.
    """
    folders = [(dataset, folder) for dataset in datasets for folder in original_folders(home, dataset)]
    unknown = _unknown(folders, _known(engine))
    if not unknown:
        return []
    never = _never_accepted(ledger)
    # a second look: what was under way may have been committed between the first and that at the ledger
    known = _known(engine)
    found = [lost for dataset, folder in _unknown(unknown, known) if (lost := _lost(dataset, folder))]
    return sorted(
        in_force((lost for lost in found if lost.digest not in never), known, datasets),
        key=lambda lost: (lost.dataset, lost.period),
    )


def in_force(found: Iterable[Lost], known: Collection[DeliveryRow], datasets: Mapping[str, Dataset]) -> Iterator[Lost]:
    """Those of the lost deliveries that replace what is in force, and that no other lost one replaces. Pure."""
    ahead: dict[tuple[str, str], Lost] = {}
    for lost in sorted(found, key=lambda lost: (lost.period, lost.sealed_at, lost.digest)):
        dataset = datasets[lost.dataset]
        if is_latest(lost.period, lost.sealed_at, lost.digest, rivals(dataset, lost.period, known)):
            ahead[dataset.id, scope(dataset, lost.period)] = lost
    yield from ahead.values()


def _known(engine: duckdb.DuckDBPyConnection) -> list[DeliveryRow]:
    return deliveries(engine) if has_table(engine, "meta", "delivery") else []


def _unknown(folders: Iterable[tuple[str, Path]], known: Iterable[DeliveryRow]) -> list[tuple[str, Path]]:
    digests = {row.digest for row in known}
    return [(dataset, folder) for dataset, folder in folders if folder.name not in digests]


def _never_accepted(ledger: Ledger) -> set[str]:
    attempts = ledger.attempts()
    accepted = {attempt.digest for attempt in attempts if attempt.status.startswith("accepted")}
    return {attempt.digest for attempt in attempts} - accepted


def _lost(dataset: str, folder: Path) -> Lost | None:
    """None for a folder without a manifest: it is no whole original."""
    try:
        manifest = parse_manifest((folder / MANIFEST).read_bytes())
    except (OSError, ManifestError):
        return None
    return Lost(dataset, folder.parent.name, manifest.producer, folder.name, manifest.sealed_instant)
