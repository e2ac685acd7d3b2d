"""Standardisation of the SNDS over real lakes: any order of deliveries, replaced or not, gives the same tables."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import snds_rows
from standard_hub import StandardHub, differences

from hdh_assets.standard.runner import standardise
from resources.lake_tables import deliveries, register
from resources.releases import code_commit

PERSONS, LINES = 300, 1500

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def at_once(standardised, tmp_path_factory):
    """Everything delivered before the first standardisation."""
    hub = StandardHub(tmp_path_factory.mktemp("at_once"), standardised)
    hub.deliver(snds_rows.set_beneficiaries, "2020-02", persons=PERSONS, version=2)
    for month in range(3):
        hub.deliver(snds_rows.add_flux, month, lines=LINES, persons=PERSONS, version=1 + (month == 1))
    hub.standardise()
    return hub


@pytest.fixture(scope="module")
def one_by_one(standardised, tmp_path_factory):
    """The same in another order, standardised at each step, with a flux and a reference that are replaced.

    By somebody who keeps options of dbt for another project: a hub that heeded them would have no rows, or not start.
    """
    hub = StandardHub(tmp_path_factory.mktemp("one_by_one"), standardised)
    size = {"lines": LINES, "persons": PERSONS}
    steps = [
        [(snds_rows.add_flux, (2,), size)],
        [(snds_rows.set_beneficiaries, ("2020-01",), {"persons": PERSONS}), (snds_rows.add_flux, (1,), size)],
        [
            (snds_rows.add_flux, (0,), size),
            (snds_rows.add_flux, (1,), size | {"version": 2}),
            (snds_rows.set_beneficiaries, ("2020-02",), {"persons": PERSONS, "version": 2}),
        ],
    ]
    with pytest.MonkeyPatch.context() as shell:
        shell.setenv("DBT_EMPTY", "1")
        shell.setenv("DBT_TARGET", "prod")
        for step in steps:
            for write, args, kwargs in step:
                hub.deliver(write, *args, **kwargs)
            assert hub.standardise().is_changed
    return hub


def test_any_order_gives_the_same_tables_as_all_at_once(at_once, one_by_one):
    tables = at_once.omop()
    assert tables["drug_exposure"].num_rows > 1000
    assert tables["death"].num_rows > 0
    assert differences(one_by_one.omop(), tables) == {}


@pytest.mark.slow
def test_full_rebuild_gives_the_same_tables(one_by_one):
    before = one_by_one.omop()
    with one_by_one.lake.writer() as engine:
        engine.execute("CREATE VIEW lake.staging.int_hub__former AS SELECT 1 AS a")
    views = "SELECT view_name FROM duckdb_views() WHERE database_name = 'lake' ORDER BY ALL"
    with_the_former = one_by_one.rows(views)
    one_by_one.standardise(full=True)
    assert differences(one_by_one.omop(), before) == {}
    assert one_by_one.rows(views) == [view for view in with_the_former if view != ("int_hub__former",)]


def test_the_cdm_says_which_code_made_it_as_a_release_does(at_once):
    assert at_once.rows("SELECT cdm_etl_reference FROM lake.omop.cdm_source") == [(code_commit(),)]


def test_nothing_new_writes_nothing(at_once):
    snapshot = "SELECT max(snapshot_id) FROM ducklake_snapshots('lake')"
    before = at_once.rows(snapshot)
    assert not at_once.standardise().is_changed
    assert at_once.rows(snapshot) == before


@pytest.mark.slow
def test_removed_flux_takes_back_what_it_brought(at_once):
    before = at_once.omop()
    at_once.deliver(snds_rows.add_flux, 3, lines=LINES, persons=PERSONS)
    at_once.standardise()
    assert differences(at_once.omop(), before) != {}
    at_once.deliver(snds_rows.remove_flux, 3)
    at_once.standardise()
    assert set(differences(at_once.omop(), before)) == set()


@pytest.mark.slow
def test_killed_run_is_completed_by_the_next(at_once):
    """Killed when some tables are new and others old: what comes out is what the deliveries say, flux 4 and without."""
    stopped_after = "visit_occurrence"
    before = at_once.omop()
    at_once.deliver(snds_rows.add_flux, 4, lines=LINES, persons=PERSONS)
    script = textwrap.dedent(f"""
        import os, signal
        from hdh_assets.core.home import Home, Settings
        from hdh_assets.standard.runner import standardise
        def stop(node):
            if node.name == {stopped_after!r}:
                os.killpg(0, signal.SIGKILL)
        standardise(Home.resolve(), Settings(), on_event=stop)
    """)
    killed = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"HDH_HOME": str(at_once.home.root)},
        start_new_session=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert at_once.standardise().is_changed
    [(contributed,)] = at_once.rows(
        "SELECT count(*) FROM lake.staging.int_snds_dcir__event WHERE quantity > 0 AND kind = 'pha'"
    )
    assert at_once.omop()["drug_exposure"].num_rows == contributed > before["drug_exposure"].num_rows
    at_once.deliver(snds_rows.remove_flux, 4)
    at_once.standardise()
    assert differences(at_once.omop(), before) == {}


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_dbt_ends_with_the_run_that_started_it(standardised, tmp_path, sent):
    """Else it would go on writing when the lock is free, beside the next who takes it."""
    hub = StandardHub(tmp_path / "hub", standardised)
    script = """if True:
        import signal
        from hdh_assets.core.home import Home, Settings
        from hdh_assets.standard.runner import standardise
        signal.signal(signal.SIGINT, signal.default_int_handler)  # tests begun in the background inherit it ignored
        standardise(Home.resolve(), Settings(), full=True, on_event=lambda node: print(node.name, flush=True))
    """
    run = subprocess.Popen(
        [sys.executable, "-c", script],
        env=os.environ | {"HDH_HOME": str(hub.home.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert run.stdout.readline()
    [dbt] = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    os.kill(int(dbt), signal.SIGSTOP)  # in the middle of a model that takes long
    run.send_signal(sent)
    assert run.wait(60) != 0  # dbt, asleep, would never end by itself
    for _ in range(300):
        if not Path(f"/proc/{dbt}").exists():
            break
        time.sleep(0.1)
    else:
        os.kill(int(dbt), signal.SIGKILL)
        pytest.fail("dbt outlives the run")
    with hub.lake.writer_lock(1):
        assert hub.rows("SELECT count(*) FROM lake.omop.person") == [(0,)]


def test_checks_see_what_a_run_wrote_and_what_it_left_of_others(one_by_one):
    """Behind the hub's back rows went to a day that no flux reaches, and the persons vanished.

    A flux that is loaded again writes their keys a second time, one that is removed takes away the visits they name,
    and the events of a new one are of nobody known.
    """
    elsewhen = "DATE '1999-01-01'"
    with one_by_one.lake.writer() as engine:
        engine.execute(
            f"INSERT INTO lake.omop.drug_exposure SELECT * REPLACE ({elsewhen} AS drug_exposure_start_date)"
            " FROM lake.omop.drug_exposure WHERE drug_exposure_start_date >= DATE '2020-02-01'"
        )
        engine.execute(
            f"UPDATE lake.omop.measurement SET measurement_date = {elsewhen} WHERE year(measurement_date) < 2020"
        )
        engine.execute("DELETE FROM lake.omop.person")
        [again] = [row for row in deliveries(engine, "snds_dcir") if (row.period, row.status) == ("2020-03", "current")]
        register(engine, replace(again, loaded_at=again.loaded_at + timedelta(days=1)))
    one_by_one.deliver(snds_rows.remove_flux, 0)
    one_by_one.deliver(snds_rows.add_flux, 3, lines=LINES, persons=PERSONS)
    failed = {node.name for node in standardise(one_by_one.home, one_by_one.settings).failed_tests}
    assert {"every_key_is_unique", "every_visit_is_known", "every_person_is_known"} <= failed
