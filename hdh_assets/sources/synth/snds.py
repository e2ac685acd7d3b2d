"""The generator of the national health insurance: fluxes of reimbursed care, and the reference of beneficiaries.

Which files a dataset gets follows from the tables its descriptor names.
"""

from __future__ import annotations

from datetime import date

import duckdb

from hdh_assets.core.descriptor import Table
from hdh_assets.sources.synth import snds_claims, snds_reference
from hdh_assets.sources.synth.engine import has_table, sql, write_table
from hdh_assets.sources.synth.order import Order

FLUX_TABLES = ("er_prs_f", "er_pha_f", "er_cam_f", "er_bio_f", "er_tip_f", "er_ucd_f", "er_ete_f")

PERSONS_AT_ONCE = 30_000
"""Lines are made for that many persons at a time, which bounds memory; each batch is a part of the delivery."""


def write_snds(con: duckdb.DuckDBPyConnection, order: Order) -> dict[str, int]:
    """Write the period's files; rows by file name. The period is the month the flux was made available."""
    month = date.fromisoformat(f"{order.period}-01")
    rows = snds_reference.write_reference(con, order, month)
    tables = [table for table in order.dataset.tables if table.lake_name in FLUX_TABLES]
    if tables:
        rows |= _write_flux(con, order, month, tables)
    return rows


def _write_flux(con: duckdb.DuckDBPyConnection, order: Order, flux: date, tables: list[Table]) -> dict[str, int]:
    if not has_table(con, "item_slot"):
        snds_claims.prepare(con)
    keys = sql("snds_keys").format(flux=f"DATE '{flux}'", ordinal=(flux.year - 2000) * 12 + flux.month)
    starts = range(0, order.persons, PERSONS_AT_ONCE)
    rows: dict[str, int] = {}
    for part, first in enumerate(starts, 1):
        snds_claims.make_lines(con, flux, first, first + PERSONS_AT_ONCE)
        for table in tables:
            name = f"{table.name}.csv" if len(starts) == 1 else f"{table.name}_{part:03}.csv"
            query = sql(table.lake_name).format(keys=keys)
            rows[name] = write_table(con, query, table, order.dataset.format, order.folder / name)
    return rows
