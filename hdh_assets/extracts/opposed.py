"""Withdrawing the versions that hold somebody who objected.

Only a version made from a release that is retired, or that the lake does not know any more, can hold such a person.
Whether it does is looked up in its own files, by the project's pseudonyms of the person. Replacing it is nothing
special: a permit without a standing version waits for one.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from hdh_assets.core.crash import crash_point
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.digests import sha256_of
from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.documents import DICTIONARY, MANIFEST
from hdh_assets.extracts.omop_rules import ROWS
from hdh_assets.extracts.project_keys import ProjectKeys
from hdh_assets.extracts.space import project_lock
from hdh_assets.extracts.treatments import Treatment
from hdh_assets.extracts.versions import Version, list_versions, recorded_manifests
from hdh_assets.extracts.ways import whose
from hdh_assets.extracts.withdrawal import Cause, Withdrawal, is_left, of_each, withdraw, withdrawals
from resources.keys import open_keys
from resources.lake import open_lake
from resources.opposed_numbers import OpposedNumbers
from resources.registry import DELIVERED, Registry
from resources.releases import usable_releases
from resources.removals import followed

_NUMBER, _TEXT, _KEY = Treatment.person_number, Treatment.person_pseudonym, Treatment.person_key


@dataclass(frozen=True)
class ProjectPerson:
    """The opposed persons as one project knows them."""

    numbers: frozenset[int]
    pseudonyms: frozenset[str]
    datasets: frozenset[str]
    """Those that may know them: rows of no other are theirs."""


def revision_to_withdraw_for(home: Home, settings: Settings) -> int | None:
    """The latest revision of the oppositions that the lake follows and for which extracts are still to be looked at."""
    with OpposedNumbers(home, settings) as store:
        waiting = store.waiting()
    if not waiting:
        return None
    with open_lake(home, settings).reader() as engine:
        applied = followed(engine).applied
    return max((revision for revision in waiting if revision <= applied), default=None)


def came_back(home: Home, settings: Settings) -> list[str]:
    """Versions that were withdrawn and whose data are there again, as from a backup of a project's space."""
    with Registry(home, settings) as registry:
        gone = withdrawals(registry)
    return [each.name for each in list_versions(home) if (each.project, each.number) in gone and is_left(each)]


def withdraw_opposed(home: Home, settings: Settings, datasets: Mapping[str, Dataset]) -> list[str]:
    """Withdraw every version that holds somebody who objected, or came back; their names. Can be done again."""
    with open_lake(home, settings).reader() as engine:
        applied, usable = followed(engine).applied, _usable(engine)
    with OpposedNumbers(home, settings) as store:
        waiting = {revision: numbers for revision, numbers in store.waiting().items() if revision <= applied}
        known = store.datasets()
        numbers = frozenset(number for each in waiting.values() for number in each)
        sought = (numbers, frozenset(name for revision in waiting for name in known.get(revision, datasets)))
        projects = sorted({version.project for version in list_versions(home)})
        done = of_each(projects, lambda project: _withdraw_of(home, settings, datasets, project, sought, usable))
        crash_point("withdrawal.before_forgetting")
        if waiting:
            store.forget(max(waiting))
    return done


def withdraw_unproven(home: Home, settings: Settings) -> list[str]:
    """Withdraw every standing version whose release is retired or unknown; their names.

    For a home restored from backups of several days: whether such a version was looked at is not known any more.
    """
    with open_lake(home, settings).reader() as engine:
        usable = _usable(engine)
    done = []
    for project in sorted({version.project for version in list_versions(home)}):
        with Registry(home, settings) as registry, project_lock(home, registry, project):
            for version in filter(is_left, list_versions(home, project)):
                if version.basis.release not in usable:
                    withdraw(registry, version, Withdrawal(Cause.opposition))
                    done.append(version.name)
    return done


def _usable(engine: duckdb.DuckDBPyConnection) -> set[int]:
    return {release.number for release in usable_releases(engine)}


def holds(version: Version, datasets: Mapping[str, Dataset], persons: ProjectPerson) -> bool:
    """Whether a version holds one of these persons, or may.

    A table of the CDM, or of a dataset that may know them or that nothing describes any more, that does not tell whose
    its rows are and that no other table answers for, or a file that cannot be read, counts as holding them.
    """
    try:
        return _holds(version, datasets, persons)
    except (OSError, KeyError, duckdb.Error):
        return True


