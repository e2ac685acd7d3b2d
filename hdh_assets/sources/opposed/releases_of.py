"""Which releases hold somebody who objects, and what releases still know of a person that the head has forgotten.

A release shares most of its deliveries with the head: those are known from what was removed there. Only deliveries
that were replaced since are looked for, each once, in the newest release that has it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import duckdb

from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.sources.opposed.keep_out import Findings, copy_keys, find, keys_of, learn
from hdh_assets.sources.opposed.probes import person_types, within
from resources.lake import ALIAS, Lake
from resources.releases import Release, usable_releases

Datasets = Mapping[str, Dataset]
Delivery = tuple[str, str]
"""Dataset and delivery id."""


def learn_from_releases(lake: Lake, engine: duckdb.DuckDBPyConnection, datasets: Datasets, findings: Findings) -> None:
    """Complete `opposed_key` of `engine` with what replaced references of usable releases say."""
    for release, gone in _replaced(engine):
        with lake.reader(snapshot=release.snapshot_id) as reader:
            copy_keys(engine, reader)
            for dataset, table, where in _tables(reader, gone, datasets):
                learn(reader, [(dataset, table)], datasets, findings, where)
            copy_keys(reader, engine)


def holding(
    lake: Lake, engine: duckdb.DuckDBPyConnection, datasets: Datasets, thinned: Collection[Delivery]
) -> set[int]:
    """Usable releases that hold rows of a person of `opposed_key`; `thinned` are deliveries known to have had some."""
    types, found = person_types(list(datasets.values())), Findings()
    if keys_of(engine):
        for release, gone in _replaced(engine):
            with lake.reader(snapshot=release.snapshot_id) as reader:
                copy_keys(engine, reader)
                for dataset, table, where in _tables(reader, gone, datasets):
                    find(reader, dataset, table, types, found, where)
    lost = set(thinned) | found.deliveries
    return {release.number for release, listed in _deliveries(engine) if lost & listed.keys()}


def _replaced(engine: duckdb.DuckDBPyConnection) -> list[tuple[Release, set[Delivery]]]:
    """Usable releases, newest first, each with the deliveries no longer current that no newer one has."""
    seen: set[Delivery] = set()
    found = []
    for release, listed in reversed(_deliveries(engine)):
        gone = {delivery for delivery, is_current in listed.items() if not is_current} - seen
        seen |= gone
        found += [(release, gone)] if gone else []
    return found


def _deliveries(engine: duckdb.DuckDBPyConnection) -> list[tuple[Release, dict[Delivery, bool]]]:
    """Usable releases, oldest first, each with its deliveries and whether they are still current."""
    rows = engine.execute(f"SELECT digest, delivery_id::VARCHAR, status FROM {ALIAS}.meta.delivery").fetchall()
    known = {digest: (delivery, status == "current") for digest, delivery, status in rows}
    return [
        (
            release,
            {
                (name, known[each["digest"]][0]): known[each["digest"]][1]
                for name, deliveries in release.contents["deliveries"].items()
                for each in deliveries
                if each["digest"] in known
            },
        )
        for release in usable_releases(engine)
    ]


def _tables(
    reader: duckdb.DuckDBPyConnection, gone: Collection[Delivery], datasets: Datasets
) -> Iterator[tuple[Dataset, Table, str]]:
    """Tables the release has in their present shape, with the condition on rows of these deliveries."""
    rows = reader.execute(
        "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE database_name = ?", [ALIAS]
    ).fetchall()
    present = {(schema, table, column) for schema, table, column in rows}
    for dataset in datasets.values():
        ids = {delivery for name, delivery in gone if name == dataset.id}
        for table in dataset.tables if ids else ():
            if all((dataset.id, table.lake_name, column.lake_name) in present for column in table.lake_columns):
                yield dataset, table, within(ids)
