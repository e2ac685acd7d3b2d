"""The lake's files in S3-compatible storage: another setting, the same hub."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import duckdb
import pytest

from hdh_assets.cli.check import Finding, look
from hdh_assets.cli.console import Context
from hdh_assets.cli.sql import read
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.errors import HubError
from hdh_assets.core.sql_text import literal
from hdh_assets.extracts.build import build_extract
from hdh_assets.extracts.rebuild import rebuild_extract
from hdh_assets.extracts.trace import trace
from hdh_assets.standard.runner import standardise
from resources.engine_errors import outside_failure
from resources.lake_files import damaged_files
from resources.maintenance import maintain
from resources.registry import Registry
from tests.extract_hub import dossier, fill, grant
from tests.integration.intake_world import World
from tests.settings import ask_here

SECRET = "Sesame0pen"
BUCKET = "lake"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "DUCKDB_S3_USE_SSL": "false",
}
TABLES = {"omop.person": "all", "omop.condition_occurrence": "all", "snds_dcir.er_prs_f": "all"}


@pytest.fixture
def storage(object_storage: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the bucket answers; the environment leads the engine to it, as in production."""
    host = object_storage.removeprefix("http://").partition("/")[0]
    for name, value in (ENVIRONMENT | {"DUCKDB_S3_ENDPOINT": host}).items():
        monkeypatch.setenv(name, value)
    return object_storage


@pytest.fixture
def world(storage: str, tmp_path: Path) -> World:
    """A hub of its own under a prefix of the bucket."""
    return World.create(tmp_path, lake_data=f"s3://{BUCKET}/{tmp_path.name}")


def stored(storage: str, world: World) -> list[str]:
    """Files the storage itself lists under the hub's prefix."""
    prefix = world.settings.lake_data.removeprefix(f"s3://{BUCKET}/")
    with ask_here(f"{storage}?list-type=2&prefix={prefix}/", timeout=30) as answer:
        return [f"s3://{BUCKET}/{key}" for key in re.findall("<Key>(.*?)</Key>", answer.read().decode())]


def test_a_delivery_is_taken_in_replaced_and_cleaned_up(storage: str, world: World) -> None:
    check_a_delivery_replaced_and_cleaned_up(storage, world)


@pytest.mark.postgres
def test_the_same_with_the_catalogue_in_postgresql(storage: str, postgres_url: str, tmp_path: Path) -> None:
    far = World.create(tmp_path, lake_data=f"s3://{BUCKET}/{tmp_path.name}", lake_catalog=postgres_url)
    check_a_delivery_replaced_and_cleaned_up(storage, far)


def check_a_delivery_replaced_and_cleaned_up(storage: str, world: World) -> None:
    assert world.deliver().status == "accepted"
    first = world.visits()
    corrected = world.deliver(minutes=1)
    assert (corrected.status, world.visits()) == ("accepted", first)
    before = stored(storage, world)
    later = datetime.now(UTC) + timedelta(days=2)
    assert maintain(world.lake(), kept=timedelta(0), now=later).snapshots_expired > 0
    after = stored(storage, world)
    assert after
    assert len(after) < len(before)
    assert world.visits() == first
    assert not list(world.home.lake.rglob("*.parquet"))


def test_an_extract_is_built_rebuilt_and_traced(storage: str, world: World) -> None:
    release = fill(world.home, world.settings, persons=60)
    datasets = load_datasets()
    with Registry(world.home, world.settings) as registry:
        permit = grant(registry, dossier("pilot", tables=TABLES))
    result = build_extract(world.home, world.settings, datasets, permit, release)
    assert result.rows["omop.person"] == 60
    assert rebuild_extract(world.home, world.settings, datasets, "pilot/v1") == []
    address = next(file for file in stored(storage, world) if "/omop/person/" in file)
    assert trace(world.home, world.settings, address).kind == "a file of omop.person in the lake"
    with pytest.raises(HubError, match="nothing is known"):
        trace(world.home, world.settings, f"{address.rpartition('/')[0]}/other.parquet")


