"""SNDS deliveries, from sealed files to OMOP, compared row by row with what the rules make of the same files."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import duckdb
import pytest
from snds_hub import Both
from snds_oracle_reference import day

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.errors import HubError
from hdh_assets.core.sql_text import literal
from hdh_assets.extracts.build import build_extract
from hdh_assets.extracts.trace import trace_record
from hdh_assets.standard.report import standardisation_report
from resources.lake import open_lake
from resources.registry import Registry
from resources.releases import make_release
from tests.concepts import unknown_concepts_of_seeds, unknown_references, untold_concepts
from tests.extract_hub import dossier, grant

pytestmark = pytest.mark.timeout(600)

NINE = (
    "DCT_ORD_NUM",
    "FLX_DIS_DTD",
    "FLX_EMT_NUM",
    "FLX_EMT_ORD",
    "FLX_EMT_TYP",
    "FLX_TRT_DTD",
    "ORG_CLE_NUM",
    "PRS_ORD_NUM",
    "REM_TYP_AFF",
)
_WHO = "JOIN lake.omop.person USING (person_id)"


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return Both(tmp_path_factory.mktemp("snds"), seed=20240401)


def same(found: list[tuple[Any, ...]], expected: Any) -> None:
    """The same rows, each as many times."""
    wanted = Counter(expected)
    assert wanted, "the cases exercise nothing"
    surplus, missing = Counter(found) - wanted, wanted - Counter(found)
    assert (list(surplus.elements())[:5], list(missing.elements())[:5]) == ([], [])
    assert len(found) == wanted.total()


def test_rule_19_extractions_name_pseudonyms_otherwise_and_every_row_comes_in(both):
    assert [receipt.status for receipt in both.receipts] == ["accepted"] * 4
    assert [node.name for node in both.result.nodes if not node.is_good] == []


def test_persons_and_deaths(both):
    found = both.rows(
        "SELECT year_of_birth, month_of_birth, gender_concept_id, gender_source_value, location_source_value,"
        " death_date FROM lake.omop.person LEFT JOIN lake.omop.location USING (location_id)"
        " LEFT JOIN lake.omop.death USING (person_id)"
    )
    same(found, both.reference.person_rows())


def test_long_term_illnesses(both):
    found = both.rows(
        "SELECT year_of_birth, condition_source_value, condition_start_date, condition_end_date"
        f" FROM lake.omop.condition_occurrence {_WHO}"
    )
    same(found, both.reference.conditions)


def test_every_concept_and_domain_of_a_table_or_a_seed_is_known(both):
    assert unknown_references(both.rows) == set()
    assert unknown_concepts_of_seeds(both.rows) == set()
    unplaced = "SELECT concept_id FROM lake.omop.concept WHERE standard_concept = 'S' AND domain_id = 'Undefined'"
    assert both.rows(unplaced) == []


def test_a_concept_is_zero_where_something_was_said_and_empty_where_nothing_was(both):
    assert untold_concepts(both.rows) == set()


def test_visits(both):
    found = both.rows(
        "SELECT p.year_of_birth, visit_start_date, visit_end_date, visit_concept_id, visit_type_concept_id,"
        " visit_source_value, care_site_source_value, pr.provider_source_value"
        " FROM lake.omop.visit_occurrence AS v JOIN lake.omop.person AS p USING (person_id)"
        " LEFT JOIN lake.omop.provider AS pr ON pr.provider_id = v.provider_id"
        " LEFT JOIN lake.omop.care_site AS c ON c.care_site_id = v.care_site_id"
    )
    same(found, both.dcir.visit_rows())


@pytest.mark.parametrize(
    ("table", "columns", "expected"),
    [
        (
            "drug_exposure",
            "drug_exposure_start_date, drug_exposure_end_date, drug_source_value, quantity, days_supply,"
            " drug_type_concept_id, provider_source_value",
            "drug_rows",
        ),
        (
            "procedure_occurrence",
            "procedure_date, procedure_end_date, procedure_source_value, quantity, modifier_source_value,"
            " procedure_type_concept_id, provider_source_value",
            "procedure_rows",
        ),
        (
            "measurement",
            "measurement_date, measurement_source_value, value_as_number, measurement_type_concept_id,"
            " provider_source_value",
            "measurement_rows",
        ),
        (
            "device_exposure",
            "device_exposure_start_date, device_exposure_end_date, device_source_value, quantity,"
            " device_type_concept_id",
            "device_rows",
        ),
        (
            "observation",
            "observation_date, observation_source_value, value_as_number, observation_type_concept_id",
            "observation_rows",
        ),
    ],
)
def test_events(both, table, columns, expected):
    found = both.rows(
        f"SELECT p.year_of_birth, {columns} FROM lake.omop.{table} AS e"
        " JOIN lake.omop.person AS p ON p.person_id = e.person_id"
        " LEFT JOIN lake.omop.provider AS pr ON pr.provider_id = e.provider_id"
    )
    same(found, getattr(both.dcir, expected)())


def test_events_hang_on_a_visit_of_their_person_and_day(both):
    for table, start in (("drug_exposure", "drug_exposure_start_date"), ("measurement", "measurement_date")):
        [(apart,)] = both.rows(
            f"SELECT count(*) FROM lake.omop.{table} AS e LEFT JOIN lake.omop.visit_occurrence AS v"
            " USING (visit_occurrence_id) WHERE e.visit_occurrence_id IS NOT NULL"
            f" AND (v.person_id, v.visit_start_date) IS DISTINCT FROM (e.person_id, e.{start})"
        )
        assert apart == 0


def test_a_day_without_a_time_is_midnight_but_of_deaths(both):
    """The CDM's convention and the published mapping's; a missing day has no time either, and deaths have none."""
    pairs = both.rows(
        "SELECT m.table_name, m.column_name, d.column_name FROM information_schema.columns AS m"
        " JOIN information_schema.columns AS d USING (table_catalog, table_schema, table_name)"
        " WHERE table_catalog = 'lake' AND table_schema = 'omop' AND m.column_name LIKE '%_datetime'"
        " AND m.column_name <> 'death_datetime'"
        " AND d.column_name = replace(m.column_name, '_datetime', '_date')"
    )
    assert both.rows("SELECT count(*) > 0, count(death_datetime) FROM lake.omop.death") == [(True, 0)]
    filled = set()
    for table, moment, date_column in pairs:
        [(times, apart)] = both.rows(
            f"SELECT count({moment}), count(*) FILTER ({moment} IS DISTINCT FROM {date_column}::TIMESTAMP)"
            f" FROM lake.omop.{table}"
        )
        assert apart == 0, (table, moment)
        filled |= {table} if times else set()
    assert filled == {
        "condition_occurrence",
        "device_exposure",
        "drug_exposure",
        "measurement",
        "metadata",
        "observation",
        "procedure_occurrence",
        "visit_occurrence",
    }


def test_money(both):
    found = both.rows(
        "SELECT p.year_of_birth, v.visit_start_date, revenue_code_source_value, round(sum(total_charge), 2),"
        " round(sum(total_paid), 2), round(sum(paid_by_payer), 2), sum(paid_by_primary), round(sum(paid_by_patient), 2)"
        " FROM lake.omop.cost JOIN lake.omop.visit_occurrence AS v ON visit_occurrence_id = cost_event_id"
        " JOIN lake.omop.person AS p USING (person_id) GROUP BY ALL"
    )
    same(found, both.dcir.costs)


def test_no_money_of_a_kept_line_is_lost(both):
    """What the lines come to is in the cost table, or in events that the report counts."""
    billed = sum(line["PRS_PAI_MNT"] for line in both.dcir.entries)
    paid = sum(line["BSE_REM_MNT"] + line["CPL_REM_MNT"] for line in both.dcir.entries)
    [standardised] = both.rows("SELECT sum(total_charge), sum(paid_by_payer) FROM lake.omop.cost")
    counted = both.rows(
        "SELECT sum(charge)::DOUBLE, sum(paid_basic + paid_supplement)::DOUBLE,"
        " count(*) FILTER (quantity = 0 AND charge = 0)"
        " FROM lake.staging.int_snds_dcir__event WHERE quantity <= 0"
        " OR (kind IN ('prs', 'cpl', 'owe') AND visit_occurrence_id IS NULL)"
    )
    [(charge, reimbursed, alone)] = counted
    assert alone, "the cases correct no reimbursement alone"
    assert (float(billed), float(paid)) == pytest.approx((standardised[0] + charge, standardised[1] + reimbursed))


def test_payers_and_observation_periods(both):
    found = both.rows(
        "SELECT year_of_birth, payer_source_value, plan_source_value, payer_plan_period_start_date,"
        f" payer_plan_period_end_date FROM lake.omop.payer_plan_period {_WHO}"
    )
    same(found, both.dcir.payer_rows())
    periods = both.rows(
        "SELECT year_of_birth, observation_period_start_date, observation_period_end_date, period_type_concept_id"
        f" FROM lake.omop.observation_period {_WHO}"
    )
    same(periods, both.dcir.period_rows())


def test_the_report_of_a_release_counts_what_is_left_out_by_rule_and_what_is_mapped_by_code_list(both):
    lake = open_lake(both.world.home, both.world.settings)
    report = standardisation_report(lake, make_release(lake, checks={"passed": 1}))
    assert both.dcir.costs
    assert both.reference.conditions
    for dataset, expected in (("snds_dcir", both.dcir.dropped), ("snds_beneficiaries", both.reference.dropped)):
        found: Counter[str] = Counter()
        for row in report["left_out"]:
            assert row["reason"]
            found[row["rule"]] += row["rows"] if row["dataset"] == dataset else 0
        assert +found == +expected
    mapped = {row["code_list"]: row for row in report["mapped"]}
    assert set(mapped) == {"FR_CIM10", "FR_CIP13", "FR_UCD", "FR_CCAM", "FR_NABM", "FR_LPP", "FR_PRS_NAT_REF"}
    events = Counter(row[3] for row in both.dcir.drug_rows() if not row[3].startswith("000"))
    known = {"3400921923056", "3400922143378"} & set(events)
    assert mapped["FR_CIP13"]["rows"] == events.total()
    assert mapped["FR_CIP13"]["codes"] == len(events)
    assert mapped["FR_NABM"]["codes"] == mapped["FR_NABM"]["mapped_codes"] == 3
    assert mapped["FR_CIP13"]["mapped_codes"] == len(known) > 0


def test_a_record_of_an_extract_leads_to_the_lines_of_its_person_and_day(both, tmp_path):
    """Against the lines as they were written: by flux and file, those of the person's keys, that day or undated."""
    world, datasets = both.world, load_datasets()
    with Registry(world.home, world.settings) as registry:
        tables = ("person", "drug_exposure", "device_exposure", "cost", "visit_occurrence")
        asked = {f"omop.{name}": "all" for name in tables}
        permit = grant(registry, dossier("traced", tables=asked, period={"from": "2024-01-01", "to": "2024-12-31"}))
    release = make_release(open_lake(world.home, world.settings), checks={"passed": 1})
    data = build_extract(world.home, world.settings, datasets, permit, release).version.folder / "data"
    delivered = {name: f"read_parquet({literal(data / f'omop.{name}.parquet')})" for name in tables}
    records = duckdb.execute(
        "SELECT drug_exposure_id, year_of_birth, drug_exposure_start_date, visit_start_date"
        f" FROM {delivered['drug_exposure']} JOIN {delivered['person']} USING (person_id)"
        f" LEFT JOIN {delivered['visit_occurrence']} USING (visit_occurrence_id) ORDER BY ALL"
    ).fetchall()
    assert len(records) > 20
    path = str(data / "omop.drug_exposure.parquet")
    for number, year, *days in records[:: len(records) // 6]:
        found = trace_record(world.home, world.settings, datasets, path, number).deliveries
        care = {(row["period"], row["name"]): row["lines"] for row in found if row["dataset"] == "snds_dcir"}
        assert care == _lines_of(both, year, {None, *days})
        assert any(name in {"ER_PHA_F.csv", "ER_UCD_F.csv"} for _, name in care)
        assert {row["name"] for row in found} & {"IR_BEN_R.csv", "IR_BEN_R_ARC.csv"}
    path_of_devices = str(data / "omop.device_exposure.parquet")
    [(number, year, cared)] = duckdb.execute(
        f"SELECT device_exposure_id, year_of_birth, visit_start_date FROM {delivered['device_exposure']}"
        f" JOIN {delivered['person']} USING (person_id)"
        f" JOIN {delivered['visit_occurrence']} USING (visit_occurrence_id)"
        " WHERE device_exposure_start_date <> visit_start_date ORDER BY ALL LIMIT 1"
    ).fetchall()
    found = trace_record(world.home, world.settings, datasets, path_of_devices, number).deliveries
    care = {(row["period"], row["name"]): row["lines"] for row in found if row["dataset"] == "snds_dcir"}
    assert care == _lines_of(both, year, {None, cared})
    [(cost,)] = duckdb.execute(f"SELECT max(cost_id) FROM {delivered['cost']}").fetchall()
    assert trace_record(world.home, world.settings, datasets, str(data / "omop.cost.parquet"), cost).deliveries
    with pytest.raises(HubError, match="has no such drug_exposure_id"):
        trace_record(world.home, world.settings, datasets, path, -1)


def test_a_row_of_a_delivered_table_leads_to_the_very_file_it_came_in(both, tmp_path):
    world, datasets = both.world, load_datasets()
    with Registry(world.home, world.settings) as registry:
        tables = ("snds_dcir.er_prs_f", "snds_dcir.er_pha_f")
        asked = dict.fromkeys(tables, "all")
        permit = grant(registry, dossier("lines", tables=asked, period={"from": "2024-01-01", "to": "2024-12-31"}))
    release = make_release(open_lake(world.home, world.settings), checks={"passed": 1})
    data = build_extract(world.home, world.settings, datasets, permit, release).version.folder / "data"
    for table in tables:
        path = data / f"{table}.parquet"
        fluxes = duckdb.execute(f"SELECT strftime(flx_dis_dtd, '%Y-%m') FROM read_parquet({literal(path)})").fetchall()
        assert len(set(fluxes)) > 1
        for position in range(1, len(fluxes) + 1, len(fluxes) // 4):
            found = trace_record(world.home, world.settings, datasets, str(path), position).deliveries
            name = f"{table.removeprefix('snds_dcir.').upper()}.csv"
            assert {(row["period"], row["name"]) for row in found} == {(*fluxes[position - 1], name)}
        for position in (0, len(fluxes) + 1):
            with pytest.raises(HubError, match="has no row"):
                trace_record(world.home, world.settings, datasets, str(path), position)


def _lines_of(both: Both, year: int, days: set[date | None]) -> Counter[tuple[str, str]]:
    """Lines of a person on these days by flux and file, of prestations and of what hangs on them."""
    keys = {key for key, person in both.reference.person_of.items() if person == year}
    psa = {psa for psa, _ in keys}
    found: Counter[tuple[str, str]] = Counter()
    for flux, tables in both.cases.fluxes.items():
        lines = [row for row in tables["ER_PRS_F"] if row["BEN_NIR_PSA"] in psa and day(row["EXE_SOI_DTD"]) in days]
        found[flux, "ER_PRS_F.csv"] += len(lines)
        own = {tuple(line[name] for name in NINE) for line in lines}
        for table in tables.keys() - {"ER_PRS_F"}:
            found[flux, f"{table}.csv"] += sum(tuple(row[name] for name in NINE) in own for row in tables[table])
    return +found
