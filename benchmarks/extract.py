"""What an extract costs against a bare COPY of the same rows and columns, within one run.

    python -m benchmarks.extract [--rows 3000000] [--rounds 3]

The extract's time is the whole of `build_extract`: pseudonyms, checksums, documents, synchronised files. The bare COPY
writes the same selection to the same format and checks, replaces and documents nothing. Target: at most 1.5.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb

from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.build import COPY_OPTIONS, build_extract, read_schema
from hdh_assets.extracts.persons import prepare_persons
from hdh_assets.extracts.plan import TablePlan, event_tables, plan_extract
from hdh_assets.extracts.project_keys import ProjectKeys
from hdh_assets.extracts.selection import select_table
from hdh_assets.governance.decisions import give_opinion, grant, submit
from hdh_assets.governance.dossier import Dossier
from hdh_assets.governance.permit import Permit
from hdh_assets.governance.register import find_permit
from resources.keys import Purpose, open_keys
from resources.lake import open_lake
from resources.registry import Registry
from resources.releases import Release, make_release

_PERSONS = 100_000
_PERSON = "(md5_number_lower('person|' || CAST(md5('P2 ' || {}) AS UUID)) >> 1)::BIGINT"
_TABLES = {
    "person": (
        f"SELECT {_PERSON.format('i')} AS person_id, (8507 + 25 * (i % 2))::INTEGER AS gender_concept_id, "
        "(1930 + i % 80)::INTEGER AS year_of_birth, (1 + i % 12)::INTEGER AS month_of_birth, "
        "(1 + i % 28)::INTEGER AS day_of_birth, "
        f"NULL::VARCHAR AS person_source_value FROM range({_PERSONS}) AS t(i)"
    ),
    "measurement": (
        f"SELECT (hash(i, 1) >> 1)::BIGINT AS measurement_id, {_PERSON.format(f'hash(i) % {_PERSONS}')} AS person_id, "
        "(3000000 + hash(i, 2) % 500)::INTEGER AS measurement_concept_id, "
        "(DATE '2019-01-01' + (hash(i, 3) % 365)::INTEGER)::DATE AS measurement_date, "
        "(DATE '2019-01-01' + (hash(i, 3) % 365)::INTEGER)::TIMESTAMP AS measurement_datetime, "
        "NULL::VARCHAR AS measurement_time, 32817::INTEGER AS measurement_type_concept_id, "
        "0::INTEGER AS operator_concept_id, (hash(i, 4) % 10000 / 10.0)::DOUBLE AS value_as_number, "
        "NULL::INTEGER AS value_as_concept_id, (hash(i, 5) % 20)::INTEGER AS unit_concept_id, "
        "NULL::DOUBLE AS range_low, NULL::DOUBLE AS range_high, (hash(hash(i, 6) % 3000) >> 1)::BIGINT AS provider_id, "
        "(hash(i // 5) >> 1)::BIGINT AS visit_occurrence_id, NULL::BIGINT AS visit_detail_id, "
        "'L' || (hash(i, 2) % 500) AS measurement_source_value, 0::INTEGER AS measurement_source_concept_id, "
        "'mg' AS unit_source_value, 0::INTEGER AS unit_source_concept_id, NULL::VARCHAR AS value_source_value, "
        "NULL::BIGINT AS measurement_event_id, NULL::INTEGER AS meas_event_field_concept_id "
        "FROM range({rows}) AS t(i)"
    ),
    "drug_exposure": (
        "SELECT (hash(i, 11) >> 1)::BIGINT AS drug_exposure_id, "
        f"{_PERSON.format(f'hash(i, 9) % {_PERSONS}')} AS person_id, "
        "(1500000 + hash(i, 12) % 3000)::INTEGER AS drug_concept_id, "
        "(DATE '2019-01-01' + (hash(i, 13) % 365)::INTEGER)::DATE AS drug_exposure_start_date, "
        "(DATE '2019-01-31' + (hash(i, 13) % 365)::INTEGER)::DATE AS drug_exposure_end_date, "
        "32810::INTEGER AS drug_type_concept_id, (1 + hash(i, 14) % 4)::DOUBLE AS quantity, "
        "30::INTEGER AS days_supply, NULL::VARCHAR AS sig, (hash(hash(i, 15) % 3000) >> 1)::BIGINT AS provider_id, "
        "(hash(i // 3, 16) >> 1)::BIGINT AS visit_occurrence_id, (340093000000 + hash(i, 12) % 3000)::VARCHAR "
        "AS drug_source_value, 0::INTEGER AS drug_source_concept_id FROM range({rows}) AS t(i)"
    ),
}


def main() -> None:
    """Fill a hub, then time both, in turn."""
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="bench-extract-"))
    try:
        home, settings = Home(folder / "hub"), Settings()
        release, permit = _fill(home, settings, options.rows), _granted(home, settings)
        bare, whole = [], []
        for _ in range(options.rounds):
            bare.append(_bare(home, settings, permit, release, folder / "bare.parquet"))
            whole.append(_timed(lambda: build_extract(home, settings, {}, permit, release)))
            shutil.rmtree(home.projects)
    finally:
        shutil.rmtree(folder)
    print(f"rows                {2 * options.rows:,} in two event tables, and {_PERSONS:,} persons")
    print(f"bare COPY           {min(bare):6.2f} s   (rounds: {', '.join(f'{t:.2f}' for t in bare)})")
    print(f"extract             {min(whole):6.2f} s   (rounds: {', '.join(f'{t:.2f}' for t in whole)})")
    print(f"extract / bare COPY {min(whole) / min(bare):6.2f}     target at most 1.5")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=3_000_000, help="rows of each event table")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _fill(home: Home, settings: Settings, rows: int) -> Release:
    open_keys(home).create_missing((Purpose.project,))
    lake = open_lake(home, settings)
    with lake.writer() as engine:
        engine.execute("CREATE SCHEMA lake.omop")
        for name, query in _TABLES.items():
            engine.execute(f"CREATE TABLE lake.omop.{name} AS {query.replace('{rows}', str(rows))}")
    return make_release(lake, checks={"passed": 0})


def _granted(home: Home, settings: Settings) -> Permit:
    today = date.today()
    asked = Dossier.model_validate(
        {
            "project": "bench",
            "title": "Benchmark of an extract",
            "purpose": "To know what an extract costs",
            "public_interest": "Extracts within minutes",
            "controller": {"name": "Benchmark", "contact": "benchmark@example.org"},
            "team": [{"name": "Nobody", "affiliation": "Benchmark"}],
            "legal_basis": "None: nobody is in these rows",
            "tables": {f"omop.{name}": "all" for name in _TABLES},
            "population": {"age": {"min": 0, "max": 60}},
            "period": {"from": "2019-01-01", "to": "2019-12-31"},
            "precision": {"dates": "exact"},
            "retention_until": today + timedelta(days=2),
        }
    )
    with Registry(home, settings) as registry:
        for step in (
            submit(asked, today),
            give_opinion("bench", favourable=True, reason="", today=today),
            grant("bench", expires=None, conditions="", today=today),
        ):
            registry.act("benchmark", step)
        return find_permit(registry, "bench")


def _bare(home: Home, settings: Settings, permit: Permit, release: Release, path: Path) -> float:
    """Seconds of the bare copies; who is permitted is worked out before the clock starts."""
    with open_lake(home, settings).reader(snapshot=release.snapshot_id) as engine:
        plans = plan_extract(permit, {}, read_schema(engine))
        prepare_persons(engine, permit, plans, {}, ProjectKeys(open_keys(home), "bench"))
        events = tuple(event_tables(plans))
        queries = [_bare_selection(plan, permit, events) for plan in plans]
        return _timed(lambda: _copy(engine, queries, path))


def _bare_selection(plan: TablePlan, permit: Permit, events: tuple[str, ...]) -> str:
    """The rows and columns of the extract as they are in the lake."""
    columns = ", ".join(f't."{column.name}"' for column in plan.columns)
    return f"SELECT {columns} FROM ({select_table(plan, permit.period, {}, events, {}).source}) AS t"


def _copy(engine: duckdb.DuckDBPyConnection, queries: list[str], path: Path) -> None:
    for query in queries:
        engine.execute(f"COPY ({query}) TO '{path}' ({COPY_OPTIONS})")


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
