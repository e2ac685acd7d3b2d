"""Building an extract: from a permit and a release to a folder of the project space, whole or not at all.

The same permit and release give the same bytes, so that a version can be proved at any time. Which rows and columns is
in `selection.py`, `plan.py` and `persons.py`; the folder is `versions.py`.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as package_version
from pathlib import Path

import duckdb

from hdh_assets.core.crash import crash_point
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.digests import sha256_of
from hdh_assets.core.errors import RefusedError
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.sql_text import literal
from hdh_assets.extracts import documents
from hdh_assets.extracts.constants import constant_columns
from hdh_assets.extracts.documents import BUILD, MANIFEST, Basis, DataFile
from hdh_assets.extracts.papers import keep_papers, not_as_listed, put_papers
from hdh_assets.extracts.persons import prepare_persons
from hdh_assets.extracts.plan import Schema, TablePlan, event_tables, plan_extract
from hdh_assets.extracts.project_keys import ProjectKeys
from hdh_assets.extracts.provenance import deliveries
from hdh_assets.extracts.replacing import replaced_rows, rows_at_once
from hdh_assets.extracts.selection import select_table
from hdh_assets.extracts.space import project_lock, record
from hdh_assets.extracts.versions import (
    Version,
    find_version,
    list_versions,
    put_in_place,
    recorded_manifests,
    verify_version,
)
from hdh_assets.governance.permit import Permit
from hdh_assets.governance.register import find_permit, today
from resources.keys import open_keys
from resources.lake import open_lake, spill_folder
from resources.oppositions import recorded_revision
from resources.registry import DELIVERED, Registry
from resources.releases import Release, find_in
from resources.removals import check_followed

COPY_OPTIONS = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, WRITE_BLOOM_FILTER false"
Progress = Callable[[str, int, int], None]
"""Called with the table just written, how many are written, and how many there are."""


@dataclass(frozen=True)
class ExtractResult:
    """A version in its place."""

    version: Version
    is_new: bool
    """False when this version was there already and was found whole."""

    @property
    def rows(self) -> dict[str, int]:
        """Rows by table."""
        return self.version.rows


def build_extract(
    home: Home,
    settings: Settings,
    datasets: Mapping[str, Dataset],
    permit: Permit,
    release: Release,
    *,
    on_progress: Progress | None = None,
) -> ExtractResult:
    """Deliver what `permit` allows of `release`, as the next version, or find it delivered and whole.

    Raises `RefusedError` when the permit is not in force or names what the release lacks, or while the release holds
    somebody who objected; `KeyMaterialError` when the project key is not usable.
    """
    with (
        Registry(home, settings) as registry,
        project_lock(home, registry, permit.project) as space,
        open_lake(home, settings).reader() as head,
    ):
        check_permit(registry, permit)
        check_release(head, registry, release)
        basis = Basis(permit.number, release.number)
        delivered = _standing(home, registry, permit)
        existing = [version for version in delivered if version.basis == basis]
        # what a killed build had put in place is what was asked for: a newer release makes another when that is due
        for version in [*(delivered[-1:] if space.found else ()), *existing[-1:]]:
            if not verify_version(version):
                return ExtractResult(version, is_new=False)
        number = existing[-1].number if existing else _next_number(registry, home, permit.project)
        partial = space.folder / f".v{number}.{uuid.uuid4().hex[:8]}.partial"
        try:
            write_extract(home, settings, datasets, permit, release, basis, number, partial, on_progress)
            check_permit(registry, permit)
            check_release(head, registry, release)
            if not _settle_papers(home, registry, permit.project, number, partial):
                shutil.rmtree(partial)
                number = _next_number(registry, home, permit.project)
                write_extract(home, settings, datasets, permit, release, basis, number, partial, on_progress)
                keep_papers(home, permit.project, number, partial)
            put_in_place(partial, space.folder / f"v{number}")
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        version = find_version(home, f"{permit.project}/v{number}")
        record(registry, version)
        return ExtractResult(version, is_new=True)


def _settle_papers(home: Home, registry: Registry, project: str, number: int, folder: Path) -> bool:
    """Keep the papers of a new version; one that takes the place of a damaged one says what was said with that.

    False where it cannot take that place: made by other rules since, it is not what was delivered.
    """
    recorded = recorded_manifests(registry.events(DELIVERED)).get((project, number))
    if recorded is None:
        keep_papers(home, project, number, folder)
        return True
    put_papers(home, project, number, recorded, folder)
    return sha256_of(folder / MANIFEST) == recorded and not not_as_listed(folder)


def check_permit(registry: Registry, permit: Permit) -> None:
    """Raise `RefusedError` unless it is the permit in force: it may have been loaded long ago."""
    if not permit.is_in_force(today()):
        raise RefusedError(f"{permit.id} expired on {permit.expires}", remedy="file an amendment, or a new dossier")
    if (current := find_permit(registry, permit.project)).number != permit.number:
        raise RefusedError(f"{permit.id} was replaced by {current.id}", remedy="ask for the extract of that one")


def check_release(head: duckdb.DuckDBPyConnection, registry: Registry, release: Release) -> None:
    """Raise `RefusedError` when somebody objected whom the release may hold. `head` reads the moving lake."""
    check_followed(head, recorded_revision(registry), is_standardised=False)
    find_in(head, release.number)


def write_extract(
    home: Home,
    settings: Settings,
    datasets: Mapping[str, Dataset],
    permit: Permit,
    release: Release,
    basis: Basis,
    number: int,
    folder: Path,
    on_progress: Progress | None = None,
) -> None:
    """Write every file of version `number` into `folder`, which must not exist."""
    keys = ProjectKeys(open_keys(home), permit.project)
    (folder / "data").mkdir(parents=True)
    with _at_release(home, settings, release) as engine:
        plans = plan_extract(permit, datasets, read_schema(engine))
        persons = prepare_persons(engine, permit, plans, datasets, keys)
        files = []
        for done, plan in enumerate(plans, start=1):
            files.append(_write_table(engine, plan, plans, permit, datasets, keys, folder))
            if on_progress:
                on_progress(plan.name, done, len(plans))
            crash_point("extract.table")
        known = deliveries(engine)
    rows = documents.dictionary_rows(plans, datasets)
    texts = {
        "README.md": documents.readme(permit, release, number, files, persons),
        documents.DICTIONARY: documents.dictionary_csv(rows),
        "dictionary.md": documents.dictionary_md(plans, datasets, rows),
    }
    files += [_write_text(folder, name, text) for name, text in texts.items()]
    _write_text(folder, MANIFEST, documents.manifest(permit, release, number, basis, files, plans, known, persons))
    _write_text(folder, BUILD, _build_facts())


def _write_table(
    engine: duckdb.DuckDBPyConnection,
    plan: TablePlan,
    plans: Sequence[TablePlan],
    permit: Permit,
    datasets: Mapping[str, Dataset],
    keys: ProjectKeys,
    folder: Path,
) -> DataFile:
    constants = constant_columns(engine, plan.table)
    selection = select_table(plan, permit.period, datasets, tuple(event_tables(plans)), constants)
    path = folder / plan.file
    at_once = rows_at_once(engine, plan, datasets)
    options = f"{COPY_OPTIONS}, ROW_GROUP_SIZE {at_once}"
    with replaced_rows(engine, selection, keys, at_once) as source:
        written = engine.execute(f"COPY ({selection.ordered(source)}) TO {literal(path)} ({options})").fetchall()
    return DataFile(plan.file, path.stat().st_size, sha256_of(path), plan.name, int(written[0][0]))


@contextmanager
def _at_release(home: Home, settings: Settings, release: Release) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the release; its spill files are encrypted and then removed."""
    with (
        spill_folder(home, "extract") as spill,
        open_lake(home, settings).reader(snapshot=release.snapshot_id, spill=spill) as engine,
    ):
        yield engine


