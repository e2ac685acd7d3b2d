"""Which rows break a key, among rows that are in the lake already."""

from __future__ import annotations

from uuid import UUID

import duckdb

from hdh_assets.sources.intake.key_gate import key_faults
from tests.integration.intake_world import dataset

DELIVERY = UUID(int=1)


def found(visits: str) -> list[tuple[str, int]]:
    """The faults of these visits of the persons p1 and p2, by rule, with their rows."""
    engine = duckdb.connect()
    engine.execute("ATTACH ':memory:' AS lake; CREATE SCHEMA lake.care")
    system = f"'{DELIVERY}'::UUID AS _delivery, '2024-01' AS _period"
    persons = "(VALUES ('p1'), ('p2')) AS p (id)"
    engine.execute(f"CREATE TABLE lake.care.persons AS SELECT md5(id)::UUID AS id, {system} FROM {persons}")
    values = f"(VALUES {visits}) AS v (num, person)"
    engine.execute(f"CREATE TABLE lake.care.visits AS SELECT num, md5(person)::UUID AS person, {system} FROM {values}")
    faults = key_faults(engine, dataset(), {"persons", "visits"}, DELIVERY, "2024-01")
    return [(fault.rule, fault.rows) for fault in faults]


def test_a_row_whose_foreign_key_is_empty_is_no_orphan() -> None:
    assert found("(1, 'p1'), (2, NULL)") == []
    assert found("(1, 'p1'), (2, NULL), (3, 'p9'), (4, 'p9')") == [("orphan", 2)]


def test_every_row_of_a_doubled_key_is_counted() -> None:
    assert found("(1, 'p1'), (1, 'p2'), (2, 'p2')") == [("duplicate_key", 2)]
