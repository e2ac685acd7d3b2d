"""The generator of hospital records in the layout of a Synthea export, about the persons of the shared population.

Six persons in ten have a record; their social security number is the one the national pseudonyms come from, so that
the two datasets can be linked where identities are seen. A delivery tells the whole history since 2018, up to the end
of its month: a later month repeats it and adds to it.
"""

from __future__ import annotations

from datetime import date

import duckdb

from hdh_assets.sources.synth.engine import has_table, run, slots, sql, write_table
from hdh_assets.sources.synth.order import Order


def write_synthea(con: duckdb.DuckDBPyConnection, order: Order) -> dict[str, int]:
    """Write one file per table of the export; rows by file name."""
    if not has_table(con, "ehr_slot"):
        _prepare(con)
    as_of = f"DATE '{_next_month(order.period)}'"
    run(con, "ehr_base", as_of=as_of)
    rows: dict[str, int] = {}
    for table in order.dataset.tables:
        path = order.folder / f"{table.name}.csv"
        query = sql(f"ehr_{table.lake_name}").format(as_of=as_of)
        rows[path.name] = write_table(con, query, table, order.dataset.format, path)
    return rows


def _prepare(con: duckdb.DuckDBPyConnection) -> None:
    slots(
        con,
        "ehr_slot",
        """
        SELECT kind, b.range::INTEGER AS band, position, weight::INTEGER AS weight
        FROM code_ehr JOIN range(5) b
          ON kind IN ('observation', 'allergy', 'careplan', 'device', 'supply', 'payer')
          OR (low::INTEGER <= [1, 15, 39, 64, 120][1 + b.range] AND high::INTEGER >= [0, 2, 16, 40, 65][1 + b.range])
        """,
        "kind, band",
        "position",
    )


def _next_month(period: str) -> date:
    year, month = map(int, period.split("-"))
    return date(year + month // 12, month % 12 + 1, 1)
