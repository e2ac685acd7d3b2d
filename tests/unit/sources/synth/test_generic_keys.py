"""Tables that hang on others: as many rows as their persons have, all with keys of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.unit.sources.synth.deliveries import broken, one, opened
from tests.unit.sources.synth.test_generic import BOTH, PERSON, REGISTRY, column, delivered


def table(name: str, key: list[str], *columns: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "title": BOTH, "description": BOTH, "primary_key": key, "columns": columns, **more}


def to(parent: str, *columns: str) -> dict[str, Any]:
    return {"foreign_keys": [{"table": parent, "columns": columns, "on_orphan": "refuse"}]}


YEAR = column("year", "year", nullable=False, synth="period_year")
AGES = {"0-14": "young", "15-64": "adult", "65+": "old"}
REGION = column("region", "string(2)", nullable=False)
DEPARTMENT = column("department", "string(3)", nullable=False, pattern="[0-7][0-9]")
COMMUNE = column("commune", "string(5)", nullable=False, synth="commune")
PLACES = [
    table("regions", ["region", "year"], REGION, YEAR),
    table("departments", ["department", "year"], DEPARTMENT, YEAR, REGION,
          **to("regions", "region", "year")),
    table("communes", ["year", "commune", "ages"], COMMUNE, YEAR,
          column("ages", "string(5)", nullable=False, codes=AGES), column("department", "string(3)"),
          **to("departments", "department", "year")),
]  # fmt: skip


def test_a_parent_that_gives_the_key_only_a_part_tells_no_rows_apart(tmp_path: Path) -> None:
    folder, dataset = delivered(tmp_path, REGISTRY | {"tables": PLACES})
    con = opened(folder, dataset)
    assert one(con, "SELECT count(*) FROM regions") == 100
    assert one(con, "SELECT count(*) FROM departments") == one(
        con, "SELECT count(DISTINCT department) FROM departments"
    )
    assert one(con, "SELECT count(DISTINCT department) FROM departments") == 80  # all that the key has room for
    assert one(con, "SELECT count(*) FROM departments ANTI JOIN regions USING (region, year)") == 0
    assert broken(con, dataset) == {}


def test_communes_have_a_row_for_each_code_of_their_key(tmp_path: Path) -> None:
    con = opened(*delivered(tmp_path, REGISTRY | {"tables": PLACES}))
    communes = one(con, "SELECT count(DISTINCT commune) FROM communes")
    keys = one(con, "SELECT count(DISTINCT (year, commune, ages)) FROM communes")
    assert one(con, "SELECT count(*) FROM communes") == keys == communes * len(AGES)


def test_tables_that_lead_to_persons_have_rows_by_person(tmp_path: Path) -> None:
    stay = column("stay", "string(9)", nullable=False, role="record_key")
    stays = table("stays", ["stay"], stay, column("nir", "string(15)", **PERSON))
    wards = table("wards", ["stay", "ward"], stay, column("ward", "integer", nullable=False), **to("stays", "stay"))
    acts = table("acts", [], stay, column("ward", "integer"), **to("wards", "stay", "ward"))
    labels = table("labels", ["code"], column("code", "string(3)", nullable=False))
    form = REGISTRY | {"tables": [acts, wards, stays, labels], "synth": {"rows_per_person": 3}}
    con = opened(*delivered(tmp_path, form, persons=50))
    rows = {name: one(con, f"SELECT count(*) FROM {name}") for name in ("stays", "wards", "acts", "labels")}
    assert rows == {"stays": 150, "wards": 150, "acts": 150, "labels": 100}
