"""Bringing the lake in line with the book: rows of those who objected go, rows of those who changed their mind return.

Everything can be done again: the book says what is wanted, the lake which revision of it was followed, and both are
read anew each time. A crash anywhere is made good by the next run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import duckdb

from hdh_assets.core.crash import crash_point
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.opposition import Book, Opposition, check_age, learnt, restored, with_findings
from hdh_assets.sources.intake.run import retake
from hdh_assets.sources.opposed.keep_out import Findings, keep_out, keys_of, learn, numbers, put_keys
from hdh_assets.sources.opposed.lookup import in_vault
from hdh_assets.sources.opposed.record import announce
from hdh_assets.sources.opposed.releases_of import holding, learn_from_releases
from resources.engine_errors import engine_failure
from resources.keys import open_keys
from resources.lake import Lake, open_lake, transaction
from resources.lake_tables import DeliveryRow, deliveries, ensure_tables
from resources.opposed_numbers import OpposedNumbers
from resources.oppositions import OppositionBook, recorded_revision
from resources.pseudonyms import open_pseudonymiser
from resources.registry import Registry
from resources.removals import Step, followed, note, retire, touched_since
from resources.vault import Vault, new_run_folder_name, open_vault


@dataclass(frozen=True)
class Applied:
    """What was done. Counts of deliveries and releases: nothing that tells who."""

    revision: int
    deliveries_thinned: int = 0
    deliveries_restored: int = 0
    releases_retired: int = 0


def apply_oppositions(home: Home, settings: Settings, datasets: Mapping[str, Dataset], *, run_id: str) -> Applied:
    """Follow the book to its present revision.

    Raises `KeyMaterialError`, `LakeBusyError` and, once all else is done, `HubError` naming the deliveries whose rows
    could not be restored.
    """
    keys = open_keys(home)
    vault, lake = open_vault(home, keys), open_lake(home, settings)
    book = OppositionBook(vault)
    with Registry(home, settings) as registry, book.held():
        check_age(book.read(), recorded_revision(registry))
        announce(registry, book.read())
    back = _bring_back(home, settings, datasets, book.read(), vault, lake, run_id)
    with vault.run_folder(new_run_folder_name()) as folder:
        spill = folder / "spill"
        spill.mkdir(mode=0o700)
        try:
            with lake.writer(spill=spill) as engine, book.held():
                ensure_tables(engine, datasets)
                work = _Work(home, settings, datasets, vault, lake, engine)
                done = work.follow(book, back)
        except duckdb.Error as error:
            raise engine_failure(error) from None
    crash_point("opposition.applied")
    if back.missing:
        raise HubError(
            "; ".join(f"{words}: rows of who no longer objects are not back" for words in back.missing.values()),
            remedy="correct the descriptor, if it is what changed; it is tried again by itself",
        )
    return done


@dataclass(frozen=True)
class _Back:
    """Withdrawn oppositions that were looked at, the deliveries loaded again for them, and why others were not."""

    oppositions: frozenset[int] = frozenset()
    deliveries: frozenset[tuple[str, str]] = frozenset()
    missing: Mapping[tuple[str, str], str] = field(default_factory=dict)


def _bring_back(
    home: Home,
    settings: Settings,
    datasets: Mapping[str, Dataset],
    book: Book,
    vault: Vault,
    lake: Lake,
    run_id: str,
) -> _Back:
    """Load again, from the encrypted originals, every current delivery that lost rows of somebody who changed mind."""
    if not book.to_restore:
        return _Back()
    with lake.reader() as engine:
        current = {(r.dataset, str(r.delivery_id)): r for r in deliveries(engine) if r.status == "current"}
    lost = {(p.dataset, p.delivery) for entry in book.to_restore for p in entry.places if p.dataset in datasets}
    wanted = sorted(key for key in lost & current.keys() if _has_original(vault, current[key]))
    missing = {}
    for key in wanted:
        row = current[key]
        if problem := _load_again(home, settings, datasets, row, run_id):
            missing[key] = f"{row.dataset} {row.period}: {problem}"
        crash_point("opposition.retaken")
    numbers = frozenset(entry.number for entry in book.to_restore)
    return _Back(numbers, frozenset(wanted) - missing.keys(), missing)


def _load_again(
    home: Home, settings: Settings, datasets: Mapping[str, Dataset], row: DeliveryRow, run_id: str
) -> str | None:
    """Why the delivery could not be loaded again; None when it was."""
    try:
        retake(home, settings, datasets, row.dataset, row.period, run_id=run_id, is_told=False)
    except HubError as error:
        return error.message
    return None


def _has_original(vault: Vault, row: DeliveryRow) -> bool:
    """Whether the delivery can come back: an operator may have removed what the producer sent."""
    return vault.original(row.dataset, row.period, row.digest).is_dir()


@dataclass(frozen=True)
class _Work:
    """One pass over the lake, by one who holds the writer lock and the book."""

    home: Home
    settings: Settings
    datasets: Mapping[str, Dataset]
    vault: Vault
    lake: Lake
    engine: duckdb.DuckDBPyConnection

    def follow(self, book: OppositionBook, back: _Back) -> Applied:
        """Remove what must go, note what was done, in one transaction; the book knows before the lake does."""
        current, applied = book.read(), followed(self.engine).applied
        if applied >= current.revision and restored(current, back.oppositions, back.missing) == current:
            return Applied(applied)
        new = [entry for entry in current.standing if entry.revision > applied]
        with transaction(self.engine):
            findings = self._keep_out(current, new)
            found = learnt(current, findings.keys, findings.places, current.revision)
            updated = restored(found, back.oppositions, back.missing)
            changed = [entry for entry in updated.standing if entry.revision > applied]
            held = self._retire(updated, changed, findings, applied)
            book.write(updated)
            crash_point("opposition.in_book_before_lake")
            self._note(updated, findings)
            crash_point("opposition.before_commit")
        return Applied(updated.revision, len(findings.deliveries), len(back.deliveries), len(held))

    def _keep_out(self, current: Book, new: list[Opposition]) -> Findings:
        pseudonymiser = open_pseudonymiser(open_keys(self.home))
        findings = Findings(keys=in_vault(self.vault, pseudonymiser, self.datasets, new) if new else {})
        put_keys(self.engine, with_findings(current, findings.keys, {}).standing)
        tables = [(dataset, table) for dataset in self.datasets.values() for table in dataset.tables]
        known = -1
        while known != (known := len(keys_of(self.engine))):
            # what a reference of now teaches may be what one that was replaced knows the person by
            learn_from_releases(self.lake, self.engine, self.datasets, findings)
            learn(self.engine, tables, self.datasets, findings)
        for dataset in self.datasets.values():
            if dataset.has_persons:
                keep_out(self.engine, dataset, self.datasets, findings)
        return findings

    def _retire(self, book: Book, changed: list[Opposition], findings: Findings, applied: int) -> set[int]:
        """Retire the releases that hold these persons, and let the hub look for them in the extracts."""
        if not changed and not findings.deliveries:
            return set()
        sought = {entry.number for entry in changed} | findings.places.keys()
        with OpposedNumbers(self.home, self.settings) as store:
            entries = [entry for entry in book.standing if entry.number in sought]
            store.put(book.revision, numbers(self.engine, sought), _may_know(self.datasets, entries))
        put_keys(self.engine, entries)
        lost = findings.deliveries | touched_since(self.engine, applied)
        held = holding(self.lake, self.engine, self.datasets, lost)
        retire(self.engine, held, book.revision)
        return held

    def _note(self, book: Book, findings: Findings) -> None:
        note(self.engine, book.revision, Step.kept_out, sorted(findings.deliveries))
        note(self.engine, book.revision, Step.kept_out)


def _may_know(datasets: Mapping[str, Dataset], entries: Collection[Opposition]) -> set[str]:
    """Datasets within the oppositions that know, or mention, persons by a kind of identifier these persons have."""
    found = set()
    for dataset in datasets.values():
        kinds = {column.identifier_type for table in dataset.tables for column in table.lake_columns}
        within = [entry for entry in entries if not entry.datasets or dataset.id in entry.datasets]
        if any(key.identifier_type in kinds for entry in within for key in entry.keys):
            found.add(dataset.id)
    return found
