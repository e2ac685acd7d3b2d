"""Delivered tables follow their descriptors, and which delivery is shown does not depend on the order of arrival."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from hdh_assets.core.column import Column, Text
from hdh_assets.core.descriptor import Dataset, Mode
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home, Settings
from resources.lake import Lake, transaction
from resources.lake_tables import (
    DeliveryRow,
    deliveries,
    ensure_tables,
    find_delivery,
    is_latest,
    is_widening,
    register,
    rivals,
    supersede,
    type_conflicts,
)

DATASET = load_datasets()["commune_context"]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(Home(tmp_path), Settings())


def with_columns(*columns: Column) -> Dataset:
    (table,) = DATASET.tables
    return DATASET.model_copy(update={"tables": (table.model_copy(update={"columns": columns}),)})


def shape(lake: Lake) -> dict[str, str]:
    with lake.reader() as engine:
        rows = engine.execute("DESCRIBE lake.commune_context.commune_indicators").fetchall()
    return {row[0]: row[1] for row in rows}


def test_tables_have_the_declared_and_the_technical_columns(lake: Lake) -> None:
    for _ in range(2):
        with lake.writer() as engine:
            ensure_tables(engine, {DATASET.id: DATASET})
    found = shape(lake)
    assert list(found)[-3:] == ["_delivery", "_period", "_file"]
    assert found["fdep"] == "DECIMAL(9,5)"
    with lake.reader() as engine:
        assert find_delivery(engine, "a" * 64) is None


def test_a_column_the_descriptor_gains_is_added_and_another_type_is_told(lake: Lake) -> None:
    columns = DATASET.tables[0].columns
    gained = Column(name="gained", type="integer", description=Text(en="x", fr="x"))
    changed = {DATASET.id: with_columns(*columns, gained.model_copy(update={"type": "date"}))}
    with lake.writer() as engine:
        ensure_tables(engine, {DATASET.id: DATASET})
        ensure_tables(engine, {DATASET.id: with_columns(*columns, gained)})
        assert type_conflicts(engine, {DATASET.id: with_columns(*columns, gained)}) == []
        ensure_tables(engine, changed)
        (conflict,) = type_conflicts(engine, changed)
    assert "gained is BIGINT in the lake and DATE in the descriptor" in conflict
    assert shape(lake)["gained"] == "BIGINT"


def test_a_type_that_became_wider_is_followed_with_its_rows_and_a_column_may_become_empty(lake: Lake) -> None:
    narrow = Column(name="amount", type="decimal(6,2)", description=Text(en="x", fr="x"))
    (table,) = DATASET.tables
    keyed = with_columns(*table.columns, narrow)
    keyed = keyed.model_copy(
        update={"tables": (keyed.tables[0].model_copy(update={"primary_key": (*table.primary_key, "amount")}),)}
    )
    wide = with_columns(*table.columns, narrow.model_copy(update={"type": "decimal(9,3)"}))
    values = ", ".join(f"'1' AS {name.lower()}" for name in table.primary_key)
    technical = "uuid() AS _delivery, '2023' AS _period, 'f' AS _file"
    insert = f"INSERT INTO lake.{DATASET.id}.{table.lake_name} BY NAME SELECT {values}, {technical}, "
    with lake.writer() as engine:
        ensure_tables(engine, {DATASET.id: keyed})
        engine.execute(f"{insert} 1234.56 AS amount")
        ensure_tables(engine, {DATASET.id: wide})
        assert type_conflicts(engine, {DATASET.id: wide}) == []
        engine.execute(f"{insert} NULL AS amount")
        engine.execute(f"{insert} 123456.789 AS amount")
    assert shape(lake)["amount"] == "DECIMAL(9,3)"
    with lake.reader() as engine:
        found = engine.execute(f"SELECT amount::VARCHAR FROM lake.{DATASET.id}.{table.lake_name} ORDER BY ALL")
        assert found.fetchall() == [("1234.560",), ("123456.789",), (None,)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("SMALLINT", "BIGINT", True),
        ("BIGINT", "SMALLINT", False),
        ("BIGINT", "DECIMAL(19,0)", True),
        ("BIGINT", "DECIMAL(20,2)", False),
        ("DECIMAL(6,2)", "DECIMAL(8,3)", True),
        ("DECIMAL(6,2)", "DECIMAL(7,4)", False),
        ("DECIMAL(6,2)", "DOUBLE", True),
        ("DECIMAL(15,2)", "DOUBLE", True),
        ("DECIMAL(16,2)", "DOUBLE", False),
        ("BIGINT", "DOUBLE", False),
        ("DOUBLE", "DECIMAL(38,2)", False),
        ("DATE", "TIMESTAMP", True),
        ("TIMESTAMP", "DATE", False),
        ("VARCHAR", "UUID", False),
        ("UUID", "VARCHAR", False),
    ],
)
def test_a_type_is_widened_only_where_no_value_changes(old: str, new: str, expected: bool) -> None:
    assert is_widening(old, new) is expected


def row(period: str, sealed: int, number: int = 0) -> DeliveryRow:
    instant = datetime(2024, 1, 1, sealed, tzinfo=UTC)
    digest = f"{period}{sealed}{number}"
    number = int(period) * 1000 + sealed * 10 + number
    return DeliveryRow(
        delivery_id=UUID(int=number), digest=digest, dataset=DATASET.id, period=period, producer="p", status="current",
        loaded_at=instant, descriptor_version=1, row_count=0, rejected_count=0, tables="{}", files="[]", receipt="{}",
        run_id="r", sealed_at=instant,
    )  # fmt: skip


@pytest.mark.parametrize("mode", list(Mode))
def test_any_order_shows_the_same_deliveries(mode: Mode) -> None:
    dataset = DATASET.model_copy(update={"mode": mode})
    arrivals = [row("2023", 1), row("2023", 2), row("2023", 2, 1), row("2024", 1), row("2022", 3)]

    def shown(order: tuple[DeliveryRow, ...]) -> set[str]:
        current: list[DeliveryRow] = []
        for arrival in order:
            others = rivals(dataset, arrival.period, current)
            if is_latest(arrival.period, arrival.sealed_at, arrival.digest, others):
                current = [known for known in current if known not in others] + [arrival]
        return {known.digest for known in current}

    (only,) = {frozenset(shown(order)) for order in itertools.permutations(arrivals)}
    by_year = {"202321", "202410", "202230"}
    assert only == {Mode.append: by_year, Mode.snapshot: {"202410"}, Mode.cumulative: by_year}[mode]


def test_a_delivery_loaded_again_is_recorded_once(lake: Lake) -> None:
    with lake.writer() as engine:
        ensure_tables(engine, {DATASET.id: DATASET})
        with transaction(engine):
            register(engine, row("2024", 1))
        with transaction(engine):
            register(engine, replace(row("2024", 1), run_id="again"))
        (found,) = deliveries(engine, DATASET.id)
        assert (found.run_id, found.sealed_at) == ("again", row("2024", 1).sealed_at)
        assert find_delivery(engine, found.digest) == found


def test_what_became_of_a_delivery_is_told_by_the_last_word_on_it(lake: Lake) -> None:
    with lake.writer() as engine:
        ensure_tables(engine, {DATASET.id: DATASET})
        first, second = row("2023", 1), row("2024", 2)
        register(engine, first)
        register(engine, second)
        supersede(engine, DATASET, [first])
        assert deliveries(engine) == [replace(first, status="superseded"), second]
        register(engine, first)
        assert deliveries(engine) == [first, second]


def test_the_register_of_a_lake_made_before_it_was_only_added_to_goes_on(lake: Lake) -> None:
    with lake.writer() as engine:
        ensure_tables(engine, {DATASET.id: DATASET})
        register(engine, row("2024", 1))
        engine.execute("CREATE TABLE lake.meta.former AS FROM lake.meta.delivery")
        engine.execute("DROP VIEW lake.meta.delivery")
        engine.execute("DROP TABLE lake.meta.registration")
        engine.execute("ALTER TABLE lake.meta.former RENAME TO delivery")
    with lake.writer() as engine:
        ensure_tables(engine, {DATASET.id: DATASET})
        register(engine, replace(row("2024", 1), status="superseded"))
        register(engine, row("2025", 1))
        assert [found.status for found in deliveries(engine)] == ["superseded", "current"]
