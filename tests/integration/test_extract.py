"""From a permit and a release to a project's folder: only what is permitted, unjoinable, whole, the same each time."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from hdh_assets.cli.console import Context
from hdh_assets.cli.init import initialise
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.digests import sha256_of
from hdh_assets.core.errors import RefusedError
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.sql_text import literal
from hdh_assets.extracts.assets import asset_table, extract_assets
from hdh_assets.extracts.build import build_extract
from hdh_assets.extracts.rebuild import rebuild_extract
from hdh_assets.extracts.versions import Version, find_version, list_versions, recorded_manifests, verify_version
from hdh_assets.governance import decisions
from hdh_assets.governance.register import find_permit, today
from resources.hub import Hub as HubResource
from resources.lake import open_lake
from resources.registry import Registry
from resources.releases import Release, make_release
from tests.extract_hub import dossier, fill, grant

EVERYTHING: dict[str, Any] = {
    "omop.person": "all",
    "omop.location": "all",
    "omop.care_site": "all",
    "omop.observation_period": "all",
    "omop.visit_occurrence": "all",
    "omop.condition_occurrence": "all",
    "omop.condition_era": "all",
    "omop.device_exposure": "all",
    "omop.cost": "all",
    "snds_dcir.er_prs_f": "all",
    "snds_dcir.er_pha_f": "all",
}


class Hub:
    """A filled home, and what the tests ask of it."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self.home, self.settings, self.datasets = home, settings, load_datasets()
        self.release: Release = fill(home, settings)
        self.registry = Registry(home, settings)

    def deliver(self, project: str, **changes: Any) -> Version:
        permit = grant(self.registry, dossier(project, **changes))
        return self.build(project, permit).version

    def build(self, project: str, permit: Any) -> Any:
        return build_extract(self.home, self.settings, self.datasets, permit, self.release)

    def version(self, name: str) -> Version:
        return find_version(self.home, name)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with open_lake(self.home, self.settings).reader() as engine:
            return engine.execute(sql).fetchall()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """One hub for the tests that leave no trace but their own project."""
    home = Home(tmp_path_factory.mktemp("extracts") / "l'hôpital")
    initialise(Context(home))
    return Hub(home, Settings.load(home))


@pytest.fixture
def own_hub(home: Home, settings: Settings) -> Hub:
    """A hub of its own for a test that changes it for everybody."""
    return Hub(home, settings)


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """The one these tests read with: to open one for each of their thousand questions takes longer than the answers."""
    return duckdb.connect()


def read(version: Version, sql: str) -> list[tuple[Any, ...]]:
    _engine().execute(f"SET file_search_path = {literal(version.folder)}")
    return _engine().execute(sql).fetchall()


def columns(version: Version) -> Iterator[tuple[str, str, str]]:
    for file in version.folder.glob("data/*.parquet"):
        for name, kind, *_ in read(version, f"DESCRIBE FROM read_parquet({literal(file)})"):
            yield str(file), name, kind


def test_an_extract_has_its_data_its_dictionary_its_manifest_and_its_readme(hub: Hub) -> None:
    version = hub.deliver("whole", tables=EVERYTHING)
    assert {p.name for p in version.folder.iterdir()} == {
        "data",
        "dictionary.csv",
        "dictionary.md",
        "README.md",
        "manifest.json",
        "build.json",
    }
    assert {p.stem for p in (version.folder / "data").iterdir()} == set(EVERYTHING)
    assert verify_version(version) == []
    assert version.rows["omop.person"] == 300
    described = read(version, 'SELECT "table", "column" FROM \'dictionary.csv\' WHERE description IS NOT NULL')
    delivered = {(Path(file).stem, name) for file, name, _ in columns(version)}
    assert delivered == set(described)


def test_the_first_query_of_the_readme_has_an_answer(hub: Hub) -> None:
    """Of the tables delivered, the one that comes first may have no row."""
    version = hub.deliver("first_query", tables={"omop.care_site": "all"} | EVERYTHING)
    (query,) = re.findall(r"```sql\n(.*);\n```", (version.folder / "README.md").read_text("utf-8"))
    assert len(read(version, query)) == 10
    ((rows,),) = read(version, query.replace("SELECT *", "SELECT count(*)").replace(" LIMIT 10", ""))
    assert rows == max(version.rows.values())


