"""The reference of beneficiaries as it stands in a month: every pseudonym a person has had, and long-term illnesses.

A delivery of month M tells what was known on its first day; who died, moved or fell ill later is not yet in it.
"""

from __future__ import annotations

from datetime import date

import duckdb

from hdh_assets.sources.synth.engine import has_table, run, slots, sql, write_table
from hdh_assets.sources.synth.order import Order

_ARCHIVED_BEFORE = "DATE '2013-01-01'"


def write_reference(con: duckdb.DuckDBPyConnection, order: Order, as_of: date) -> dict[str, int]:
    """Write the tables of the reference that the dataset describes; rows by file name."""
    queries = _queries()
    tables = [table for table in order.dataset.tables if table.lake_name in queries]
    if not tables:
        return {}
    if not has_table(con, "illness_slot"):
        _prepare(con)
    run(con, "snds_pseudonym", as_of=f"DATE '{as_of}'")
    run(con, "snds_exemption", as_of=f"DATE '{as_of}'")
    rows: dict[str, int] = {}
    for table in tables:
        path = order.folder / f"{table.name}.csv"
        rows[path.name] = write_table(con, queries[table.lake_name], table, order.dataset.format, path)
    return rows


def _queries() -> dict[str, str]:
    beneficiary = sql("snds_beneficiary")
    return {
        "ir_ben_r": beneficiary.format(which=f"last_care >= {_ARCHIVED_BEFORE}"),
        "ir_ben_r_arc": beneficiary.format(which=f"last_care < {_ARCHIVED_BEFORE}"),
        "ir_imb_r": sql("ir_imb_r"),
    }


def _prepare(con: duckdb.DuckDBPyConnection) -> None:
    slots(
        con,
        "illness_slot",
        """
        SELECT b.range::INTEGER AS band, icd10, weight::INTEGER AS weight, position
        FROM code_illnesses JOIN range(5) b
          ON min_age::INTEGER <= [1, 15, 39, 64, 120][1 + b.range]
         AND max_age::INTEGER >= [0, 2, 16, 40, 65][1 + b.range]
        """,
        "band",
        "icd10",
    )
