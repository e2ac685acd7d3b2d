"""The generator of the national health insurance: fluxes of reimbursed care, and the reference of beneficiaries.

Which of its tables a dataset gets depends on the names in its descriptor alone.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from hdh_assets.sources.synth import snds_claims, snds_reference
from hdh_assets.sources.synth.engine import write_table
from hdh_assets.sources.synth.registry import Order, register
from hdh_assets.sources.synth.snds_files import query_for

PERSONS_AT_ONCE = 50_000
"""Lines are made for that many persons at a time, which bounds memory; each batch is a part of the delivery."""


@register("snds")
def write_snds(con: duckdb.DuckDBPyConnection, order: Order) -> dict[str, int]:
    """Write the period's files: the fluxes of the tables made of care, the reference of the others."""
    flux = date.fromisoformat(f"{order.period}-01")
    rows = snds_reference.write_reference(con, order, flux)
    if any(query_for(table.lake_name, flux) for table in order.dataset.tables):
        rows |= _write_flux(con, order, flux)
    return rows


def _write_flux(con: duckdb.DuckDBPyConnection, order: Order, flux: date) -> dict[str, int]:
    if not con.execute("FROM duckdb_tables() WHERE table_name = 'item_slot'").fetchall():
        snds_claims.prepare(con)
    starts = range(0, order.persons, PERSONS_AT_ONCE)
    rows: dict[str, int] = {}
    for part, first in enumerate(starts, 1):
        snds_claims.make_lines(con, flux, first, min(first + PERSONS_AT_ONCE, order.persons))
        for table in order.dataset.tables:
            if query := query_for(table.lake_name, flux):
                path = _part(order.folder, table.name, part, len(starts))
                rows[path.name] = write_table(con, query, table, order.dataset.format, path)
    return rows


def _part(folder: Path, table: str, part: int, parts: int) -> Path:
    return folder / (f"{table}.csv" if parts == 1 else f"{table}_{part:03}.csv")