def test_the_readme_tells_persons_of_whom_the_omop_tables_know_nothing(own_hub: Hub) -> None:
    pseudonyms = own_hub.query("SELECT count(DISTINCT ben_nir_psa) FROM lake.snds_dcir.er_prs_f")[0][0]
    with open_lake(own_hub.home, own_hub.settings).writer() as engine:
        engine.execute("DELETE FROM lake.omop.person WHERE year_of_birth < 1990")
    own_hub.release = make_release(open_lake(own_hub.home, own_hub.settings), checks={"passed": 1})
    [(known,)] = own_hub.query("SELECT count(*) FROM lake.omop.person")
    version = own_hub.deliver("strangers", tables={"snds_dcir.er_prs_f": "all"})
    text = (version.folder / "README.md").read_text("utf-8")
    assert 11 < known < pseudonyms
    assert f"Persons: {known} in the OMOP tables, and {pseudonyms - known} pseudonyms of persons who are not" in text
    text = (own_hub.deliver("known", population={"sex": ["female"]}).folder / "README.md").read_text("utf-8")
    assert "in the OMOP tables" not in text


def test_an_extract_shows_its_columns_as_its_dictionary_does(hub: Hub) -> None:
    """Types are those of the files; what was done to a column is said with its words."""
    permit = grant(hub.registry, dossier("shown", tables=EVERYTHING))
    resources = {"hub": HubResource(folder=str(hub.home.root))}
    done = dg.materialize([extract_assets(permit, hub.datasets)], resources=resources)
    shown = {
        (event.asset_key.path[-1], column.name): column
        for event in done.asset_materializations_for_node("extract_shown")
        for column in event.metadata["dagster/column_schema"].value.columns
    }
    delivered = {(asset_table(Path(file).stem), name): kind for file, name, kind in columns(hub.version("shown/v1"))}
    assert {key: column.type for key, column in shown.items()} == {k: kind.lower() for k, kind in delivered.items()}
    assert "replaced by the project's number of the person" in (shown["person", "person_id"].description or "")
    folders = {event.metadata["folder"].value for event in done.asset_materializations_for_node("extract_shown")}
    assert folders == {"projects/shown/v1"}
    assert "In this extract" not in (shown["person", "gender_concept_id"].description or "")


def test_two_projects_share_no_value_of_any_identifying_column(hub: Hub) -> None:
    first = hub.deliver("first", tables=EVERYTHING)
    second = hub.deliver("second", tables=EVERYTHING)
    facts = {"date", "datetime", "total_charge", "pha_prs_c13", "_of_birth", "city", "zip", "_dtd"}
    checked = 0
    for file, name, _ in columns(first):
        table = Path(file).name
        if any(name.endswith(fact) for fact in facts):
            continue
        distinct = f'SELECT DISTINCT CAST("{name}" AS VARCHAR) FROM \'data/{table}\' WHERE "{name}" IS NOT NULL'
        mine, theirs = {r[0] for r in read(first, distinct)}, {r[0] for r in read(second, distinct)}
        if len(mine) > 20:
            checked += 1
            assert not mine & theirs, f"{table}.{name} joins two projects"
    assert checked >= 20


def test_no_hub_identifier_reaches_an_extract(hub: Hub) -> None:
    version = hub.deliver("no_hub_id", tables=EVERYTHING)
    hub_ids = {
        str(row[0])
        for sql in (
            "SELECT person_id FROM lake.omop.person",
            "SELECT condition_occurrence_id FROM lake.omop.condition_occurrence",
            "SELECT visit_occurrence_id FROM lake.omop.visit_occurrence",
            "SELECT care_site_id FROM lake.omop.care_site",
            "SELECT unique_device_id FROM lake.omop.device_exposure",
            "SELECT ben_nir_psa FROM lake.snds_dcir.er_prs_f",
            "SELECT pfs_exe_num FROM lake.snds_dcir.er_prs_f",
        )
        for row in hub.query(sql)
    }
    for file, name, _ in columns(version):
        found = {str(row[0]) for row in read(version, f'SELECT DISTINCT "{name}" FROM read_parquet({literal(file)})')}
        assert not found & hub_ids, name


