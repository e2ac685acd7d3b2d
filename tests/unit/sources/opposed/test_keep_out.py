"""Whose rows go: real descriptors over an engine in memory; twins, mentions, unknown ranks, tables without a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import duckdb
import pytest

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.opposition import Opposition, PersonKey
from hdh_assets.sources.opposed.keep_out import Findings, keep_out, learn, numbers, put_keys
from resources.lake_tables import TECHNICAL

DATASETS = load_datasets()
DELIVERY = UUID(int=99)
PSA, OTHER_PSA, NIR, TWIN_NIR, CHILD, CHILD_NIR = (UUID(int=n) for n in range(1, 7))


@pytest.fixture
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """The SNDS tables, empty."""
    with duckdb.connect() as engine:
        engine.execute("ATTACH ':memory:' AS lake")
        for dataset in (DATASETS["snds_beneficiaries"], DATASETS["snds_dcir"]):
            engine.execute(f"CREATE SCHEMA lake.{dataset.id}")
            for table in dataset.tables:
                shape = {column.lake_name: column.duckdb_type for column in table.lake_columns} | TECHNICAL
                columns = ", ".join(f'"{name}" {kind}' for name, kind in shape.items())
                engine.execute(f"CREATE TABLE lake.{dataset.id}.{table.lake_name} ({columns})")
        yield engine


def put(engine: duckdb.DuckDBPyConnection, table: str, **values: Any) -> None:
    given = values | {"_delivery": DELIVERY, "_period": "2024-01", "_file": "f"}
    names = ", ".join(given)
    engine.execute(f"INSERT INTO lake.{table} ({names}) VALUES ({', '.join('?' * len(given))})", list(given.values()))


def beneficiary(engine: duckdb.DuckDBPyConnection, psa: UUID, rank: str, nir: UUID | None, **more: Any) -> None:
    put(engine, "snds_beneficiaries.ir_ben_r", ben_nir_psa=psa, ben_rng_gem=rank, ben_nir_ano=nir, **more)


def prestation(engine: duckdb.DuckDBPyConnection, number: int, psa: UUID | None, rank: str | None) -> None:
    """A line and the drug under it."""
    key = dict.fromkeys(("flx_emt_num", "flx_emt_ord", "flx_emt_typ", "prs_ord_num", "rem_typ_aff"), 1)
    key |= {"dct_ord_num": number, "flx_dis_dtd": "2024-01-01", "flx_trt_dtd": "2024-01-01", "org_cle_num": "O"}
    put(engine, "snds_dcir.er_prs_f", ben_nir_psa=psa, ben_rng_gem=rank, **key)
    put(engine, "snds_dcir.er_pha_f", **key)


def oppose(engine: duckdb.DuckDBPyConnection, *keys: PersonKey, datasets: tuple[str, ...] = ()) -> Findings:
    """Keep one person out of every dataset."""
    now, findings = datetime(2024, 1, 1, tzinfo=UTC), Findings()
    put_keys(engine, [Opposition(1, 1, now, "t", datasets, given=keys)])
    chosen = [DATASETS["snds_beneficiaries"], DATASETS["snds_dcir"]]
    learn(engine, [(d, t) for d in chosen for t in d.tables], DATASETS, findings)
    for dataset in chosen:
        keep_out(engine, dataset, DATASETS, findings)
    return findings


def left(engine: duckdb.DuckDBPyConnection) -> tuple[set[int], set[int], set[tuple[Any, ...]]]:
    """Lines, drugs and beneficiaries that stayed."""
    lines = engine.execute("SELECT dct_ord_num FROM lake.snds_dcir.er_prs_f").fetchall()
    drugs = engine.execute("SELECT dct_ord_num FROM lake.snds_dcir.er_pha_f").fetchall()
    persons = engine.execute("SELECT ben_nir_psa, ben_rng_gem FROM lake.snds_beneficiaries.ir_ben_r").fetchall()
    return {n for (n,) in lines}, {n for (n,) in drugs}, set(persons)


@pytest.fixture
def twins(engine: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Two sisters under one PSA; the first also has a PSA of her own, and is the insured mother of a child."""
    beneficiary(engine, PSA, "1", NIR)
    beneficiary(engine, PSA, "2", TWIN_NIR)
    beneficiary(engine, OTHER_PSA, "1", NIR)
    beneficiary(engine, CHILD, "1", CHILD_NIR, ass_nir_ano=NIR)
    for number, (psa, rank) in enumerate(
        [(PSA, "01"), (PSA, "2"), (PSA, None), (OTHER_PSA, "1"), (CHILD, "1"), (None, "1")]
    ):
        prestation(engine, number, psa, rank)
    return engine


def test_every_pseudonym_of_the_person_goes_and_the_twin_stays(twins: duckdb.DuckDBPyConnection) -> None:
    found = oppose(twins, PersonKey("snds_nir", str(NIR)))
    assert left(twins) == ({1, 4, 5}, {1, 4, 5}, {(PSA, "2"), (CHILD, "1")})
    assert found.rows == 2 + 3 * 2
    assert PersonKey("snds_nir", str(TWIN_NIR)) not in found.keys[1]
    assert {PersonKey("snds_psa", str(PSA), "1"), PersonKey("snds_psa", str(OTHER_PSA), "1")} <= found.keys[1]


def test_who_is_mentioned_on_the_row_of_another_is_no_longer(twins: duckdb.DuckDBPyConnection) -> None:
    oppose(twins, PersonKey("snds_nir", str(NIR)))
    mentioned = twins.execute("SELECT ass_nir_ano FROM lake.snds_beneficiaries.ir_ben_r").fetchall()
    assert set(mentioned) == {(None,)}


def test_the_rank_given_designates_one_twin(twins: duckdb.DuckDBPyConnection) -> None:
    oppose(twins, PersonKey("snds_psa", str(PSA), "2"))
    lines, _, persons = left(twins)
    assert lines == {0, 3, 4, 5}
    assert persons == {(PSA, "1"), (OTHER_PSA, "1"), (CHILD, "1")}


def test_without_a_rank_both_twins_are_kept_out(twins: duckdb.DuckDBPyConnection) -> None:
    oppose(twins, PersonKey("snds_psa", str(PSA)))
    assert left(twins) == ({4, 5}, {4, 5}, {(CHILD, "1")})


def test_an_opposition_to_one_dataset_leaves_the_others(twins: duckdb.DuckDBPyConnection) -> None:
    oppose(twins, PersonKey("snds_nir", str(NIR)), datasets=("snds_dcir",))
    lines, drugs, persons = left(twins)
    assert (lines, drugs, len(persons)) == ({1, 4, 5}, {1, 4, 5}, 4)


def test_somebody_unknown_changes_nothing(twins: duckdb.DuckDBPyConnection) -> None:
    before = left(twins)
    found = oppose(twins, PersonKey("snds_nir", str(UUID(int=1234))))
    assert left(twins) == before
    assert (found.rows, found.places, found.keys, found.persons) == (0, {}, {}, set())


def test_a_person_has_a_number_for_each_key_omop_may_have_hashed(twins: duckdb.DuckDBPyConnection) -> None:
    oppose(twins, PersonKey("snds_psa", str(PSA), "2"))
    by_rank, by_nir = twins.execute(
        f"SELECT (md5_number_lower('person|{PSA}|2') >> 1)::BIGINT, "
        f"(md5_number_lower('person|{TWIN_NIR}') >> 1)::BIGINT"
    ).fetchall()[0]
    assert {by_rank, by_nir} <= numbers(twins, {1})
