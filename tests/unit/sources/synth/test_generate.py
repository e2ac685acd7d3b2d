"""What holds of every synthetic delivery: its form, its keys, and the same bytes whenever it is asked again."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from hdh_assets.core.errors import HubError
from hdh_assets.core.periods import periods_between
from hdh_assets.sources.intake.manifest import parse_manifest, table_of
from hdh_assets.sources.synth import engine, generate, snds
from tests.unit.sources.synth.deliveries import DATASETS, broken, digests, made, one, opened

ALL = tuple(DATASETS)


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One period of every dataset, a hundred and twenty persons."""
    out = tmp_path_factory.mktemp("delivered")
    made(out, *ALL)
    return out


def test_what_is_spilled_is_beside_the_deliveries_and_gone_when_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spills: list[Path] = []

    def opened_there(spill: Path) -> duckdb.DuckDBPyConnection:
        spills.append(spill)
        assert spill.is_dir()
        return engine.open_engine(spill)

    def stop(dataset: str, period: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(generate, "open_engine", opened_there)
    options = {"persons": 1, "first": "2024-01", "last": "2024-01", "seed": 1, "out": tmp_path / "out"}
    with pytest.raises(KeyboardInterrupt):
        generate.generate(DATASETS, ALL, on_progress=stop, **options)
    assert [spill.parent for spill in spills] == [tmp_path / "out"]
    assert list((tmp_path / "out").iterdir()) == []


def folder_of(delivered: Path, dataset_id: str) -> Path:
    return next(path for path in (delivered / dataset_id).iterdir() if path.is_dir())


@pytest.mark.parametrize("dataset_id", ALL)
def test_a_delivery_is_sealed_and_counts_its_rows(delivered: Path, dataset_id: str) -> None:
    folder, dataset = folder_of(delivered, dataset_id), DATASETS[dataset_id]
    manifest = parse_manifest((folder / "manifest.json").read_bytes())
    assert (manifest.dataset, manifest.period) == (dataset_id, folder.name)
    assert {file.name for file in manifest.files} == {path.name for path in folder.iterdir()} - {"manifest.json"}
    tables = {file.name: table_of(dataset, file.name) for file in manifest.files}
    assert {table.name for table in tables.values() if table} == {table.name for table in dataset.tables}
    con = opened(folder, dataset)
    for file in manifest.files:
        table = tables[file.name]
        assert table is not None
        assert one(con, f"SELECT count(*) FROM {table.lake_name}") == file.rows > 0


@pytest.mark.parametrize("dataset_id", ALL)
def test_every_row_obeys_its_descriptor(delivered: Path, dataset_id: str) -> None:
    dataset = DATASETS[dataset_id]
    assert broken(opened(folder_of(delivered, dataset_id), dataset), dataset) == {}


def test_a_row_that_does_not_obey_would_be_found(delivered: Path) -> None:
    dataset = DATASETS["hospital_ehr"]
    con = opened(folder_of(delivered, "hospital_ehr"), dataset)
    con.execute("UPDATE conditions SET stop = '1900-01-01', code = NULL WHERE rowid = 0")
    con.execute("UPDATE medications SET dispenses = '-1' WHERE rowid < 2")
    assert broken(con, dataset) == {
        "conditions order STOP": 1,
        "conditions required CODE": 1,
        "medications range DISPENSES": 2,
    }


@pytest.mark.parametrize("dataset_id", ALL)
def test_primary_keys_are_unique_and_foreign_keys_lead_somewhere(delivered: Path, dataset_id: str) -> None:
    dataset = DATASETS[dataset_id]
    con = opened(folder_of(delivered, dataset_id), dataset)
    for table in dataset.tables:
        if table.primary_key:
            key = ", ".join(table.primary_key)
            assert one(con, f"SELECT count(*) - count(DISTINCT ({key})) FROM {table.lake_name}") == 0, table.name
        for foreign in table.foreign_keys:
            if foreign.on_orphan == "count" and foreign.table == "IR_BEN_R":
                continue  # part of the reference is in the archive
            pairs = zip(foreign.columns, foreign.target_columns, strict=True)
            joined = " AND ".join(f'c."{here}" = p."{there}"' for here, there in pairs)
            orphans = f"""SELECT count(*) FROM {table.lake_name} c WHERE c."{foreign.columns[0]}" IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM {foreign.table.lower()} p WHERE {joined})"""
            assert one(con, orphans) == 0, f"{table.name} → {foreign.table}"


@pytest.mark.parametrize("dataset_id", ALL)
def test_the_same_seed_gives_the_same_bytes(delivered: Path, tmp_path: Path, dataset_id: str) -> None:
    (again, *_) = made(tmp_path, dataset_id)
    assert digests(again) == digests(folder_of(delivered, dataset_id))


@pytest.mark.parametrize("dataset_id", ["snds_dcir", "snds_beneficiaries", "hospital_ehr"])
def test_a_month_is_the_same_alone_or_among_others(delivered: Path, tmp_path: Path, dataset_id: str) -> None:
    folders = made(tmp_path, dataset_id, first="2024-01", last="2024-04")
    assert [folder.name for folder in folders] == ["2024-01", "2024-02", "2024-03", "2024-04"]
    assert digests(folders[2]) == digests(folder_of(delivered, dataset_id))
    assert digests(folders[1]) != digests(folders[2])


def test_the_number_of_threads_does_not_matter(
    delivered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = engine.duckdb.connect
    monkeypatch.setattr(engine.duckdb, "connect", lambda config: original(config=config | {"threads": 1}))
    for folder in made(tmp_path, *ALL):
        assert digests(folder) == digests(delivered / folder.parent.name / folder.name)


def test_another_seed_gives_other_bytes(delivered: Path, tmp_path: Path) -> None:
    (other,) = made(tmp_path, "snds_dcir", seed=8)
    assert digests(other) != digests(folder_of(delivered, "snds_dcir"))


def test_many_persons_make_several_parts_of_the_same_lines(
    delivered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snds, "PERSONS_AT_ONCE", 50)
    (parts,) = made(tmp_path, "snds_dcir")
    assert {"ER_PRS_F_001.csv", "ER_PRS_F_002.csv", "ER_PRS_F_003.csv"} <= {path.name for path in parts.iterdir()}
    whole = (folder_of(delivered, "snds_dcir") / "ER_PRS_F.csv").read_text().splitlines()[1:]
    pieces = [line for n in (1, 2, 3) for line in (parts / f"ER_PRS_F_00{n}.csv").read_text().splitlines()[1:]]
    assert pieces == whole


def test_a_delivery_that_exists_is_replaced(tmp_path: Path) -> None:
    (folder,) = made(tmp_path, "commune_context")
    (folder / "left_over.csv").write_text("x")
    assert made(tmp_path, "commune_context") == [folder]
    listed = [file["name"] for file in json.loads((folder / "manifest.json").read_text())["files"]]
    assert listed == ["commune_indicators.csv"]


@pytest.mark.parametrize(
    ("cadence", "first", "last", "expected"),
    [
        ("monthly", "2023-11", "2024-02", ["2023-11", "2023-12", "2024-01", "2024-02"]),
        ("yearly", "2023-11", "2024-02", ["2023", "2024"]),
        ("quarterly", "2023-11", "2024-04", ["2023-10", "2024-01", "2024-04"]),
        ("daily", "2024-02-28", "2024-03-01", ["2024-02-28", "2024-02-29", "2024-03-01"]),
        ("weekly", "2024-01-03", "2024-01-15", ["2024-01-01", "2024-01-08", "2024-01-15"]),
        ("monthly", "2023-12", "2024", [f"20{m}" for m in ("23-12", *(f"24-{n:02}" for n in range(1, 13)))]),
        ("quarterly", "2024", "2024", ["2024-01", "2024-04", "2024-07", "2024-10"]),
        ("weekly", "2024-02", "2024-02", ["2024-01-29", "2024-02-05", "2024-02-12", "2024-02-19", "2024-02-26"]),
        ("yearly", "2024-02", "2024", ["2024"]),
    ],
)
def test_periods_between_two_dates(cadence: str, first: str, last: str, expected: list[str]) -> None:
    assert periods_between(cadence, first, last) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(("first", "last"), [("2024-02", "2024-01"), ("soon", "2024-01"), ("2024-13", "2025")])
def test_periods_that_are_none_are_refused(first: str, last: str) -> None:
    with pytest.raises(HubError):
        periods_between("monthly", first, last)


def test_unknown_datasets_and_no_persons_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HubError, match="no dataset is called"):
        made(tmp_path, "unknown")
    with pytest.raises(HubError, match="at least one person"):
        made(tmp_path, "snds_dcir", persons=0)


def test_progress_names_each_delivery_before_it_is_made(tmp_path: Path) -> None:
    from hdh_assets.sources.synth.generate import generate

    told: list[tuple[str, str]] = []
    generate(
        DATASETS, ["commune_context"], persons=1, first="2023", last="2024", seed=1, out=tmp_path,
        on_progress=lambda dataset, period: told.append((dataset, period)),
    )  # fmt: skip
    assert told == [("commune_context", "2023"), ("commune_context", "2024")]
