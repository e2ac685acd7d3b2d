"""Tracing one row of an extract: to the producer's file it is a line of, or those with its person's lines of that day.

A row of a delivered table is found again by its values. Of a CDM table it is as near as the lake can tell: a person's
day (and the visit the record belongs to), since those tables hold exactly the official columns and a record may be the
balance of several lines. Nothing of a row is said but where it came from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import polars as pl
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.digests import short
from hdh_assets.core.errors import HubError
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.keys import LakeTable
from hdh_assets.core.person_number import person_number
from hdh_assets.core.sql_text import literal, quoted
from hdh_assets.extracts.build import read_schema
from hdh_assets.extracts.omop_rules import PERSON_ID, ROWS
from hdh_assets.extracts.persons import identities, prepare_persons
from hdh_assets.extracts.plan import OMOP, check_decided, event_tables, plan_extract
from hdh_assets.extracts.project_keys import ProjectKeys
from hdh_assets.extracts.provenance import Delivery, deliveries
from hdh_assets.extracts.replacing import ROWS_AT_ONCE, replaced_rows, rows_at_once
from hdh_assets.extracts.selection import rows_of, select_table, within
from hdh_assets.extracts.versions import Version
from hdh_assets.extracts.ways import whose
from hdh_assets.governance.dossier import Period
from hdh_assets.governance.register import permit_of
from hdh_assets.standard.lineage import delivered_tables
from resources.keys import open_keys
from resources.lake import open_lake
from resources.registry import Registry
from resources.releases import find

_KEPT_APART = ("cost", "device_exposure")
"""Tables of which staging keeps the person and the day of care, since their own columns tell other days or none."""
_PROVE = "prove the extract first: `hdh extract rebuild`"
_NO_YEARS = (1, 1600)
"""Years of the dates that mean none (rules 15 and 43)."""


@dataclass(frozen=True)
class _Place:
    """Whose a record is, and of when; no period: all that is known of the person may have made it."""

    person: int
    periods: tuple[Period, ...]

    def when(self, table: Table) -> str:
        """SQL condition on a delivered table. Lines without a date count: rule 37 dates some by their prescription."""
        column = table.event_column
        if column is None or not self.periods:
            return ""
        conditions = [within(table, period) for period in self.periods]
        conditions.append(f't."{column.lake_name}" IS NULL')
        if column.kind in {"date", "timestamp"}:
            conditions.append(f'year(t."{column.lake_name}") IN ({", ".join(map(str, _NO_YEARS))})')
        return f"({' OR '.join(conditions)})"


def trace_row(
    home: Home, settings: Settings, datasets: Mapping[str, Dataset], version: Version, path: Path, number: int
) -> list[dict[str, Any]]:
    """Producers' files that hold the row, or lines of its person and day: a row per file, with how many lines.

    `path` is a file of data of the extract `version`; `number` the record's own in a CDM table, in a delivered one the
    row's position from 1. Raises `HubError` when there is no such row; `RefusedError` when the release was retired.
    """
    if path.name.startswith(f"{OMOP}."):
        return _trace_record(home, settings, datasets, version, path, number)
    return _trace_line(home, settings, datasets, version, path, number)


def _trace_line(
    home: Home, settings: Settings, datasets: Mapping[str, Dataset], version: Version, path: Path, position: int
) -> list[dict[str, Any]]:
    """The rows of the release that are delivered as this one: the very one, or its equals in every delivered column."""
    if not 0 < position <= pq.read_metadata(path).num_rows:
        raise HubError(f"{path} has no row {position}", remedy="give the position of one, from 1")
    with Registry(home, settings) as registry:
        permit = permit_of(registry, version.project, version.basis.permit)
    keys, lake = ProjectKeys(open_keys(home), version.project), open_lake(home, settings)
    with lake.reader(snapshot=find(lake, version.basis.release).snapshot_id) as engine:
        plans = plan_extract(permit, datasets, read_schema(engine))
        plan = next(plan for plan in plans if plan.file == f"data/{path.name}")
        prepare_persons(engine, permit, plans, datasets, keys)
        selection = select_table(plan, permit.period, datasets, tuple(event_tables(plans)), {}).with_origin()
        engine.execute(
            "CREATE TABLE memory.wanted AS SELECT * EXCLUDE file_row_number "
            f"FROM read_parquet({literal(path)}, file_row_number = true) WHERE file_row_number = {position - 1}"
        )
        same = " AND ".join(f'found."{name}" IS NOT DISTINCT FROM wanted."{name}"' for name in selection.delivered)
        at_once = rows_at_once(engine, plan, datasets)
        with replaced_rows(engine, selection, keys, at_once) as source:
            found = engine.execute(
                f"SELECT _delivery::UUID, _file, count(*) FROM ({selection.unordered(source)}) AS found "
                f"SEMI JOIN memory.wanted ON {same} GROUP BY ALL"
            ).fetchall()
        if not found:
            raise HubError("the release no longer holds this row", remedy=_PROVE)
        known = {delivery.digest[:32]: delivery for delivery in deliveries(engine)}
        return _counted(plan.table.schema, found, known)


def _trace_record(
    home: Home, settings: Settings, datasets: Mapping[str, Dataset], version: Version, path: Path, number: int
) -> list[dict[str, Any]]:
    """Files with lines of the record's person and day. Files about nobody (places, professionals, code lists)
    are left to the trace of the whole table. Raises `HubError` also when the record is of no person.
    """
    table = path.name.removeprefix(f"{OMOP}.").removesuffix(".parquet")
    own = _own_column(path, table)
    if pq.read_table(path, columns=[own], filters=[(own, "=", number)]).num_rows == 0:
        raise HubError(f"{path} has no such {own}", remedy=f"give a value of its column {own}")
    lake = open_lake(home, settings)
    release = find(lake, version.basis.release)
    with lake.reader(snapshot=release.snapshot_id) as engine:
        hub_number = _hub_number(engine, table, own, ProjectKeys(open_keys(home), version.project), number)
        place = _place(engine, table, own, hub_number)
        tables = [
            (datasets[dataset], datasets[dataset].by_name[name])
            for dataset, name in sorted(delivered_tables(table))
            if dataset in datasets
        ]
        tables = [(dataset, each) for dataset, each in tables if whose(dataset, each)]
        schema = read_schema(engine)
        for dataset, each in tables:
            check_decided(dataset, each, schema)
        _keep_pseudonyms(engine, place.person, tables)
        known = {delivery.digest[:32]: delivery for delivery in deliveries(engine)}
        return [row for dataset, each in tables for row in _lines(engine, dataset, each, place, known)]


def _own_column(path: Path, table: str) -> str:
    own = PERSON_ID if table == "death" else f"{table}_id"
    if table not in ROWS or own not in pq.read_schema(path).names:
        raise HubError(
            f"rows of {path.name} have no number of their own by which one could be traced",
            remedy="trace the whole file, without --row",
        )
    return own


def _hub_number(engine: duckdb.DuckDBPyConnection, table: str, own: str, keys: ProjectKeys, number: int) -> int:
    """The hub's number of a record. The project's cannot be turned back, so those of the whole table are made again."""
    batches = engine.execute(f'SELECT "{own}" FROM lake.omop."{table}"').to_arrow_reader(ROWS_AT_ONCE)
    for batch in batches:
        column = batch.column(0)
        is_person = own == PERSON_ID
        numbers = keys.pseudonyms(pl.Series(column))["number"].to_arrow() if is_person else keys.number(column)
        if (at := pc.index(numbers, number).as_py()) >= 0:
            return int(column[at].as_py())
    raise HubError("the release no longer holds this record", remedy=_PROVE)


def _place(engine: duckdb.DuckDBPyConnection, table: str, own: str, number: int) -> _Place:
    """A record's days are its own and that on which its visit began."""
    rows, names = ROWS[table], set(engine.execute(f"FROM lake.omop.{table} LIMIT 0").pl().columns)
    source, person_of = f"lake.omop.{table} AS t", f"t.{PERSON_ID}"
    if table in _KEPT_APART:
        source += f" JOIN lake.staging.int_hub__scope_of_{table} AS care USING ({own})"
        person_of, dates = f"care.{PERSON_ID}", ["care.care_date"]
    elif PERSON_ID not in names:
        raise HubError(f"a row of {table} is of no person", remedy="trace the whole file, without --row")
    elif rows.kind in {"clipped", "within"}:
        dates = [f"t.{rows.start}", f"t.{rows.end}"]
    else:
        dates = [f"t.{rows.start}"] if rows.start else []
    if "visit_occurrence_id" in names:
        source += " LEFT JOIN lake.omop.visit_occurrence AS visit USING (visit_occurrence_id)"
        dates.append("visit.visit_start_date")
    query = f"SELECT {person_of}, {', '.join(dates) or 'NULL'} FROM {source} WHERE t.{own} = ?"
    person, *found = engine.execute(query, [number]).fetchall()[0]
    days = [each for each in found if each is not None]
    spans = [days] if rows.kind in {"clipped", "within"} else [[each, each] for each in dict.fromkeys(days)]
    return _Place(person, tuple(Period.model_validate({"from": first, "to": last}) for first, last in spans if days))