@pytest.mark.slow
def test_omop_is_built_there(storage: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDH_LAKE_DATA", world.settings.lake_data)
    assert not standardise(world.home, world.settings).failed_tests
    assert any("/omop/cdm_source/" in file for file in stored(storage, world))


def test_sql_reads_the_lake_and_nothing_else(storage: str, world: World) -> None:
    fill(world.home, world.settings, persons=5)
    lake = world.lake()
    assert read(lake, "SELECT count(*) AS n FROM omop.person WHERE person_id IS NOT NULL") == [{"n": 5}]
    with duckdb.connect() as plain:
        plain.execute(f"COPY (SELECT 'elsewhere' AS word) TO {literal(world.home.root / 'x.parquet')}")
    for place in ("/etc/hostname", str(world.home.root / "x.parquet"), f"s3://{BUCKET}/other/x.parquet"):
        for file in (f"read_parquet({literal(place)})", literal(place)):
            with pytest.raises(HubError, match=r"does not call read_parquet|reads tables of the lake"):
                read(lake, f"SELECT * FROM {file}")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT current_setting('s3_secret_access_key')",
        "SELECT setting FROM pg_catalog.pg_settings WHERE name = 's3_secret_access_key'",
        "SELECT 1 WHERE upper(main.Current_Setting('s3_' || 'secret_access_key')) > 'A'",
        "SELECT (SELECT list_transform([1], x -> current_setting('s3_session_token')))",
        "WITH t AS (SELECT system.main.\"current_setting\"('s3_access_key_id') AS k) SELECT k FROM t",
        "SELECT * FROM range(length(current_setting('s3_secret_access_key')))",
        "SELECT getenv('AWS_SECRET_ACCESS_KEY')",
        "FROM duckdb_secrets()",
        "FROM duckdb_settings()",
        "FROM which_secret('s3://lake/x', 's3')",
        "FROM pragma_database_list()",
        "PRAGMA database_list",
        "SHOW s3_secret_access_key",
        "CALL duckdb_secrets()",
        "SET VARIABLE k = current_setting('s3_secret_access_key')",
        "EXPLAIN SELECT current_setting('s3_secret_access_key')",
        "FROM query('SELECT current_setting(''s3_secret_access_key'')')",
    ],
)
def test_sql_tells_no_key_of_the_storage(world: World, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with world.lake().writer():
        pass
    with pytest.raises(HubError) as told:
        read(world.lake(), query)
    assert SECRET not in str(told.value)


def test_a_storage_that_does_not_answer_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world.home, world.settings, persons=5)
    world.home.settings_file.write_text(f'lake_data = "{world.settings.lake_data}"\n', "utf-8")
    context = Context(world.home)
    assert _finding(context).passed
    monkeypatch.setenv("DUCKDB_S3_ENDPOINT", "127.0.0.1:1")
    found = _finding(context)
    assert not found.passed
    assert "object storage" in found.detail


def test_a_file_and_a_catalogue_that_are_gone_are_told(storage: str, world: World) -> None:
    fill(world.home, world.settings, persons=5)
    address = next(file for file in stored(storage, world) if "/omop/person/" in file)
    client = boto3.client("s3", endpoint_url=storage.removesuffix(f"/{BUCKET}"))
    client.delete_object(Bucket=BUCKET, Key=address.removeprefix(f"s3://{BUCKET}/"))
    lake, name = world.lake(), address.removeprefix(f"{world.settings.lake_data}/")
    with lake.reader() as engine:
        assert damaged_files(lake, engine) == [name]
        with pytest.raises(duckdb.Error) as error:
            engine.execute("FROM lake.omop.person").fetchall()
    told = outside_failure(error.value)
    assert told is not None
    assert told.message == f"the lake's file {name} is gone"
    lake.catalog_file.unlink()
    for opened in (lake.reader, lake.writer):
        with pytest.raises(HubError, match="catalogue is gone"), opened():
            pass


def _finding(context: Context) -> Finding:
    return next(finding for finding in look(context) if finding.check == "lake")
