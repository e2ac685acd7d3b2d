"""Any dataset a descriptor can describe: made, taken in, read again, left by who objects and come back to.

What must be in the lake is read from the files by Python alone, cell by cell.
"""

from __future__ import annotations

import csv
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_world import World
from random_descriptors import SENTINEL, datasets

from hdh_assets.catalog.measure import measure
from hdh_assets.core.column import Column
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.dialect import Format
from hdh_assets.core.sql_text import literal
from hdh_assets.sources.intake.run import retake
from hdh_assets.sources.intake.seal import seal
from hdh_assets.sources.opposed.apply import apply_oppositions
from hdh_assets.sources.opposed.record import record_oppositions, withdraw_opposition
from hdh_assets.sources.synth.generate import generate
from resources.keys import open_keys
from resources.pseudonyms import open_pseudonymiser

Cells = dict[str, Any]
"""What a file holds of one row: texts, or values where the format has types; no key for a column it lacks."""
Rows = dict[str, Counter[tuple[Any, ...]]]
"""What the lake must show, by table."""
PERSONS = 12
TWO_PERIODS = {"monthly": ("2024-01", "2024-02"), "yearly": ("2024", "2025"), "daily": ("2024-01-01", "2024-01-02")}


@pytest.mark.parametrize("examples", [4, pytest.param(100, marks=pytest.mark.slow)])
def test_any_dataset_comes_in_cell_by_cell_leaves_and_comes_back(examples: int) -> None:
    chosen = settings(
        max_examples=examples,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    chosen(given(described=datasets(), seed=st.integers(0, 1 << 30))(live))()


def live(described: Dataset, seed: int) -> None:
    """Two periods of a dataset on a hub of its own."""
    with tempfile.TemporaryDirectory() as folder:
        world, chance = World.create(Path(folder), described), random.Random(seed)
        persons: set[str] = set()
        expected = deliver(world, described, chance, persons)
        for receipt in world.tick():
            assert (receipt.status, receipt.problems, receipt.rejected_count) == ("accepted", (), 0)
        assert shown(world, described) == expected
        with world.lake().writer() as engine:
            entry = measure(engine, described)
        assert {name: found.rows for name, found in entry.tables.items()} == {t: n.total() for t, n in expected.items()}
        ((last,),) = world.rows("SELECT max(period) FROM lake.meta.delivery WHERE status = 'current'")
        retake(world.home, world.settings, world.datasets, described.id, last, run_id="again")
        assert shown(world, described) == expected
        if persons:
            leave_and_come_back(world, described, chance.choice(sorted(persons)), expected)


def leave_and_come_back(world: World, described: Dataset, identifier: str, before: Rows) -> None:
    """The rows of the person go, and mentions of them; rows under other rows may follow those. Then all come back."""
    ((entry, _),) = record_oppositions(world.home, world.settings, [(identifier, "")], "chance_person")
    apply_oppositions(world.home, world.settings, world.datasets, run_id="run")
    gone, left = pseudonyms(world)(identifier), shown(world, described)
    for table in described.tables:
        others = without(table, before[table.lake_name], gone)
        assert left[table.lake_name] <= others
        assert table.foreign_keys or left[table.lake_name] == others
    withdraw_opposition(world.home, world.settings, entry.number)
    apply_oppositions(world.home, world.settings, world.datasets, run_id="run")
    assert shown(world, described) == before


def without(table: Table, rows: Counter[tuple[Any, ...]], gone: UUID) -> Counter[tuple[Any, ...]]:
    """The rows of a table that are not the person's, with nothing where they mention the person."""
    keys = [place for place, column in enumerate(table.lake_columns) if column.is_person_key]
    left: Counter[tuple[Any, ...]] = Counter()
    for row, count in rows.items():
        if gone not in [row[place] for place in keys]:
            left[tuple(None if cell == gone else cell for cell in row)] += count
    return left


def deliver(world: World, described: Dataset, chance: random.Random, persons: set[str]) -> Rows:
    """Drop two periods, each without some of the optional columns; what the lake must show, and who is in it."""
    first, last = TWO_PERIODS[described.cadence]
    made = generate(
        world.datasets, [described.id], persons=PERSONS, first=first, last=last, seed=1, out=world.home.root / "made"
    )
    kept: list[Rows] = []
    for folder in made:
        kept.append({})
        for table in described.tables:
            rows = rewrite(folder / f"{table.name}.{described.format.kind}", table, described.format, chance)
            persons.update(str(row["WHO"]) for row in rows if row.get("WHO") not in (None, "", SENTINEL))
            kept[-1][table.lake_name] = Counter(map(reader(world, table, described.format), rows))
        seal(folder, described, folder.name)
        target = world.home.inbox / described.producer.id / described.id / folder.name
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(target)
    if described.mode == "append" or (described.cadence == "yearly" and described.mode == "cumulative"):
        return {name: kept[0][name] + kept[1][name] for name in kept[0]}
    return kept[1]


def rewrite(path: Path, table: Table, dialect: Format, chance: random.Random) -> list[Cells]:
    """The rows of a file, after some optional columns and some persons were taken from it."""
    lacking = {column.name for column in table.columns if column.optional and chance.random() < 0.5}
    names = [column.name for column in table.columns if column.name not in lacking]
    if dialect.kind == "parquet":
        wanted = ", ".join(names)
        with duckdb.connect() as engine:
            engine.execute(f"CREATE TABLE made AS SELECT {wanted} FROM read_parquet({literal(path)})")
            engine.execute(f"COPY made TO {literal(path)} (FORMAT parquet)")
            return [dict(zip(names, row, strict=True)) for row in engine.execute("FROM made").fetchall()]
    chance.shuffle(names)
    form: Any = {"delimiter": dialect.delimiter, "quotechar": dialect.quote or None}
    form |= {"quoting": csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE}
    with path.open(encoding=dialect.encoding, newline="") as file:
        rows = [{name: row[name] for name in names} for row in csv.DictReader(file, **form)]
    nobody = [column.name for column in table.columns if column.sentinels and column.nullable]
    for row in rows:
        row.update({name: SENTINEL for name in nobody if chance.random() < 0.2})
    with path.open("w", encoding=dialect.encoding, newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator=chance.choice(["\n", "\r\n"]), **form)
        writer.writeheader()
        writer.writerows(rows)
    return rows


def reader(world: World, table: Table, dialect: Format) -> Callable[[Cells], tuple[Any, ...]]:
    """How Python understands a row of the table, as the lake must hold it."""
    pseudonym = pseudonyms(world)

    def of(column: Column, row: Cells) -> Any:
        cell = row.get(column.name)
        if cell is None or cell == "":
            return None
        if column.identifying_when and row["ASKED"] == "B":
            return None
        if column.is_pseudonymised:
            return None if cell in column.sentinels else pseudonym(str(cell))
        return typed(column, cell, dialect) if isinstance(cell, str) else cell

    return lambda row: tuple(of(column, row) for column in table.lake_columns)


def typed(column: Column, cell: str, dialect: Format) -> Any:
    match column.kind:
        case "integer" | "year":
            return int(cell)
        case "decimal":
            return Decimal(cell.replace(dialect.decimal, "."))
        case "float":
            return float(cell.replace(dialect.decimal, "."))
        case "date":
            return datetime.strptime(cell, dialect.date).date()
        case "timestamp":
            return datetime.strptime(cell, dialect.timestamp)
        case "boolean":
            return {"true": True, "false": False}[cell]
        case "uuid":
            return UUID(cell)
    return cell


def pseudonyms(world: World) -> Callable[[str], UUID]:
    keys = open_pseudonymiser(open_keys(world.home))
    return cache(lambda identifier: UUID(keys.pseudonymise(pl.Series([identifier]), "chance_person")[0]))


def shown(world: World, described: Dataset) -> Rows:
    """Every column the descriptor gives the lake, of every row it shows."""
    found: Rows = {}
    for table in described.tables:
        columns = ", ".join(f'"{column.lake_name}"' for column in table.lake_columns)
        found[table.lake_name] = Counter(world.rows(f'SELECT {columns} FROM lake.chance."{table.lake_name}"'))
    return found
