"""What the keys of a delivery find: whatever the order of their declaration, and only among the rows that stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hdh_assets.core.descriptor import Dataset
from hdh_assets.sources.intake.receipt import Receipt
from tests.integration.intake_world import World, column, dataset, text

TO_A = {"columns": ["PARENT"], "table": "A", "to_columns": ["ID"], "on_orphan": "reject"}
TO_OTHER = TO_A | {"to_columns": ["OTHER"]}


def table(name: str, *columns: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "title": text(name), "description": text(name), "columns": list(columns)} | more


def numbers(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [column(name, "integer", **more) for name in names]


def of(*tables: dict[str, Any], **more: Any) -> Dataset:
    return dataset(sensitivity="open", tables=list(tables), **more)


def taken(tmp_path: Path, described: Dataset, **files: str) -> tuple[World, Receipt]:
    world = World.create(tmp_path, described)
    world.drop({f"{name}.csv": rows.replace(" ", "\n") + "\n" for name, rows in files.items()})
    (receipt,) = world.tick()
    return world, receipt


def told(receipt: Receipt) -> list[tuple[str, str | None, tuple[int, ...], int]]:
    return [(p.rule, p.column, p.lines, p.count) for p in receipt.problems]


def rejected_files(world: World) -> list[str]:
    return sorted(path.stem for path in world.home.quarantine.rglob("*.parquet"))


def test_two_keys_on_the_same_columns_to_the_same_table_each_keep_what_they_rejected(tmp_path: Path) -> None:
    """The rows of the second overwrote those of the first in quarantine."""
    described = of(table("A", *numbers("ID", "OTHER")), table("B", *numbers("PARENT"), foreign_keys=[TO_A, TO_OTHER]))
    world, receipt = taken(tmp_path, described, A="ID;OTHER 1;2 2;2", B="PARENT 1 2 3")
    assert told(receipt) == [("orphan", "PARENT", (4,), 1), ("orphan", "PARENT", (2,), 1)]
    assert rejected_files(world) == ["B.csv.orphan-1.A.PARENT", "B.csv.orphan-2.A.PARENT"]


def test_rows_that_one_key_rejected_are_not_shown_again_by_another(tmp_path: Path) -> None:
    """The orphan's line stood behind those of duplicates of which the same parent was lacking."""
    described = of(
        table("A", *numbers("ID")),
        table("B", *numbers("NUM", "PARENT"), primary_key=["NUM"], on_duplicate_key="reject", foreign_keys=[TO_A]),
        thresholds={"max_reject_ratio": 0.9},
    )
    doubles = " ".join(["7;9"] * 12)
    world, receipt = taken(tmp_path, described, A="ID 1", B=f"NUM;PARENT 1;1 {doubles} 2;9 3;1")
    assert ("orphan", "PARENT", (15,), 1) in told(receipt)
    assert (receipt.tables["b"].rows, receipt.tables["b"].rejected) == (2, 13)
    assert rejected_files(world) == ["B.csv.duplicate_key.NUM", "B.csv.orphan-1.A.PARENT"]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_key_that_refuses_is_looked_at_when_all_that_is_rejected_is_gone(tmp_path: Path, is_first: bool) -> None:
    """Whether a broken key refused the delivery depended on which of two tables was declared first."""
    refusing = {"columns": ["B"], "table": "B", "to_columns": ["ID"], "on_orphan": "refuse"}
    back = {"columns": ["C"], "table": "C", "to_columns": ["ID"], "on_orphan": "count"}
    rejecting = {"columns": ["A"], "table": "A", "to_columns": ["ID"], "on_orphan": "reject"}
    b = table("B", *numbers("ID", "A", "C"), foreign_keys=[rejecting, back])
    c = table("C", *numbers("ID", "B"), foreign_keys=[refusing])
    a = table("A", *numbers("ID"))
    described = of(*([c, b, a] if is_first else [a, b, c]))
    _, receipt = taken(tmp_path, described, A="ID 1", B="ID;A;C 1;1;1 2;8;1 3;1;1", C="ID;B 1;1 2;2")
    assert receipt.status == "refused"
    assert ("orphan", "B", (3,), 1) in told(receipt)


def test_what_means_missing_refers_to_nothing(tmp_path: Path) -> None:
    described = of(
        table("A", *numbers("ID")),
        table("B", *numbers("PARENT", sentinels=["0", "NA"]), foreign_keys=[TO_A | {"on_orphan": "refuse"}]),
    )
    _, receipt = taken(tmp_path, described, A="ID 1", B="PARENT 1 0 000 NA 1")
    assert (receipt.status, receipt.problems) == ("accepted", ())


def test_a_key_to_a_table_that_the_delivery_lacks_is_not_looked_at(tmp_path: Path) -> None:
    described = of(
        table("A", *numbers("ID"), optional=True),
        table("B", *numbers("PARENT"), foreign_keys=[TO_A | {"on_orphan": "refuse"}]),
    )
    _, receipt = taken(tmp_path, described, B="PARENT 1 2")
    assert receipt.status == "accepted"


@pytest.mark.parametrize(("limit", "is_refused"), [(0.29, False), (0.28, True)])
def test_a_share_of_rejects_that_is_the_limit_passes(tmp_path: Path, limit: float, is_refused: bool) -> None:
    """29 of 100 rows are not more than 0.29 of them, whatever 0.29 times 100 makes."""
    described = of(table("A", *numbers("ID")), thresholds={"max_reject_ratio": limit})
    _, receipt = taken(tmp_path, described, A=f"ID {' '.join(['x'] * 29 + ['1'] * 71)}")
    assert (receipt.status == "refused") is is_refused
