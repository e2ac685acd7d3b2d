"""A small real hub for the tests of governance and extracts: OMOP and DCIR rows written by SQL, one release."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import yaml

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.deliverable import _omop_model
from hdh_assets.governance import decisions
from hdh_assets.governance.dossier import Dossier
from hdh_assets.governance.permit import Permit
from hdh_assets.governance.register import find_permit, today
from resources.lake import open_lake, transaction
from resources.lake_tables import DeliveryRow, ensure_tables, register
from resources.registry import Registry
from resources.releases import Release, latest, make_release

PERSONS = 300
PERIOD = {"from": "2019-01-01", "to": "2019-12-31"}
FINE = {"dates": "exact", "birth": "day", "residence": "commune"}


def dossier(project: str, **changes: Any) -> Dossier:
    """A dossier that can be granted; `changes` replace its fields."""
    content: dict[str, Any] = {
        "project": project,
        "title": "A study of everything",
        "purpose": "To learn what there is to learn",
        "public_interest": "Better care for everybody",
        "controller": {"name": "University", "contact": "dpo@example.org"},
        "team": [{"name": "A. Body", "affiliation": "University"}],
        "legal_basis": "GDPR art. 6(1)(e) and 9(2)(j)",
        "period": PERIOD,
        "precision": FINE,
        "tables": {"omop.person": "all", "omop.condition_occurrence": "all"},
        "retention_until": (date.today() + timedelta(days=400)).isoformat(),
    }
    return Dossier.model_validate(content | changes)


def write_dossier(path: Path, project: str, **changes: Any) -> Path:
    """The same as a file."""
    said = dossier(project, **changes).model_dump(mode="json", by_alias=True, exclude_unset=True)
    path.write_text(yaml.safe_dump(said), "utf-8")
    return path


def grant(registry: Registry, asked: Dossier) -> Permit:
    """The permit of a dossier, through every step."""
    steps = [
        decisions.submit(asked, today()),
        decisions.give_opinion(asked.project, favourable=True, reason="", today=today()),
        decisions.grant(asked.project, expires=None, conditions="", today=today()),
    ]
    for step in steps:
        registry.act("tester", step)
    return find_permit(registry, asked.project)


def fill(home: Home, settings: Settings, persons: int = PERSONS) -> Release:
    """Write the tables and make a release of them."""
    lake = open_lake(home, settings)
    with lake.writer() as engine:
        ensure_tables(engine, {})
        with transaction(engine):
            for schema in ("omop", "staging", "snds_dcir", "snds_beneficiaries"):
                engine.execute(f"CREATE SCHEMA IF NOT EXISTS lake.{schema}")
            _persons(engine, persons)
            _events(engine, persons)
            _sources(engine, load_datasets(), persons)
            _deliveries(engine)
    make_release(lake, checks={"passed": 1})
    found = latest(lake)
    assert found is not None
    return found


def number(domain: str, what: str) -> str:
    """SQL of a hashed identifier, as the standardisation makes them."""
    return f"CAST(md5_number_lower('{domain}|' || CAST({what} AS VARCHAR)) >> 1 AS BIGINT)"


def pseudonym(what: str) -> str:
    """SQL of a hub pseudonym of person `what`."""
    return f"md5('P2 ' || {what})::UUID"


def _create(engine: duckdb.DuckDBPyConnection, table: str, values: dict[str, str], source: str) -> None:
    """A CDM table with all its columns: `values` where given, else null."""
    columns = [(str(c["name"]).strip('"'), c["data_type"]) for c in _omop_model(table)["columns"]]
    selected = ", ".join(f'CAST({values.get(name, "NULL")} AS {kind}) AS "{name}"' for name, kind in columns)
    engine.execute(f'CREATE OR REPLACE TABLE lake.omop."{table}" AS SELECT {selected} FROM {source}')


def _persons(engine: duckdb.DuckDBPyConnection, persons: int) -> None:
    person = number("person", pseudonym("i"))
    source = f"range({persons}) AS t(i)"
    _create(
        engine,
        "person",
        {
            "person_id": person,
            "gender_concept_id": "CASE i % 2 WHEN 0 THEN 8532 ELSE 8507 END",
            "year_of_birth": "1930 + i % 80",
            "month_of_birth": "1 + i % 12",
            "day_of_birth": "1 + i % 28",
            "birth_datetime": "make_timestamp(1930 + i % 80, 1 + i % 12, 1 + i % 28, 0, 0, 0)",
            "location_id": number("location", "i % 40"),
            "gender_source_value": "CAST(i % 2 AS VARCHAR)",
        },
        source,
    )
    _create(
        engine,
        "location",
        {
            "location_id": number("location", "i"),
            "city": "'TOWN ' || i",
            "address_1": "i || ' HIGH STREET'",
            "zip": "'750' || i",
            "county": "'75'",
            "location_source_value": "'751' || i",
        },
        "range(60) AS t(i)",
    )
    _create(
        engine,
        "observation_period",
        {
            "observation_period_id": number("observation_period", "i"),
            "person_id": person,
            "observation_period_start_date": "DATE '2018-01-01' + CAST(i AS INTEGER)",
            "observation_period_end_date": "DATE '2020-06-30'",
            "period_type_concept_id": "32813",
        },
        source,
    )


_EVENT_PERSON = number("person", pseudonym("(i // 10)"))
_EVENT_DAY = "DATE '2018-07-01' + CAST((i * 37) % 730 AS INTEGER)"
_EVENT_VISIT = number("visit_occurrence", "i // 2")
_EVENTS: dict[str, dict[str, str]] = {
    "condition_occurrence": {
        "condition_occurrence_id": number("condition_occurrence", "i"),
        "person_id": _EVENT_PERSON,
        "condition_concept_id": "1000 + i % 7",
        "condition_start_date": _EVENT_DAY,
        "condition_start_datetime": f"CAST({_EVENT_DAY} AS TIMESTAMP) + INTERVAL 3 HOUR",
        "condition_type_concept_id": "32813",
        "visit_occurrence_id": _EVENT_VISIT,
        "provider_id": number("provider", "i % 400"),
        "condition_source_value": "'E' || (10 + i % 7)",
    },
    "visit_occurrence": {
        "visit_occurrence_id": _EVENT_VISIT,
        "person_id": _EVENT_PERSON,
        "visit_concept_id": "9202",
        "visit_start_date": _EVENT_DAY,
        "visit_end_date": f"{_EVENT_DAY} + 2",
        "visit_type_concept_id": "32813",
        "care_site_id": number("care_site", "i % 200"),
    },
    "device_exposure": {
        "device_exposure_id": number("device_exposure", "i"),
        "person_id": _EVENT_PERSON,
        "device_exposure_start_date": _EVENT_DAY,
        "unique_device_id": "'UDI' || i",
        "visit_occurrence_id": _EVENT_VISIT,
    },
    "cost": {
        "cost_id": number("cost", "i"),
        "cost_event_id": _EVENT_VISIT,
        "cost_domain_id": "'Visit'",
        "total_charge": "i % 90",
    },
    "condition_era": {
        "condition_era_id": number("condition_era", "i"),
        "person_id": _EVENT_PERSON,
        "condition_concept_id": "1000 + i % 7",
        "condition_era_start_date": _EVENT_DAY,
        "condition_era_end_date": f"{_EVENT_DAY} + 40",
    },
}
"""Values of each table of events by column, for row `i`; ten rows a person."""
_EVERY_OTHER = {"visit_occurrence": 2, "cost": 2, "device_exposure": 5}
"""Tables that have one row in so many."""


def _events(engine: duckdb.DuckDBPyConnection, persons: int) -> None:
    for table, values in _EVENTS.items():
        source = f"range({persons * 10}) AS t(i) WHERE i % {_EVERY_OTHER.get(table, 1)} = 0"
        _create(engine, table, values, source)
    _create(
        engine,
        "care_site",
        {
            "care_site_id": number("care_site", "i"),
            "care_site_name": "'Hospital'",
            "location_id": number("location", "40 + i % 20"),
            "care_site_source_value": "'FINESS' || i",
        },
        "range(200) AS t(i)",
    )


def _sources(engine: duckdb.DuckDBPyConnection, datasets: dict[str, Dataset], persons: int) -> None:
    """DCIR lines of the same persons, ten each; two persons share a pseudonym of theirs, as twins do."""
    psa = "md5('PSA ' || (CASE WHEN (i // 10) = 1 THEN 0 ELSE i // 10 END))::UUID"
    key = {
        "dct_ord_num": "i // 3",
        "flx_dis_dtd": "DATE '2019-02-01'",
        "flx_emt_num": "1",
        "flx_emt_ord": "i // 50",
        "flx_emt_typ": "1",
        "flx_trt_dtd": "DATE '2019-01-01' + CAST(i % 31 AS INTEGER)",
        "org_cle_num": "'01A' || (100 + i % 5)",
        "prs_ord_num": "i % 3",
        "rem_typ_aff": "0",
    }
    technical = {"_delivery": "md5('delivery')::UUID", "_period": "'2019-01'", "_file": "'ER_PRS_F.csv'"}
    day = {"exe_soi_dtd": "DATE '2018-07-01' + CAST((i * 37) % 730 AS INTEGER)"}
    drug = {"pha_prs_c13": "3400930000000 + i % 90", "pha_act_qsn": "1"}
    source = f"range({persons * 10}) AS t(i)"
    given = {
        ("snds_dcir", "er_prs_f"): key | day | {"ben_nir_psa": psa, "pfs_exe_num": "md5('PS ' || i % 300)::UUID"},
        ("snds_dcir", "er_pha_f"): key | drug,
    }
    for (dataset, table), values in given.items():
        described = datasets[dataset].by_name[table]
        columns = [(c.lake_name, c.duckdb_type) for c in described.lake_columns]
        columns += [("_delivery", "UUID"), ("_period", "VARCHAR"), ("_file", "VARCHAR")]
        chosen = values | technical
        selected = ", ".join(f'CAST({chosen.get(name, "NULL")} AS {kind}) AS "{name}"' for name, kind in columns)
        engine.execute(f'CREATE OR REPLACE TABLE lake."{dataset}"."{table}" AS SELECT {selected} FROM {source}')
    person = number("person", pseudonym("(i // 10)"))
    engine.execute(
        "CREATE TABLE lake.staging.int_snds_beneficiaries__identity_kept AS SELECT DISTINCT "
        f"{psa} AS ben_nir_psa, 1 AS ben_rng_gem, {person} AS person_id FROM {source}"
    )


def _deliveries(engine: duckdb.DuckDBPyConnection) -> None:
    files = [
        {"name": name, "size": 1, "rows": 1, "sha256": letter * 64}
        for name, letter in (("ER_PRS_F.csv", "a"), ("ER_PHA_F_001.csv.gz", "b"))
    ]
    register(
        engine,
        DeliveryRow(
            delivery_id=UUID(hashlib.md5(b"delivery", usedforsecurity=False).hexdigest()),
            digest="d" * 64,
            dataset="snds_dcir",
            period="2019-01",
            producer="cnam",
            status="current",
            loaded_at=datetime.now(UTC),
            descriptor_version=1,
            row_count=1,
            rejected_count=0,
            tables=json.dumps({"er_prs_f": {}, "er_pha_f": {}}),
            files=json.dumps(files),
            receipt="{}",
            run_id="run",
            sealed_at=datetime.now(UTC),
        ),
    )