def test_joins_inside_an_extract_hold_as_in_the_hub(hub: Hub) -> None:
    version = hub.deliver("joins", tables=EVERYTHING)
    inside = (
        "SELECT count(*) FROM {omop}person{end} JOIN {omop}condition_occurrence{end} USING (person_id) "
        "JOIN {omop}visit_occurrence{end} USING (visit_occurrence_id) WHERE condition_start_date "
        "BETWEEN '2019-01-01' AND '2019-12-31' AND visit_start_date BETWEEN '2019-01-01' AND '2019-12-31'"
    )
    expected = hub.query(inside.format(omop="lake.omop.", end=""))
    assert read(version, inside.format(omop="'data/omop.", end=".parquet'")) == expected
    key = ", ".join(name.lower() for name in hub.datasets["snds_dcir"].by_name["er_prs_f"].primary_key)
    lines = "SELECT count(*) FROM 'data/snds_dcir.er_prs_f.parquet' JOIN 'data/snds_dcir.er_pha_f.parquet'"
    assert read(version, f"{lines} USING ({key})") == [(version.rows["snds_dcir.er_pha_f"],)]
    orphans = "FROM 'data/omop.cost.parquet' AS c ANTI JOIN 'data/omop.visit_occurrence.parquet' AS v"
    assert read(version, f"SELECT c.* {orphans} ON c.cost_event_id = v.visit_occurrence_id") == []


def test_nothing_outside_the_period_is_delivered(hub: Hub) -> None:
    version = hub.deliver("period", tables=EVERYTHING)
    for table, first, last in (
        ("omop.condition_occurrence", "condition_start_date", "condition_start_date"),
        ("omop.condition_era", "condition_era_start_date", "condition_era_end_date"),
        ("omop.observation_period", "observation_period_start_date", "observation_period_end_date"),
        ("snds_dcir.er_prs_f", "exe_soi_dtd", "exe_soi_dtd"),
    ):
        bounds = read(version, f"SELECT min({first})::VARCHAR, max({last})::VARCHAR FROM 'data/{table}.parquet'")[0]
        assert bounds[0] >= "2019-01-01", table
        assert bounds[1] <= "2019-12-31", table
        assert version.rows[table] > 0


def test_nobody_outside_the_population_is_delivered(hub: Hub) -> None:
    population = {
        "age": {"min": 40, "max": 60},
        "sex": ["female"],
        "persons_with": [{"table": "omop.condition_occurrence", "column": "condition_source_value", "values": ["E1*"]}],
    }
    version = hub.deliver("population", tables=EVERYTHING, population=population)
    persons = read(version, "SELECT gender_concept_id, birth_datetime::DATE FROM 'data/omop.person.parquet'")
    assert 0 < len(persons) < 100
    assert {sex for sex, _ in persons} == {8532}
    assert all(date(1958, 1, 2) <= born <= date(1979, 1, 1) for _, born in persons)
    for table in ("condition_occurrence", "visit_occurrence", "observation_period", "device_exposure"):
        others = f"SELECT 1 FROM 'data/omop.{table}.parquet' ANTI JOIN 'data/omop.person.parquet' USING (person_id)"
        assert read(version, others) == [], table
    in_hub = hub.query(
        "SELECT count(*) FROM lake.snds_dcir.er_prs_f JOIN lake.staging.int_snds_beneficiaries__identity_kept "
        "USING (ben_nir_psa) JOIN lake.omop.person USING (person_id) WHERE gender_concept_id = 8532 "
        "AND birth_datetime::DATE BETWEEN '1958-01-02' AND '1979-01-01' "
        "AND exe_soi_dtd BETWEEN '2019-01-01' AND '2019-12-31'"
    )
    assert [(version.rows["snds_dcir.er_prs_f"],)] == in_hub


