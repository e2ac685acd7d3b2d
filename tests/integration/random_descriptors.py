"""Descriptors by chance: tables, columns, keys and dialects of every kind a descriptor may say, as hypothesis draws."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from intake_world import column, text

from hdh_assets.core.descriptor import Dataset

PLAIN = (
    "string(30)",
    "integer",
    "decimal(9,2)",
    "decimal(4,4)",
    "float",
    "date",
    "timestamp",
    "year",
    "yearmonth",
    "boolean",
    "uuid",
)
IDENTIFYING = ("string(40)", "integer", "uuid")
SENTINEL = "0"
SURVEY = {"A": "an answer", "B": "an address"}
Drawn = dict[str, Any]


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """A dataset of one to three tables, each of which may be under one before it."""
    kind = draw(st.sampled_from(("string(40)", "integer", "uuid")))
    tables: list[Drawn] = []
    for number in range(draw(st.integers(1, 3))):
        tables.append(draw(_table(number, tables, kind)))
    cadence, first = draw(st.sampled_from((("monthly", "2024-01"), ("yearly", "2024"), ("daily", "2024-01-01"))))
    return Dataset.model_validate(
        {
            "id": "chance",
            "version": 1,
            "title": text("Chance"),
            "description": text("Drawn for a test"),
            "producer": {"id": "lab", "name": "A laboratory", "contact": "lab@example.org"},
            "owner": "team:tests",
            "family": "laboratory",
            "maturity": "pilot",
            "legal_basis": text("none"),
            "sensitivity": "nominative",
            "cadence": cadence,
            "first_period": first,
            "mode": draw(st.sampled_from(("append", "snapshot", "cumulative"))),
            "history": text("all"),
            "charter_version": "1",
            "economic_terms": text("free"),
            "format": draw(_format()),
            "thresholds": {"max_reject_ratio": 0},
            "synth": {"rows_per_person": draw(st.sampled_from((0.5, 2)))},
            "tables": tables,
        }
    )


@st.composite
def _format(draw: st.DrawFn) -> Drawn:
    if draw(st.integers(0, 4)) == 0:
        return {"kind": "parquet"}
    quote = draw(st.sampled_from(('"', "'", None)))
    delimiter = draw(st.sampled_from((",", ";", "|", "\t")))
    return {
        "delimiter": delimiter,
        "quote": quote,
        "encoding": draw(st.sampled_from(("utf-8", "utf-8-sig", "cp1252", "latin-1"))),
        "decimal": draw(st.sampled_from((".", ","))) if quote or delimiter != "," else ".",
        "date": draw(st.sampled_from(("%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%d-%b-%y"))),
        "timestamp": draw(st.sampled_from(("%Y-%m-%dT%H:%M:%SZ", "%d/%m/%Y %H:%M:%S"))),
    }


@st.composite
def _table(draw: st.DrawFn, number: int, before: list[Drawn], identifier: str) -> Drawn:
    name = f"T{number}"
    columns: list[Drawn] = [
        column("ID", "integer", nullable=False, role=draw(st.sampled_from(("payload", "record_key"))))
    ]
    table = {"name": name, "title": text(name), "description": text(name), "primary_key": ["ID"], "columns": columns}
    if before and draw(st.booleans()):
        parent = draw(st.sampled_from(before))["name"]
        columns.append(column("PARENT", "integer", role="record_key"))
        orphan = draw(st.sampled_from(("count", "reject", "refuse")))
        table["foreign_keys"] = [{"columns": ["PARENT"], "table": parent, "to_columns": ["ID"], "on_orphan": orphan}]
    if draw(st.booleans()):
        columns += draw(_person(identifier))
    columns += [draw(_plain(position)) for position in range(draw(st.integers(0, 4)))]
    if draw(st.integers(0, 3)) == 0:
        columns.append(column("ASKED", "string(1)", nullable=False, codes=SURVEY))
        columns.append(column("ANSWER", "string(30)", identifying_when={"ASKED": ["B"]}))
    return table


@st.composite
def _person(draw: st.DrawFn, identifier: str) -> list[Drawn]:
    """A person key, perhaps with the rank that tells twins apart, and what only the vault may know."""
    is_ranked = draw(st.integers(0, 3)) == 0
    key = column("WHO", identifier, role="person_key", identifier_type="chance_person")
    key |= {"nullable": draw(st.booleans())} | ({"told_apart_by": "RANK"} if is_ranked else {})
    key |= {"sentinels": [SENTINEL]} if draw(st.booleans()) else {}
    found = [key]
    if is_ranked:
        found.append(
            column("RANK", draw(st.sampled_from(("integer", "string(1)"))), codes={"1": "first", "2": "other"})
        )
    is_lacking = {"optional": True} if draw(st.booleans()) else {}
    if draw(st.booleans()):
        found.append(column("NIR", "string(15)", role="direct_identifier", identifier_type="nir", **is_lacking))
    if draw(st.booleans()):
        found.append(column("FAMILY_NAME", "string(80)", role="direct_identifier", synth="last_name", **is_lacking))
    if draw(st.booleans()):
        found.append(column("MENTIONED", identifier, identifier_type="chance_person", **is_lacking))
    return found


@st.composite
def _plain(draw: st.DrawFn, position: int) -> Drawn:
    kind = draw(st.sampled_from(PLAIN))
    more: Drawn = {"nullable": draw(st.booleans())}
    if draw(st.integers(0, 3)) == 0:
        more = {"optional": True}
    if kind in ("integer", "float") and draw(st.booleans()):
        more |= {"minimum": -5, "maximum": 40}
    if kind == "string(30)":
        shape = draw(st.sampled_from(({}, {"pattern": "[A-Z]{2}[0-9]{3}"}, {"codes": {"é": "accent", "a b": "blank"}})))
        more |= shape
    role = draw(st.sampled_from(("payload", "quasi_identifier", "sensitive", "direct_identifier")))
    return column(f"C{position}", kind, role=role, **more)