def read_schema(engine: duckdb.DuckDBPyConnection) -> Schema:
    """Columns of every lake table at the connection's snapshot."""
    schema: dict[str, list[tuple[str, str]]] = {}
    for domain, table, column, kind in engine.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = 'lake' ORDER BY schema_name, table_name, column_index"
    ).fetchall():
        schema.setdefault(f"{domain}.{table}", []).append((column, kind))
    return schema


def _write_text(folder: Path, name: str, text: str) -> DataFile:
    path = folder / name
    path.write_text(text, "utf-8", newline="\n")
    return DataFile(name, path.stat().st_size, sha256_of(path))


def _build_facts() -> str:
    """What is true of this build alone."""
    facts = {
        "built_at": datetime.now(UTC).replace(microsecond=0).isoformat(),
        "hub": package_version("health-data-hub"),
        "duckdb": duckdb.__version__,
    }
    return json.dumps(facts, indent=2, sort_keys=True) + "\n"


def _standing(home: Home, registry: Registry, permit: Permit) -> list[Version]:
    """What was delivered under the permit and not taken back. A folder that the event log does not know is nobody's."""
    recorded = recorded_manifests(registry.events(DELIVERED))
    return [
        version
        for version in list_versions(home, permit.project)
        if (version.project, version.number) in recorded
        and version.basis.permit == permit.number
        and not version.is_withdrawn
    ]


def _next_number(registry: Registry, home: Home, project: str) -> int:
    """One more than any version there is or ever was."""
    recorded = [e.said("version", int) for e in registry.events(DELIVERED) if e.subject == project]
    return max([0, *recorded, *(v.number for v in list_versions(home, project))]) + 1