def _keep_pseudonyms(engine: duckdb.DuckDBPyConnection, person: int, tables: Sequence[tuple[Dataset, Table]]) -> None:
    """`person_key(hub, is_allowed)`: the pseudonyms that designate the person, alone or with a twin's."""
    selects = [
        f'SELECT "{column}" AS hub FROM lake.staging."{table}" WHERE person_id = {person}'
        for table, column in identities(engine)
    ]
    for dataset, table in tables:
        if owner := whose(dataset, table):
            source = LakeTable(dataset.id, owner.lake_name).sql
            selects += [
                f"SELECT {column} AS hub FROM {source} WHERE {person_number(column)} = {person}"
                for column in (quoted(key.lake_name) for key in owner.deciding_keys)
            ]
    hubs = " UNION ALL ".join(dict.fromkeys(selects))
    engine.execute(f"CREATE TABLE memory.person_key AS SELECT DISTINCT hub, true AS is_allowed FROM ({hubs})")


def _lines(
    engine: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    table: Table,
    place: _Place,
    known: Mapping[str, Delivery],
) -> list[dict[str, Any]]:
    found = engine.execute(
        f"SELECT t._delivery, t._file, count(*) {rows_of(dataset, table, place.when)} GROUP BY ALL"
    ).fetchall()
    return _counted(dataset.id, found, known)


def _counted(
    dataset: str, found: Sequence[tuple[UUID, str, int]], known: Mapping[str, Delivery]
) -> list[dict[str, Any]]:
    return [
        {
            "dataset": dataset,
            "period": delivery.period,
            "delivery": short(delivery.digest),
            "name": file,
            "sha256": delivery.digests()[file],
            "lines": count,
        }
        for identifier, file, count in sorted(found, key=lambda row: (known[row[0].hex].period, row[1]))
        for delivery in [known[identifier.hex]]
    ]
