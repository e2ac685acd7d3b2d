"""A small hub for the intake's tests: a home with keys, two datasets, and deliveries made by hand."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.home import Home, Settings
from hdh_assets.sources.intake.receipt import Receipt
from hdh_assets.sources.intake.run import take_in
from hdh_assets.sources.intake.seal import seal
from resources.inbox import scan
from resources.keys import Purpose, open_keys
from resources.lake import Lake, open_lake
from resources.vault import ChunkReader, Vault

SEALED = datetime(2024, 2, 1, 8, tzinfo=UTC)
NIR, NAME = "185059912345671", "Ymperatrice Zéphyrine"


def text(value: str) -> dict[str, str]:
    return {"en": value, "fr": value}


def column(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "description": text(name)} | more


def identities_in(vault: Vault, path: Path) -> list[dict[str, Any]]:
    """The identities that a file of the vault keeps."""
    return parquet.read_table(pa.BufferReader(ChunkReader(vault.chunks(path)).readall())).to_pylist()


def dataset(dataset_id: str = "care", **changes: Any) -> Dataset:
    """Persons and their visits: semicolons, decimal comma, day first."""
    content: dict[str, Any] = {
        "id": dataset_id,
        "version": 1,
        "title": text("Care"),
        "description": text("Care"),
        "producer": {"id": "clinic", "name": "Clinic", "contact": "x@clinic.example"},
        "owner": "team:care",
        "family": "hospital",
        "maturity": "pilot",
        "legal_basis": text("law"),
        "sensitivity": "nominative",
        "cadence": "monthly",
        "first_period": "2023-01",
        "mode": "append",
        "history": text("kept"),
        "charter_version": "1.0",
        "economic_terms": text("free"),
        "format": {"delimiter": ";", "decimal": ",", "date": "%d/%m/%Y"},
        "thresholds": {"max_reject_ratio": 0.7},
        "tables": [
            {
                "name": "PERSONS",
                "title": text("Persons"),
                "description": text("One row per person"),
                "primary_key": ["ID"],
                "columns": [
                    column("ID", "string(36)", nullable=False, role="person_key", identifier_type="person"),
                    column("NIR", "string(15)", role="direct_identifier", identifier_type="nir"),
                    column("NAME", "string(80)", role="direct_identifier"),
                    column("SEX", "string(1)", codes={"1": "man", "2": "woman"}),
                ],
            },
            {
                "name": "VISITS",
                "title": text("Visits"),
                "description": text("One row per visit"),
                "primary_key": ["NUM"],
                "on_duplicate_key": "reject",
                "foreign_keys": [
                    {"columns": ["PERSON"], "table": "PERSONS", "to_columns": ["ID"], "on_orphan": "reject"}
                ],
                "columns": [
                    column("NUM", "integer", nullable=False),
                    column("PERSON", "string(36)", nullable=False, role="person_key", identifier_type="person"),
                    column("DAY", "date"),
                    column("COST", "decimal(7,2)", minimum=0, maximum=1000),
                    column("NOTE", "string(20)", aliases=["REMARK", "Remarque (libellé)"], optional=True),
                ],
            },
        ],
    } | changes
    return Dataset.model_validate(content)


PERSONS = f"ID;NIR;NAME;SEX\np1;{NIR};{NAME};1\np2;2700175123456;Durand;2\n"
VISITS = "NUM;PERSON;DAY;COST;NOTE\n1;p1;31/01/2024;12,50;a\n2;p2;29/02/2024;0;b\n3;p1;01/02/2024;7;\n"


@dataclass
class World:
    """A home, its datasets, and the gestures of a producer and an operator."""

    home: Home
    datasets: dict[str, Dataset]
    settings: Settings

    @classmethod
    def create(cls, root: Path, *datasets: Dataset, **settings: Any) -> World:
        home = Home(root / "l'hôpital")
        open_keys(home).create_missing(tuple(Purpose))
        return cls(home, {d.id: d for d in datasets or (dataset(),)}, Settings.load(home, **settings))

    def drop(
        self,
        files: dict[str, str | bytes],
        period: str = "2024-01",
        *,
        of: str = "care",
        minutes: int = 0,
        **edits: Any,
    ) -> Path:
        """A sealed delivery in the inbox; `edits` change its manifest after sealing."""
        description = self.datasets[of]
        folder = self.home.inbox / description.producer.id / of / period
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        manifest = seal(folder, description, period, sealed_at=SEALED + timedelta(minutes=minutes))
        if edits:
            manifest.write_text(json.dumps(json.loads(manifest.read_text()) | edits))
        return folder

    def tick(self, run_id: str = "run") -> list[Receipt]:
        """Take in all there is, oldest first."""
        return [self.take(dropped, run_id) for dropped in scan(self.home, self.datasets)]

    def take(self, dropped: Any, run_id: str = "run") -> Receipt:
        return take_in(self.home, self.settings, self.datasets, dropped, run_id=run_id)

    def deliver(
        self, visits: str | bytes = VISITS, persons: str | bytes = PERSONS, period: str = "2024-01", **more: Any
    ) -> Receipt:
        self.drop({"PERSONS.csv": persons, "VISITS.csv": visits}, period, **more)
        (receipt,) = self.tick()
        return receipt

    def lake(self) -> Lake:
        return open_lake(self.home, self.settings)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if not self.settings.lake_catalog and not (self.home.lake / "catalog.sqlite").exists():
            return []
        with open_lake(self.home, self.settings).reader() as engine:
            return engine.execute(sql).fetchall()

    def visits(self) -> list[tuple[Any, ...]]:
        """The visits in the lake, without what tells one delivery from another."""
        return self.rows("SELECT num, person::VARCHAR, day, cost, note, _period FROM lake.care.visits ORDER BY ALL")

    def deliveries(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT period, digest, status FROM lake.meta.delivery ORDER BY ALL")

    def empty_inbox(self) -> None:
        shutil.rmtree(self.home.inbox, ignore_errors=True)


def refused(world: World) -> dict[str, list[tuple[str | None, int | None]]]:
    """The rules that refused the one delivery of the inbox, with file and line."""
    before = world.deliveries()
    (receipt,) = world.tick()
    assert receipt.status == "refused", receipt.to_json()
    assert world.deliveries() == before
    place = world.home.quarantine / receipt.producer / receipt.dataset / receipt.period / receipt.digest[:12]
    assert (place / "receipt.md").exists()
    assert (place / "delivery" / "manifest.json").is_symlink() or (place / "delivery" / "manifest.json").exists()
    assert not any(world.home.inbox.rglob("manifest.json"))
    found: dict[str, list[tuple[str | None, int | None]]] = {}
    for problem in receipt.problems:
        found.setdefault(problem.rule, []).append((problem.file, problem.line))
    return found


def cut(folder: Path, name: str, content: bytes, rows: int | None = None) -> None:
    """Replace a file and seal that very content, keeping the rows announced unless `rows` says another number."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    for file in manifest["files"]:
        if file["name"] == name:
            file |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            file["rows"] = file["rows"] if rows is None else rows
    (folder / "manifest.json").write_text(json.dumps(manifest))
