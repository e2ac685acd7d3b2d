"""What Parquet files hold comes in by its value, however Arrow would write it down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.integration.intake_world import World, column, dataset, text

COLUMNS = [
    column("KEY", "uuid"),
    column("DOSE", "decimal(18,8)"),
    column("TOTAL", "decimal(18,2)"),
    column("RATIO", "float"),
    column("NOTE", "string(20)", aliases=["N° d'ordre (é)"], optional=True),
    column("TAKEN", "timestamp", optional=True),
    column("DAY", "date", optional=True),
]


def take(root: Path, content: dict[str, Any], *, uuid_of: str | None = None, **settings: Any) -> tuple[World, Any]:
    """The receipt of such a table, its bytes of that column marked as UUIDs."""
    table = {"name": "DOSES", "title": text("Doses"), "description": text("Doses"), "columns": COLUMNS}
    world = World.create(root, dataset(format={"kind": "parquet"}, tables=[table]), **settings)
    made = pa.table(content)
    if uuid_of:
        typed = made[uuid_of].combine_chunks().cast(pa.binary(16))
        uuids = pa.ExtensionArray.from_storage(pa.uuid(), typed)
        made = made.set_column(made.schema.get_field_index(uuid_of), uuid_of, uuids)
    sink = pa.BufferOutputStream()
    parquet.write_table(made, sink)
    world.drop({"DOSES.parquet": bytes(sink.getvalue().to_pybytes())})
    (receipt,) = world.tick()
    return world, receipt


def doses(**changes: Any) -> dict[str, Any]:
    return {
        "KEY": pa.array(["0f8fad5b-d9cb-469f-a165-70867728950e", None]),
        "DOSE": pa.array([Decimal("0.00000001"), None], pa.decimal128(18, 8)),
        "TOTAL": pa.array([123456789012.5, 0.01]),
        "RATIO": pa.array([1e-300, 1.5e12]),
    } | changes


def test_small_decimals_and_large_doubles_are_numbers_of_their_column(tmp_path: Path) -> None:
    world, receipt = take(tmp_path, doses())
    assert receipt.status == "accepted", receipt.problems
    found = world.rows("SELECT dose, total, ratio FROM lake.care.doses ORDER BY total DESC")
    assert found == [
        (Decimal("0.00000001"), Decimal("123456789012.50"), 1e-300),
        (None, Decimal("0.01"), 1.5e12),
    ]


def test_a_column_is_known_by_what_the_producer_calls_it(tmp_path: Path) -> None:
    named = {"n° d'ordre (é)": pa.array(["a", "b"])}
    world, receipt = take(tmp_path, doses() | named)
    assert receipt.status == "accepted", receipt.problems
    assert world.rows("SELECT note FROM lake.care.doses ORDER BY ALL") == [("a",), ("b",)]


def test_a_number_of_more_digits_than_declared_is_rejected(tmp_path: Path) -> None:
    _, receipt = take(tmp_path, doses(DOSE=pa.array([Decimal("1E-9"), Decimal(0)], pa.decimal128(18, 9))))
    assert [(p.rule, p.column, p.line) for p in receipt.problems if p.rule == "type"] == [("type", "DOSE", 2)]


def test_identifiers_of_sixteen_bytes_are_read(tmp_path: Path) -> None:
    key = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
    world, receipt = take(tmp_path, doses(KEY=pa.array([key.bytes, None], pa.binary(16))), uuid_of="KEY")
    assert receipt.status == "accepted", receipt.problems
    assert world.rows("SELECT key FROM lake.care.doses ORDER BY ALL NULLS LAST") == [(key,), (None,)]


@pytest.mark.parametrize(("unit", "zone"), [("s", "UTC"), ("ms", "Europe/Paris"), ("us", "-05:00"), ("ns", "Mars/X")])
def test_an_instant_of_any_zone_becomes_that_of_utc(tmp_path: Path, unit: str, zone: str) -> None:
    moments = [datetime(2024, 3, 31, 0, 30, tzinfo=UTC), None]
    taken = pa.array(moments, pa.timestamp(unit, "UTC")).cast(pa.timestamp(unit, zone))
    world, receipt = take(tmp_path, doses(TAKEN=taken))
    assert receipt.status == "accepted", receipt.problems
    assert world.rows("SELECT taken FROM lake.care.doses ORDER BY ALL NULLS LAST") == [
        (datetime(2024, 3, 31, 0, 30),), (None,),
    ]  # fmt: skip


def test_an_instant_is_no_day_and_none_finer_than_a_microsecond(tmp_path: Path) -> None:
    midnight = datetime(2024, 3, 31, tzinfo=UTC)
    fine = pa.array([1_711_843_200_000_000_001, None], pa.timestamp("ns", "UTC"))
    day = pa.array([None, midnight + timedelta(days=1)], pa.timestamp("us", "UTC"))
    _, receipt = take(tmp_path, doses(TAKEN=fine, DAY=day))
    broken = {(p.column, p.line) for p in receipt.problems if p.rule == "type"}
    assert broken == {("TAKEN", 2), ("DAY", 3)}


@pytest.mark.parametrize(
    ("changes", "rule", "column", "position"),
    [
        ({"NOTE": pa.array([b"\xff", b"a"])}, "column_type", "NOTE", 5),
        ({'a "b"\n;c,': pa.nulls(2)}, "unknown_column", None, 5),
    ],
    ids=["bytes that are no text", "a name of several lines"],
)
def test_an_odd_column_is_told_by_its_position(
    tmp_path: Path, changes: dict[str, Any], rule: str, column: str | None, position: int
) -> None:
    _, receipt = take(tmp_path, doses(**changes))
    assert [(p.rule, p.column) for p in receipt.problems] == [(rule, column)]
    assert f"at position {position} " in receipt.problems[0].found.en


def test_a_file_that_grows_beyond_measure_is_refused_before_it_is_read_whole(tmp_path: Path) -> None:
    rows = 60_000
    note = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * 1000]))
    _, receipt = take(tmp_path, {name: pa.nulls(rows) for name in doses()} | {"NOTE": note}, max_expansion=1)
    (problem,) = receipt.problems
    assert problem.rule == "parquet_too_costly"
    assert "10 times its size" in problem.expected.en
    assert "10 fois sa taille" in problem.expected.fr
