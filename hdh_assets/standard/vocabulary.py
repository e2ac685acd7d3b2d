"""The folder of Athena files, checked before dbt reads it: complete, in Athena's layout, and of use.

What the files must hold is what the models of the vocabulary tables declare. Nothing is repaired here, and what the
vocabularies say is not judged.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb
import yaml

from hdh_assets.core.errors import ConfigurationError
from hdh_assets.core.keys import OMOP_DOMAINS
from hdh_assets.core.sql_text import literal
from hdh_assets.standard.sources_yml import PROJECT

_OWN = "source_to_concept_map"
"""The vocabulary table that comes from the hub's seeds and not from Athena."""
_TABLES = tuple(table for table in OMOP_DOMAINS["vocabulary"] if table != _OWN)

_ALMOST_EMPTY = frozenset({"concept_synonym", "drug_strength"})
"""Files that an honest selection of vocabularies may leave without a row."""

_REMEDY = (
    "download the vocabularies again from athena.ohdsi.org (SNOMED, RxNorm, RxNorm Extension, LOINC, CVX and UCUM "
    "among them, and for French codes CIM10, ICD10, CCAM and BDPM) and unpack the whole archive of one download, "
    "unchanged, into the folder that `vocab_dir` names; or unset `vocab_dir` to do with the built-in seed"
)


def check_presence(folder: Path) -> None:
    """Pass when the folder and all its files are there, whatever they hold: takes no time.

    Raises `ConfigurationError` listing every missing file.
    """
    if not folder.is_dir():
        raise ConfigurationError(f"vocabulary folder {folder}: there is no such folder", remedy=_REMEDY)
    missing = [name for table in _TABLES if not (folder / (name := f"{table.upper()}.csv")).is_file()]
    _refuse(folder, [f"{name}: the file is missing" for name in missing])


def check_vocabulary(folder: Path) -> None:
    """Pass when the folder can be loaded.

    Raises `ConfigurationError` listing every missing file, or everything wrong with the files that are there.
    """
    check_presence(folder)
    with duckdb.connect() as engine:
        _refuse(folder, [problem for table in _TABLES for problem in _problems(engine, folder, table)])


def lacking(folder: Path) -> tuple[int, int]:
    """How many concepts that the hub's code names, and how many targets of its own map, the folder does not have.

    Neither is refused: the first keep the hub's own words, codes mapped to the others are not mapped. Reads the
    concepts, which takes seconds. Raises `ConfigurationError` when the file cannot be read.
    """
    maps = yaml.safe_load((PROJECT / "dbt_project.yml").read_text("utf-8"))["vars"]["concept_maps"]
    named = _seed("concept_stub", "concept_id")
    targets = set().union(*(_seed(name, "target_concept_id") for name in maps)) - {"0"}
    path = folder / "CONCEPT.csv"
    query = f"SELECT DISTINCT concept_id FROM {_read(path)} WHERE concept_id IN (SELECT unnest(?))"
    with duckdb.connect() as engine:
        try:
            held = {concept for (concept,) in engine.execute(query, [sorted(named | targets)]).fetchall()}
        except duckdb.Error:
            _refuse(folder, [f"{path.name}: the file is cut or damaged, or is none of Athena's"])
    return len(named - held), len(targets - held)


def _seed(name: str, column: str) -> set[str]:
    (path,) = (PROJECT / "seeds").rglob(f"{name}.csv")
    with path.open(newline="", encoding="utf-8") as file:
        return {row[column] for row in csv.DictReader(file)}


def _refuse(folder: Path, problems: list[str]) -> None:
    if problems:
        listed = "".join(f"\n  {problem}" for problem in problems)
        raise ConfigurationError(f"vocabulary folder {folder}: {len(problems)} problem(s){listed}", remedy=_REMEDY)


def _problems(engine: duckdb.DuckDBPyConnection, folder: Path, table: str) -> list[str]:
    path, columns = folder / f"{table.upper()}.csv", _columns(table)
    names = [column["name"] for column in columns]
    with path.open("rb") as file:
        header = file.readline().decode("utf-8", "replace").strip("\ufeff\r\n").lower().split("\t")
    if sorted(header) != sorted(names):
        return [f"{path.name}, line 1: the columns {', '.join(names)} are expected, separated by tabs"]
    tests = {f"{name} {what}": counted for column in columns for name, what, counted in _tests(column)}
    try:
        found = engine.execute(f"SELECT {', '.join([*tests.values(), 'count(*)'])} FROM {_read(path)}").fetchone() or ()
    except duckdb.Error:
        return [f"{path.name}: the file is cut or damaged: not every line has {len(names)} columns in UTF-8"]
    *wrong, rows = found
    problems = [
        f"{path.name}: {count:,} row(s) whose {test}" for test, count in zip(tests, wrong, strict=False) if count
    ]
    if not rows and table not in _ALMOST_EMPTY:
        problems.append(f"{path.name}: the file holds no row")
    return problems


def _tests(column: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What a column's values must be, as (name, what is wrong, SQL that counts the rows where it is)."""
    name, kind = column["name"], column["data_type"]
    tests = {}
    if kind == "date":
        tests["is not a date written yyyymmdd"] = f"try_strptime({name}, '%Y%m%d') IS NULL"
    else:
        if column.get("constraints"):
            tests["is empty"] = f"{name} IS NULL"
        if not kind.startswith("varchar"):
            tests["is not a number"] = f"{name} IS NOT NULL AND try_cast({name} AS {kind}) IS NULL"
    counted = [(name, what, f"count(*) FILTER ({sql})") for what, sql in tests.items()]
    if column.get("config", {}).get("meta", {}).get("primary_key"):
        counted.append((name, "another row has, too", f"count({name}) - count(DISTINCT {name})"))
    return counted


def _columns(table: str) -> list[dict[str, Any]]:
    declared = yaml.safe_load((PROJECT / "models" / "omop" / f"{table}.yml").read_text("utf-8"))
    columns: list[dict[str, Any]] = declared["models"][0]["columns"]
    return columns


def _read(path: Path) -> str:
    """The rows of the file as text, as the models read them."""
    return f"read_csv({literal(path)}, delim = '\t', quote = '', escape = '', header = true, all_varchar = true)"
