"""Hospital records are about the persons of the national data, with French identities, and hold together in time."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from stdnum.fr import nir

from tests.unit.sources.synth.deliveries import DATASETS, made, one, opened

EHR = DATASETS["hospital_ehr"]


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    (folder,) = made(tmp_path_factory.mktemp("ehr"), "hospital_ehr", persons=300)
    return opened(folder, EHR)


def test_social_security_numbers_are_well_formed_and_unique(con: duckdb.DuckDBPyConnection) -> None:
    numbers = [number for (number,) in con.execute("SELECT ssn FROM patients").fetchall()]
    assert all(nir.is_valid(number) for number in numbers)
    assert len(set(numbers)) == len(numbers)
    told = "substr(ssn, 2, 4) = substr(birthdate, 3, 2) || substr(birthdate, 6, 2) AND (ssn[1] = '1') = (gender = 'M')"
    assert one(con, f"SELECT count(*) FROM patients WHERE NOT ({told})") == 0


def test_the_same_persons_are_in_the_national_data(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (folder,) = made(tmp_path, "snds_beneficiaries", persons=300)
    reference = opened(folder, DATASETS["snds_beneficiaries"])
    con.execute("CREATE OR REPLACE MACRO own(ssn) AS upper(substr(md5('nir' || ssn), 1, 17))")
    patients = con.execute(
        "SELECT own(ssn), substr(birthdate, 1, 4), CASE gender WHEN 'M' THEN '1' ELSE '2' END FROM patients"
    )
    known = set(reference.execute("SELECT ben_nir_ano, ben_nai_ann, ben_sex_cod FROM ir_ben_r").fetchall())
    rows = patients.fetchall()
    assert sum(row in known for row in rows) > 0.9 * len(rows)


def test_nothing_happens_before_birth_after_death_or_after_the_month(con: duckdb.DuckDBPyConnection) -> None:
    impossible = """SELECT count(*) FROM encounters e JOIN patients p ON p.id = e.patient
        WHERE e.start < p.birthdate OR substr(e.start, 1, 10) > coalesce(p.deathdate, '9999') OR e.start >= '2024-04-01'
           OR e.stop < e.start"""
    assert one(con, impossible) == 0


def test_what_was_done_was_done_in_an_encounter_of_the_same_patient(con: duckdb.DuckDBPyConnection) -> None:
    for table in EHR.tables:
        if {"patient", "encounter"} <= set(table.by_name):
            strange = f"""SELECT count(*) FROM {table.lake_name} t WHERE encounter IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM encounters e WHERE e.id = t.encounter AND e.patient = t.patient)"""
            assert one(con, strange) == 0, table.name


def test_claims_are_paid_in_full(con: duckdb.DuckDBPyConnection) -> None:
    unpaid = """SELECT count(*) FROM (
        SELECT claimid, sum(amount::DECIMAL(18, 2)) FILTER (type = 'CHARGE') AS charged,
            coalesce(sum(payments::DECIMAL(18, 2)), 0) + coalesce(sum(transfers::DECIMAL(18, 2)), 0) AS settled
        FROM claims_transactions GROUP BY ALL) WHERE charged <> settled"""
    assert one(con, unpaid) == 0


def test_a_later_month_repeats_the_earlier_and_adds(tmp_path: Path) -> None:
    earlier, later = (opened(folder, EHR) for folder in made(tmp_path, "hospital_ehr", persons=100, first="2024-02"))
    before = set(earlier.execute("SELECT id, start, patient FROM encounters").fetchall())
    after = set(later.execute("SELECT id, start, patient FROM encounters").fetchall())
    assert before < after


def test_the_traps_are_there(con: duckdb.DuckDBPyConnection) -> None:
    assert one(con, "SELECT count(*) FROM observations WHERE code = '56799-0' AND value LIKE '%rue%'") > 0
    assert one(con, "SELECT count(*) FROM payers WHERE qols_avg = 'NaN'") + one(con, "SELECT count(*) FROM payers") > 3
    assert one(con, "SELECT count(*) FROM patients WHERE first LIKE '%é%' OR first LIKE '%è%' OR first LIKE '%ï%'") > 0
