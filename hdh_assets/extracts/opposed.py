"""Withdrawing the versions that hold somebody who objected.

Only a version made from a retired release can hold such a person. Whether it does is looked up in its own files, by the
project's pseudonyms of the person. Replacing it is nothing special: a permit without a standing version waits for one.
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
from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.omop_rules import ROWS
from hdh_assets.extracts.persons import way_to_persons
from hdh_assets.extracts.project_keys import ProjectKeys
from hdh_assets.extracts.treatments import Treatment
from hdh_assets.extracts.versions import Version, list_versions, project_lock
from hdh_assets.extracts.withdrawal import Cause, Withdrawal, is_left, of_each, withdraw, withdrawals
from resources.keys import open_keys
from resources.lake import open_lake
from resources.opposed_numbers import OpposedNumbers
from resources.registry import Registry
from resources.removals import followed, retired

_NUMBER, _TEXT, _KEY = Treatment.person_number, Treatment.person_pseudonym, Treatment.person_key


@dataclass(frozen=True)
class ProjectPerson:
    """The opposed persons as one project knows them."""

    numbers: frozenset[int]
    pseudonyms: frozenset[str]


def revision_to_withdraw_for(home: Home, settings: Settings) -> int | None:
    """The latest revision of the oppositions that the lake follows and for which extracts are still to be looked at."""
    with OpposedNumbers(home, settings) as store:
        waiting = store.waiting()
    if not waiting:
        return None
    with open_lake(home, settings).reader() as engine:
        applied = followed(engine).applied
    return max((revision for revision in waiting if revision <= applied), default=None)


def withdraw_opposed(home: Home, settings: Settings, datasets: Mapping[str, Dataset]) -> list[str]:
    """Withdraw every standing version that holds somebody who objected; their names. Can be done again."""
    with open_lake(home, settings).reader() as engine:
        applied, gone = followed(engine).applied, retired(engine)
    with OpposedNumbers(home, settings) as store:
        waiting = {revision: numbers for revision, numbers in store.waiting().items() if revision <= applied}
        sought = frozenset(number for numbers in waiting.values() for number in numbers)
        projects = sorted({version.project for version in list_versions(home)})
        done = of_each(projects, lambda project: _withdraw_of(home, settings, datasets, project, sought, gone))
        crash_point("withdrawal.before_forgetting")
        if waiting:
            store.forget(max(waiting))
    return done


def holds(version: Version, datasets: Mapping[str, Dataset], persons: ProjectPerson) -> bool:
    """Whether a version holds one of these persons, or may.

    A table that does not tell whose its rows are and that no other table answers for, or a file that cannot be read,
    counts as holding them.
    """
    try:
        return not version.is_readable or _holds(version, datasets, persons)
    except (OSError, KeyError, duckdb.Error):
        return True


def _holds(version: Version, datasets: Mapping[str, Dataset], persons: ProjectPerson) -> bool:
    columns = _person_columns(version)
    files = {file["table"]: version.folder / file["name"] for file in version.files if "table" in file}
    if any(_cannot_tell(table, files, columns, datasets) for table in files):
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
    sought: Collection[int],
    gone: Collection[int],
) -> list[str]:
    """One project, its space held, so that no version is being made meanwhile."""
    done = []
    with project_lock(home, project), Registry(home, settings) as registry:
        persons = _as_known_by(ProjectKeys(open_keys(home), project), sought)
        begun = withdrawals(registry)
        for version in filter(is_left, list_versions(home, project)):
            is_begun = (project, version.number) in begun
            is_suspect = not version.is_readable or version.basis.release in gone
            if is_begun or (is_suspect and holds(version, datasets, persons)):
                withdraw(registry, version, Withdrawal(Cause.opposition))
                done.append(version.name)
    return done


def _as_known_by(keys: ProjectKeys, numbers: Collection[int]) -> ProjectPerson:
    known = keys.pseudonyms(pl.Series(sorted(numbers), dtype=pl.Int64))
    return ProjectPerson(frozenset(known["number"]), frozenset(known["pseudonym"]))


def _person_columns(version: Version) -> list[tuple[str, str, str]]:
    """Columns that hold a project's pseudonym of a person, as (table, column, treatment): the dictionary says which."""
    with (version.folder / "dictionary.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["table"], row["column"], row["treatment"]) for row in csv.DictReader(file)]
    return [(table, column, kind) for table, column, kind in rows if kind in {_NUMBER, _TEXT, _KEY}]


def _cannot_tell(
    table: str,
    files: Collection[str],
    columns: Collection[tuple[str, str, str]],
    datasets: Mapping[str, Dataset],
) -> bool:
    """Whether rows of a table are about persons, but neither it nor a table delivered with it says about whom."""
    schema, _, name = table.partition(".")
    if any(table == other for other, *_ in columns):
        return False
    if schema == "omop":
        is_personal = ROWS[name].kind not in {"location", "directory"}
        return is_personal and "omop.person" not in files
    dataset = datasets[schema]
    way = way_to_persons(dataset, dataset.by_name[name])
    return way is not None and f"{schema}.{way.table.lower()}" not in {other for other, *_ in columns}


def _is_in(engine: duckdb.DuckDBPyConnection, file: Path, column: str, kind: str) -> bool:
    wanted = "FROM wanted_number" if kind == _NUMBER else "FROM wanted_text"
    value = f'"{column}"' if kind == _NUMBER else f'CAST("{column}" AS VARCHAR)'
    found = engine.execute(f"SELECT EXISTS (FROM read_parquet(?) WHERE {value} IN ({wanted}))", [str(file)]).fetchone()
    return bool(found and found[0])
