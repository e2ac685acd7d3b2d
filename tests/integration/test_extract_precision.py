"""Extracts are as fine as their permit says, in the rows they are made of as in their columns."""

from __future__ import annotations

import json

import dagster as dg
import pytest
from test_extract import Hub, read
from typer.testing import CliRunner

from hdh_assets.cli.console import Context
from hdh_assets.cli.extracts import extract_app
from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.assets import extract_assets
from hdh_assets.extracts.rebuild import rebuild_extract
from resources.hub import Hub as HubResource
from resources.lake import open_lake
from resources.releases import make_release
from tests.extract_hub import dossier, grant


@pytest.fixture
def hub(home: Home, settings: Settings) -> Hub:
    """A hub whose tables a test may change."""
    return Hub(home, settings)


def release_anew(hub: Hub) -> None:
    """Release the tables as they are now; a release is made when numbers of rows change."""
    lake = open_lake(hub.home, hub.settings)
    with lake.writer() as engine:
        engine.execute("DELETE FROM lake.omop.condition_era")
    hub.release = make_release(lake, checks={"passed": 1})


def test_places_are_departments_where_the_permit_knows_no_commune(hub: Hub) -> None:
    with open_lake(hub.home, hub.settings).writer() as engine:
        engine.execute("UPDATE lake.omop.location SET county = (hash(location_id) % 5)::VARCHAR")
    release_anew(hub)
    tables = {"omop.person": "all", "omop.location": "all", "omop.care_site": "all"}
    fine = hub.deliver("fine", tables=tables)
    coarse = hub.deliver("coarse", tables=tables, precision={"residence": "department"})
    homes = (
        "SELECT county, count(*), count(DISTINCT location_id) FROM 'data/omop.person.parquet' AS p "
        "JOIN 'data/omop.location.parquet' AS l USING (location_id) GROUP BY county ORDER BY county"
    )
    by_county = [(county, persons) for county, persons, _ in read(fine, homes)]
    assert len(by_county) == 5
    assert sum(places for _, _, places in read(fine, homes)) == 40
    assert read(coarse, homes) == [(county, persons, 1) for county, persons in by_county]
    assert coarse.rows["omop.location"] == 5
    located = "SEMI JOIN 'data/omop.location.parquet' AS l USING (location_id)"
    sites = f"SELECT count(*) FROM 'data/omop.care_site.parquet' AS c {located}"
    assert read(coarse, sites) == read(fine, sites)
    unlisted = hub.deliver("unlisted", tables={"omop.location": ["county"]}, precision={"residence": "department"})
    assert unlisted.rows["omop.location"] == 5
    assert rebuild_extract(hub.home, hub.settings, hub.datasets, "coarse/v1") == []


@pytest.mark.parametrize(("dates", "days", "hours"), [("exact", 28, [(3,)]), ("day", 28, [(0,)]), ("month", 1, [(0,)])])
def test_dates_are_as_fine_as_the_permit_says(hub: Hub, dates: str, days: int, hours: list[tuple[int]]) -> None:
    tables = {"omop.condition_occurrence": "all"}
    version = hub.deliver(dates, tables=tables, precision={"dates": dates})
    events = "FROM 'data/omop.condition_occurrence.parquet'"
    [(found,)] = read(version, f"SELECT count(DISTINCT day(condition_start_date)) {events}")
    assert found >= days if days > 1 else found == 1
    assert read(version, f"SELECT DISTINCT hour(condition_start_datetime) {events}") == hours
    same = "bool_and(condition_start_datetime::DATE = condition_start_date)"
    assert read(version, f"SELECT {same} {events}") == [(True,)]
    assert rebuild_extract(hub.home, hub.settings, hub.datasets, f"{dates}/v1") == []


def test_a_death_outside_the_period_is_not_told(hub: Hub) -> None:
    with open_lake(hub.home, hub.settings).writer() as engine:
        engine.execute(
            "UPDATE lake.snds_dcir.er_prs_f SET ben_dcd_dte = DATE '2019-06-16' + (rowid % 900)::INT, "
            "ben_dcd_ame = strftime(DATE '2019-06-16' + (rowid % 900)::INT, '%Y%m')"
        )
    release_anew(hub)
    listed = {"snds_dcir.er_prs_f": ["ben_nir_psa", "ben_dcd_dte", "ben_dcd_ame"]}
    period = {"from": "2019-01-01", "to": "2020-03-31"}
    version = hub.deliver("deaths", tables=listed, period=period)
    told = "SELECT min(ben_dcd_dte)::VARCHAR, max(ben_dcd_dte)::VARCHAR, min(ben_dcd_ame), max(ben_dcd_ame), "
    [(*found, empty)] = read(version, f"{told} bool_or(ben_dcd_dte IS NULL) FROM 'data/snds_dcir.er_prs_f.parquet'")
    assert found == ["2019-06-16", "2020-03-31", "201906", "202003"]
    assert empty


def test_an_extract_of_nobody_says_so(hub: Hub) -> None:
    asked = {"table": "omop.condition_occurrence", "column": "condition_source_value", "values": ["Z99"]}
    permit = grant(hub.registry, dossier("nobody", population={"persons_with": [asked]}))
    resources = {"hub": HubResource(folder=str(hub.home.root))}
    done = dg.materialize([extract_assets(permit, hub.datasets)], resources=resources)
    version = hub.version("nobody/v1")
    assert "Nobody meets the population" in (version.folder / "README.md").read_text("utf-8")
    told = [event.metadata["warning"].value for event in done.asset_materializations_for_node("extract_nobody")]
    assert len(told) == 2
    assert all("nobody meets" in str(words) for words in told)
    listed = CliRunner().invoke(extract_app, ["list", "--json"], obj=Context(hub.home))
    assert json.loads(listed.stdout)[0]["state"] == "delivered; nobody meets its permit"
    assert rebuild_extract(hub.home, hub.settings, hub.datasets, "nobody/v1") == []


def test_an_extract_of_everybody_does_not_say_that_nobody_meets_its_permit(hub: Hub) -> None:
    version = hub.deliver("some")
    assert "Nobody" not in (version.folder / "README.md").read_text("utf-8")
    assert "nobody" not in version.manifest
