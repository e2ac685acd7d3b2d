"""Documents of a megabyte are taken in within the memory of any other delivery, rejects and quarantine included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.integration.intake_world import World, column, dataset, text

LONG, DOCUMENTS = 1_000_000, 600
MEMORY = "600MB"


def notes(root: Path, form: dict[str, Any]) -> World:
    table = {
        "name": "NOTES",
        "title": text("Notes"),
        "description": text("One row per document"),
        "columns": [
            column("PERSON", "string(36)", nullable=False, role="person_key", identifier_type="person"),
            column("DAY", "date"),
            column("NOTE", "string"),
        ],
    }
    return World.create(root, dataset(tables=[table], format=form), memory_limit=MEMORY, threads=2)


def rows() -> list[tuple[str, str, str]]:
    days = ["2024-01-31", "yesterday", "2024-02-01"]
    return [(f"p{n % 7}", days[n % 3], f"{n:03d} " + "lorem ips " * (LONG // 10)) for n in range(DOCUMENTS)]


@pytest.mark.slow
def test_long_documents_are_loaded_and_rejected_within_the_memory_there_is(tmp_path: Path) -> None:
    world = notes(tmp_path, {"delimiter": ";"})
    lines = [f"{person};{day};{note}\n" for person, day, note in rows()]
    world.drop({"NOTES.csv": "PERSON;DAY;NOTE\n" + "".join(lines)})
    (receipt,) = world.tick()
    assert (receipt.status, receipt.row_count, receipt.rejected_count) == ("accepted_with_rejects", 400, 200)


@pytest.mark.slow
def test_long_documents_come_in_parquet_too(tmp_path: Path) -> None:
    world = notes(tmp_path, {"kind": "parquet"})
    columns = zip(*rows(), strict=True)
    table = pa.table(dict(zip(("PERSON", "DAY", "NOTE"), map(pa.array, columns), strict=True)))
    path = tmp_path / "NOTES.parquet"
    parquet.write_table(table, path, compression="none", use_dictionary=["PERSON"])
    world.drop({"NOTES.parquet": path.read_bytes()})
    (receipt,) = world.tick()
    assert (receipt.status, receipt.row_count, receipt.rejected_count) == ("accepted_with_rejects", 400, 200)
