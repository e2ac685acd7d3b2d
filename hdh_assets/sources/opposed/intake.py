"""Keeping opposed persons out of a delivery that is being taken in, in its own transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import duckdb

from hdh_assets.core.crash import crash_point
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.opposition import Book, check_age, learnt, with_findings
from hdh_assets.sources.opposed.count import KeptOut
from hdh_assets.sources.opposed.keep_out import Findings, keep_out, learn, put_keys
from hdh_assets.sources.opposed.lookup import in_run
from hdh_assets.sources.opposed.probes import within
from resources.oppositions import OppositionBook
from resources.pseudonyms import Pseudonymiser
from resources.removals import Step, followed, note
from resources.vault import Vault


@dataclass(frozen=True)
class LoadedDelivery:
    """A delivery whose rows are in the lake, in a transaction that is still open."""

    dataset: Dataset
    delivery: UUID
    run_folder: Path
    is_new: bool
    """False when it is loaded again: OMOP may already hold its rows."""


@contextmanager
def opposed_kept_out(
    engine: duckdb.DuckDBPyConnection,
    vault: Vault,
    pseudonymiser: Pseudonymiser,
    datasets: Mapping[str, Dataset],
    loaded: LoadedDelivery,
) -> Iterator[KeptOut]:
    """Remove the rows of opposed persons from the delivery; the book is held until the caller has committed.

    So an opposition recorded meanwhile either is seen here, or finds these rows in the lake. What a reference teaches
    is in the book before the rows that taught it are gone; the rest of the lake then follows by a revision of its own.
    """
    book = OppositionBook(vault)
    with book.held():
        current, known = book.read(), followed(engine)
        check_age(current, max(known.applied, known.wanted))
        if not current.standing or not loaded.dataset.has_persons:
            yield KeptOut()
            return
        taught = in_run(vault, pseudonymiser, datasets, loaded.dataset, loaded.run_folder, current.standing)
        findings = Findings(keys=taught)
        put_keys(engine, with_findings(current, findings.keys, {}).standing)
        tables = [(loaded.dataset, table) for table in loaded.dataset.tables]
        learn(engine, tables, datasets, findings, within([str(loaded.delivery)]))
        keep_out(engine, loaded.dataset, datasets, findings, loaded.delivery)
        # keys learnt are a new revision, which the rest of the lake must follow
        updated = learnt(current, findings.keys, findings.places, current.revision + 1)
        if updated != current:
            book.write(updated)
        _note(engine, current, updated, findings, loaded)
        crash_point("intake.after_oppositions")
        yield KeptOut(findings.rows, len(findings.persons))


def _note(
    engine: duckdb.DuckDBPyConnection, before: Book, after: Book, findings: Findings, loaded: LoadedDelivery
) -> None:
    if after.revision > before.revision:
        note(engine, after.revision, Step.wanted)
    if not loaded.is_new and findings.deliveries:
        note(engine, after.revision, Step.wanted, sorted(findings.deliveries))
