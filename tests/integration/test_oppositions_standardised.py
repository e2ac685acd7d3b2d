"""Standardisation follows an opposition by the person, not by the delivery, and gives what a full rebuild gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import snds_rows
from standard_hub import StandardHub, differences

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.opposition import PersonKey, record
from hdh_assets.sources.opposed.apply import apply_oppositions
from resources.keys import Purpose, open_keys
from resources.lake import transaction
from resources.lake_tables import deliveries, register
from resources.oppositions import open_book

PERSONS, LINES = 200, 800
NOW = datetime(2024, 1, 1, tzinfo=UTC)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> StandardHub:
    """Two fluxes and their reference, standardised."""
    made = StandardHub(Path(tmp_path_factory.mktemp("opposed")))
    open_keys(made.home).create_missing(tuple(Purpose))
    made.deliver(snds_rows.set_beneficiaries, "2020-01", persons=PERSONS)
    for month in range(2):
        made.deliver(snds_rows.add_flux, month, lines=LINES, persons=PERSONS)
    made.standardise()
    return made


def test_what_an_opposition_leaves_is_what_a_full_rebuild_gives(hub: StandardHub) -> None:
    nir, keys = _person_with_two_keys(hub)
    before, events = hub.omop(), _event_ids(hub)
    _oppose(hub, PersonKey("snds_nir", nir))
    hub.standardise()
    after = hub.omop()
    assert _traces(hub, [nir, *keys]) == {}
    assert after["person"].num_rows == before["person"].num_rows - 1
    assert after["drug_exposure"].num_rows < before["drug_exposure"].num_rows
    assert _event_ids(hub) < events
    dropped, contributed = _dropped(hub), _contributed(hub)
    hub.standardise(full=True)
    assert differences(hub.omop(), after) == {}
    assert (_dropped(hub), _contributed(hub)) == (dropped, contributed)


def test_an_opposition_to_one_dataset_leaves_the_person_without_it(hub: StandardHub) -> None:
    nir, _ = _person_with_two_keys(hub)
    persons = hub.omop()["person"]
    _oppose(hub, PersonKey("snds_nir", nir), datasets=("snds_dcir",))
    hub.standardise()
    after = hub.omop()
    assert sorted(after["person"]["person_id"].to_pylist()) == sorted(persons["person_id"].to_pylist())
    hub.standardise(full=True)
    assert differences(hub.omop(), after) == {}


def test_a_delivery_loaded_again_is_standardised_again(hub: StandardHub) -> None:
    """As by a backfill under another descriptor, or for a person who changed their mind: it brings other rows."""
    with hub.lake.writer() as engine, transaction(engine):
        engine.execute("CREATE TEMP TABLE gone AS FROM lake.snds_dcir.er_prs_f WHERE _period = '2020-02' LIMIT 100")
        engine.execute(
            "INSERT INTO lake.snds_dcir.er_prs_f SELECT * REPLACE (dct_ord_num + 100000 AS dct_ord_num) FROM gone"
        )
        touched = {delivery for (delivery,) in engine.execute("SELECT DISTINCT _delivery FROM gone").fetchall()}
        for row in deliveries(engine, "snds_dcir"):
            if row.delivery_id in touched:
                register(engine, replace(row, loaded_at=row.loaded_at + timedelta(minutes=1)))
    assert hub.standardise().is_changed
    after, dropped, contributed = hub.omop(), _dropped(hub), _contributed(hub)
    assert not hub.standardise().is_changed
    hub.standardise(full=True)
    assert differences(hub.omop(), after) == {}
    assert (_dropped(hub), _contributed(hub)) == (dropped, contributed)


def _oppose(hub: StandardHub, key: PersonKey, datasets: tuple[str, ...] = ()) -> None:
    book = open_book(hub.home)
    with book.held():
        book.write(record(book.read(), [(key,)], key.identifier_type, datasets, NOW)[0])
    apply_oppositions(hub.home, hub.settings, load_datasets(), run_id="test")


def _person_with_two_keys(hub: StandardHub) -> tuple[str, list[str]]:
    """Pseudonym of a NIR with two PSA that both had care in both fluxes, and those PSA."""
    rows = hub.rows(
        "SELECT ben_nir_ano::VARCHAR, list(DISTINCT ben_nir_psa::VARCHAR) FROM lake.snds_beneficiaries.ir_ben_r "
        "JOIN lake.snds_dcir.er_prs_f USING (ben_nir_psa) WHERE ben_nir_ano IS NOT NULL "
        "GROUP BY ben_nir_ano HAVING count(DISTINCT ben_nir_psa) = 2 ORDER BY 1 LIMIT 1"
    )
    return rows[0]


def _traces(hub: StandardHub, pseudonyms: list[str]) -> dict[str, int]:
    """Rows of any table of the lake that hold one of the pseudonyms, or the person's number."""
    wanted = ", ".join(f"'{pseudonym}'::UUID" for pseudonym in pseudonyms)
    number = f"(SELECT (md5_number_lower('person|{pseudonyms[0]}') >> 1)::BIGINT)"
    columns = hub.rows(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = 'lake' "
        "AND schema_name <> 'meta' AND (data_type = 'UUID' OR column_name = 'person_id') ORDER BY ALL"
    )
    found: dict[str, int] = {}
    with hub.lake.reader() as engine:
        for schema, table, column, kind in columns:
            condition = f"{column} IN ({wanted})" if kind == "UUID" else f"{column} = {number}"
            counted = engine.execute(f'SELECT count(*) FROM lake."{schema}"."{table}" WHERE {condition}').fetchone()
            if counted and counted[0]:
                found[f"{schema}.{table}.{column}"] = counted[0]
    return found


def _event_ids(hub: StandardHub) -> set[int]:
    return {row[0] for row in hub.rows("SELECT event_id FROM lake.staging.int_snds_dcir__event")}


def _dropped(hub: StandardHub) -> list[tuple[Any, ...]]:
    return hub.rows("FROM lake.staging.int_hub__dropped ORDER BY ALL")


def _contributed(hub: StandardHub) -> list[tuple[Any, ...]]:
    return hub.rows(
        "SELECT _delivery, count(*), sum(quantity) FROM lake.staging.int_snds_dcir__contribution GROUP BY 1 ORDER BY 1"
    )