def test_only_the_columns_listed_are_delivered(hub: Hub) -> None:
    listed = ["person_id", "condition_concept_id", "condition_start_date"]
    version = hub.deliver("some_columns", tables={"omop.condition_occurrence": listed})
    assert [name for _, name, _ in columns(version)] == listed


def test_what_a_descriptor_calls_a_direct_identifier_since_is_delivered_to_nobody(own_hub: Hub) -> None:
    content = own_hub.datasets["snds_dcir"].model_dump(mode="json") | {"sensitivity": "nominative"}
    for column in (column for table in content["tables"] for column in table["columns"]):
        column["role"] = "direct_identifier" if column["name"] == "PHA_ACT_QSN" else column["role"]
    own_hub.datasets["snds_dcir"] = Dataset.model_validate(content)
    version = own_hub.deliver("one", tables={"snds_dcir.er_pha_f": "all"})
    delivered = {name for _, name, _ in columns(version)}
    assert "pha_act_qsn" not in delivered
    assert "pha_prs_c13" in delivered


def test_potential_identifiers_are_coarse_or_absent_unless_asked_for(hub: Hub) -> None:
    version = hub.deliver("coarse", tables=EVERYTHING, precision={})
    empty = read(
        version,
        "SELECT count(month_of_birth) + count(day_of_birth) + count(birth_datetime) FROM 'data/omop.person.parquet'",
    )
    assert empty == [(0,)]
    fine = "count(city) + count(zip) + count(address_1)"
    places = read(version, f"SELECT {fine}, count(county) FROM 'data/omop.location.parquet'")
    assert places[0][0] == 0
    assert places[0][1] > 0
    days = "SELECT DISTINCT day(condition_start_date) FROM 'data/omop.condition_occurrence.parquet'"
    assert read(version, days) == [(1,)]
    delivered = {name for file, name, _ in columns(version) if "er_prs_f" in file}
    assert not delivered & {"ben_res_com", "ben_nai_ann", "ben_dcd_dte", "_delivery"}


def test_the_same_basis_is_the_same_version_and_another_permit_the_next(hub: Hub) -> None:
    asked = dossier("basis")
    permit = grant(hub.registry, asked)
    first = hub.build("basis", permit)
    again = hub.build("basis", permit)
    assert (first.is_new, again.is_new) == (True, False)
    assert first.version.folder == again.version.folder
    hub.registry.act("tester", decisions.amend(dossier("basis", tables=EVERYTHING), today()))
    hub.registry.act("tester", decisions.give_opinion("basis", favourable=True, reason="", today=today()))
    hub.registry.act("tester", decisions.grant("basis", expires=None, conditions="", today=today()))
    second = hub.build("basis", find_permit(hub.registry, "basis"))
    assert second.version.number == 2
    same = "SELECT person_id, person_source_value FROM 'data/omop.person.parquet' ORDER BY ALL"
    assert read(first.version, same) == read(second.version, same)


def test_a_rebuild_says_what_was_said_whatever_descriptors_say_since(hub: Hub) -> None:
    version = hub.deliver("said", tables={"snds_dcir.er_pha_f": "all"})
    dictionary = (version.folder / "dictionary.md").read_bytes()
    content = hub.datasets["snds_dcir"].model_dump(mode="json")
    for column in (column for table in content["tables"] for column in table["columns"]):
        column["description"]["en"] = f"Rather: {column['description']['en']}"
    reworded = hub.datasets | {"snds_dcir": Dataset.model_validate(content)}
    assert rebuild_extract(hub.home, hub.settings, reworded, "said/v1") == []
    shutil.rmtree(version.folder)
    assert rebuild_extract(hub.home, hub.settings, reworded, "said/v1") == []
    assert (version.folder / "dictionary.md").read_bytes() == dictionary
    recorded = recorded_manifests(hub.registry.events())["said", 1]
    assert verify_version(hub.version("said/v1"), recorded) == []
    (version.folder / "README.md").unlink()
    build_extract(hub.home, hub.settings, reworded, find_permit(hub.registry, "said"), hub.release)
    assert verify_version(hub.version("said/v1"), recorded) == []


