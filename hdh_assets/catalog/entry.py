"""A catalogue entry: its model, where it is kept in the lake, and reading it back.

One row of `catalog.entry` per dataset, the entry as JSON. Counts and shares only, never a row. Measuring is in
`measure.py`, the page people read in `page.py`. Nothing here knows Dagster.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import duckdb
from pydantic import BaseModel, ConfigDict

from hdh_assets.core.crash import crash_point
from hdh_assets.core.small_counts import told
from resources.lake import has_table, transaction

_TABLE = "lake.catalog.entry"
FORM = 2
"""What an entry tells, and how; one of an earlier form told days of events, and is neither shown nor up to date."""


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class TableEntry(_Frozen):
    """What was delivered of a table and stands."""

    rows: int
    """As loaded, those of persons who objected since included: the number that receipts give."""
    persons: int | None = None
    """Distinct persons; None when the table designates none."""
    first_event: str | None = None
    """Month of the earliest event, `YYYY-MM`; None when the table has no event date or no row.

    Of a table about persons, the first month with events of at least 11.
    """
    last_event: str | None = None
    completeness: dict[str, float] = {}
    """Share of rows where the column is filled, 0 to 1, by column; empty when the table is.

    Of a table about persons, a column filled, or empty, in 1 to 10 rows alone is not there.
    """


class DeliveryEntry(_Frozen):
    """One current delivery."""

    period: str
    rows: int
    """As loaded."""
    rejected: int
    loaded_at: str
    digest: str
    """Its first digits."""
    rows_by_table: dict[str, int] = {}


class Entry(_Frozen):
    """The entry of one dataset."""

    form: int = FORM
    dataset: str
    release: int | None = None
    """The newest release when the entry was made."""
    measured_at: str
    rows: int = 0
    persons: int | None = None
    """Distinct persons over all tables, counted when a delivery comes in; None when the dataset has no person."""
    first_event: str | None = None
    last_event: str | None = None
    tables: dict[str, TableEntry] = {}
    deliveries: tuple[DeliveryEntry, ...] = ()
    """Current deliveries in period order."""
    rejected_by_rule: dict[str, int] = {}
    """Rows concerned by each rule of the intake, over the current deliveries."""

    @property
    def periods(self) -> tuple[str, ...]:
        """Periods the lake shows, in order."""
        return tuple(delivery.period for delivery in self.deliveries)


def now() -> str:
    """The present instant, ISO, to the second, UTC."""
    return datetime.now(UTC).replace(microsecond=0).isoformat()


def read_entries(engine: duckdb.DuckDBPyConnection) -> dict[str, Entry]:
    """Every entry of the present form, by dataset."""
    if not has_table(engine, "catalog", "entry"):
        return {}
    documents = engine.execute(f"SELECT document FROM {_TABLE} ORDER BY dataset").fetchall()
    found = [json.loads(document) for (document,) in documents]
    return {each["dataset"]: Entry.model_validate(each) for each in found if each.get("form") == FORM}


def as_published(entry: Entry) -> dict[str, Any]:
    """The entry as plain values, without small counts of persons and of rows about them: words in their place."""
    document = entry.model_dump(mode="json")
    if entry.persons is not None:
        for counts in (document, *document["tables"].values(), *document["deliveries"]):
            for name in ("rows", "persons"):
                if name in counts:
                    counts[name] = told(counts[name])
        for delivery in document["deliveries"]:
            delivery["rows_by_table"] = {name: told(count) for name, count in delivery["rows_by_table"].items()}
    return document


def write_entry(engine: duckdb.DuckDBPyConnection, entry: Entry) -> None:
    """Replace the dataset's entry, in one transaction."""
    with transaction(engine):
        engine.execute("CREATE SCHEMA IF NOT EXISTS lake.catalog")
        engine.execute(f"CREATE TABLE IF NOT EXISTS {_TABLE} (dataset VARCHAR, document VARCHAR)")
        engine.execute(f"DELETE FROM {_TABLE} WHERE dataset = ?", [entry.dataset])
        document = json.dumps(entry.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        engine.execute(f"INSERT INTO {_TABLE} VALUES (?, ?)", [entry.dataset, document])
        crash_point("catalog.before_commit")
    crash_point("catalog.after_commit")