def _holds(version: Version, datasets: Mapping[str, Dataset], persons: ProjectPerson) -> bool:
    columns = _person_columns(version)
    files = {file["table"]: version.folder / file["name"] for file in version.files if "table" in file}
    unconcerned = datasets.keys() - persons.datasets
    personal = [table for table in files if table.partition(".")[0] not in unconcerned]
    if any(_cannot_tell(table, columns, datasets) for table in personal):
        return True
    with duckdb.connect() as engine:
        engine.register("wanted_number", pl.DataFrame({"n": sorted(persons.numbers)}, schema={"n": pl.Int64}))
        engine.register("wanted_text", pl.DataFrame({"t": sorted(persons.pseudonyms)}, schema={"t": pl.String}))
        return any(_is_in(engine, files[table], column, kind) for table, column, kind in columns if table in files)


def _withdraw_of(
    home: Home,
    settings: Settings,
    datasets: Mapping[str, Dataset],
    project: str,
    sought: tuple[Collection[int], frozenset[str]],
    usable: Collection[int],
) -> list[str]:
    """One project, its space held, so that no version is being made meanwhile; `sought`: numbers, datasets."""
    done = []
    with Registry(home, settings) as registry, project_lock(home, registry, project):
        persons = _as_known_by(ProjectKeys(open_keys(home), project), *sought)
        begun, recorded = withdrawals(registry), recorded_manifests(registry.events(DELIVERED))
        for version in filter(is_left, list_versions(home, project)):
            is_begun = (project, version.number) in begun
            is_altered = _is_altered(version, recorded.get((project, version.number)))
            if is_begun or is_altered or (version.basis.release not in usable and holds(version, datasets, persons)):
                withdraw(registry, version, Withdrawal(Cause.opposition))
                done.append(version.name)
    return done


def _is_altered(version: Version, recorded: str | None) -> bool:
    """Whether what tells what the version holds is not what the hub delivered: it is then taken for the worst."""
    listed = {file["name"]: file["sha256"] for file in version.files}
    delivered = {MANIFEST: recorded, DICTIONARY: listed.get(DICTIONARY)}
    found = {name: version.folder / name for name in delivered}
    if not all(path.is_file() and not path.is_symlink() for path in found.values()):
        return True
    return any(sha256_of(path) != delivered[name] for name, path in found.items())


def _as_known_by(keys: ProjectKeys, numbers: Collection[int], datasets: frozenset[str]) -> ProjectPerson:
    known = keys.pseudonyms(pl.Series(sorted(numbers), dtype=pl.Int64))
    return ProjectPerson(frozenset(known["number"]), frozenset(known["pseudonym"]), datasets)


def _person_columns(version: Version) -> list[tuple[str, str, str]]:
    """Columns that hold a project's pseudonym of a person, as (table, column, treatment): the dictionary says which."""
    with (version.folder / DICTIONARY).open(encoding="utf-8", newline="") as file:
        rows = [(row["table"], row["column"], row["treatment"]) for row in csv.DictReader(file)]
    return [(table, column, kind) for table, column, kind in rows if kind in {_NUMBER, _TEXT, _KEY}]


def _cannot_tell(table: str, columns: Collection[tuple[str, str, str]], datasets: Mapping[str, Dataset]) -> bool:
    """Whether rows of a table are about persons, but neither it nor a table delivered with it says about whom."""
    told = {(other, column) for other, column, _ in columns}
    schema, _, name = table.partition(".")
    if schema == "omop":
        is_personal = ROWS[name].kind not in {"location", "directory"}
        return is_personal and not {table, "omop.person"} & {other for other, _ in told}
    owner = whose(datasets[schema], datasets[schema].by_name[name])
    if owner is None:
        return False
    return any((f"{schema}.{owner.lake_name}", column.lake_name) not in told for column in owner.deciding_keys)


def _is_in(engine: duckdb.DuckDBPyConnection, file: Path, column: str, kind: str) -> bool:
    wanted = "FROM wanted_number" if kind == _NUMBER else "FROM wanted_text"
    value = f'"{column}"' if kind == _NUMBER else f'CAST("{column}" AS VARCHAR)'
    found = engine.execute(f"SELECT EXISTS (FROM read_parquet(?) WHERE {value} IN ({wanted}))", [str(file)]).fetchone()
    return bool(found and found[0])