def test_a_rebuild_gives_the_same_bytes_whatever_the_threads(hub: Hub) -> None:
    version = hub.deliver("rebuilt", tables=EVERYTHING)
    for threads in (1, 2, 3):
        settings = Settings.load(hub.home, threads=threads)
        assert rebuild_extract(hub.home, settings, hub.datasets, "rebuilt/v1") == []
    assert verify_version(version) == []


def test_a_rebuild_gives_the_same_bytes_though_descriptors_have_gained_a_column_since(hub: Hub) -> None:
    hub.deliver("grown", tables=EVERYTHING)
    remark = {"name": "REMARK", "type": "string", "optional": True, "description": {"en": "Said", "fr": "Dit"}}
    grown = {}
    for name, dataset in hub.datasets.items():
        said = dataset.model_dump(mode="json", by_alias=True, exclude_unset=True)
        for table in said["tables"]:
            table["columns"].append(remark)
        grown[name] = Dataset.model_validate(said)
    assert rebuild_extract(hub.home, hub.settings, grown, "grown/v1") == []


def test_a_damaged_or_lost_version_is_put_back(hub: Hub) -> None:
    version = hub.deliver("damaged")
    digest = sha256_of(version.folder / "manifest.json")
    damaged = version.folder / "data" / "omop.person.parquet"
    damaged.chmod(0o600)
    damaged.write_bytes(b"PAR1")
    assert verify_version(version) == ["data/omop.person.parquet was altered"]
    assert rebuild_extract(hub.home, hub.settings, hub.datasets, "damaged/v1") == []
    assert verify_version(find_version(hub.home, "damaged/v1")) == []
    shutil.rmtree(version.folder)
    assert rebuild_extract(hub.home, hub.settings, hub.datasets, "damaged") == []
    assert sha256_of(version.folder / "manifest.json") == digest


def test_an_expired_permit_delivers_nothing(hub: Hub) -> None:
    permit = grant(hub.registry, dossier("expired")).model_copy(update={"expires": dossier("expired").period.first})
    with pytest.raises(RefusedError, match="expired"):
        hub.build("expired", permit)


def test_a_table_the_release_lacks_is_refused_with_the_reason(own_hub: Hub) -> None:
    permit = grant(own_hub.registry, dossier("one", tables={"omop.specimen": "all"}))
    with pytest.raises(RefusedError, match=r"omop\.specimen, which this release cannot deliver"):
        own_hub.build("one", permit)
    assert list_versions(own_hub.home) == []


def test_two_projects_do_not_receive_the_same_rows_in_the_same_order(hub: Hub) -> None:
    """Position must not join what identifiers do not: equal rows would otherwise line up."""
    query = "SELECT condition_source_value, condition_start_date FROM 'data/omop.condition_occurrence.parquet'"
    orders = [read(hub.deliver(name, tables=EVERYTHING), query) for name in ("order_one", "order_two")]
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]


def test_a_refined_table_asked_for_alone_has_the_rows_it_has_beside_its_parent(hub: Hub) -> None:
    alone = hub.deliver("alone", tables={"omop.person": "all", "snds_dcir.er_pha_f": "all"})
    beside = hub.deliver("beside", tables=EVERYTHING)
    assert alone.rows["snds_dcir.er_pha_f"] == beside.rows["snds_dcir.er_pha_f"] > 0


def test_what_is_about_nobody_is_given_for_the_years_of_the_period(own_hub: Hub) -> None:
    lake = open_lake(own_hub.home, own_hub.settings)
    with lake.writer() as engine:
        engine.execute(
            "INSERT INTO lake.commune_context.commune_indicators BY NAME SELECT '2A004' AS code_insee, y AS annee, "
            "make_date(y, 1, 1) AS date_geographie, md5('c')::UUID AS _delivery, y::VARCHAR AS _period, "
            "'c.csv' AS _file FROM (VALUES (2018), (2019), (2020)) AS years (y)"
        )
    own_hub.release = make_release(lake, checks={}, rules="others")
    table = "commune_context.commune_indicators"
    version = own_hub.deliver("context", tables={table: "all"}, period={"from": "2019-02-05", "to": "2019-02-20"})
    assert read(version, f"SELECT annee FROM 'data/{table}.parquet'") == [(2019,)]
