"""One hub on one home, and what a dead one left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home, Settings
from hdh_assets.definitions import backfill
from hdh_assets.definitions.backfill import BackfillError, Plan, plan_of, resume, run_plan
from hdh_assets.definitions.instance import dagster_yaml, prepare_instance
from hdh_assets.definitions.locations import HUB, TRUSTED_THIRD_PARTY, locations
from hdh_assets.definitions.one_hub import STACK, HubRunsError, stack_processes, the_only_hub
from hdh_assets.definitions.stack import bound


def test_a_second_hub_is_told_who_holds_the_home(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with (
        the_only_hub(home, "hdh up"),
        pytest.raises(HubRunsError, match=f"hdh up, process {os.getpid()}"),
        the_only_hub(home, "hdh tick"),
    ):
        pytest.fail("two hubs on one home")
    with the_only_hub(home, "hdh tick"):
        assert (home.dagster / "hub.json").exists()


def test_leftovers_of_a_dead_stack_are_ended_and_others_left_alone(tmp_path: Path) -> None:
    mine, other = Home(tmp_path / "mine"), Home(tmp_path / "other")
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    left = subprocess.Popen(command, env=os.environ | {STACK: str(mine.root)})
    stranger = subprocess.Popen(command, env=os.environ | {STACK: str(other.root)})
    try:
        deadline = time.monotonic() + 10
        while stack_processes(mine) != [left.pid] and time.monotonic() < deadline:
            time.sleep(0.05)
        with the_only_hub(mine, "hdh up"):
            assert left.wait(10) != 0
            assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_dagster_keeps_to_the_home_and_sends_nothing(tmp_path: Path) -> None:
    home, settings = Home(tmp_path), Settings(dagster_postgres="postgresql://u@h/d", lake_catalog="postgresql://u@h/l")
    environment = prepare_instance(home, settings)
    content = yaml.safe_load((home.dagster / "dagster.yaml").read_text())
    assert environment["DAGSTER_HOME"] == str(home.dagster)
    assert content["telemetry"] == {"enabled": False}
    assert content["storage"] == {"postgres": {"postgres_url": "postgresql+psycopg2://u@h/d"}}
    assert content["concurrency"]["pools"]["default_limit"] > 1
    assert yaml.safe_load(dagster_yaml(Settings()))["concurrency"]["pools"]["default_limit"] == 1


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "intranet"}, "intranet,127.0.0.1,localhost"),
        ({"NO_PROXY": "other", "no_proxy": "intranet"}, "intranet,127.0.0.1,localhost"),
        ({"no_proxy": "*", "no_grpc_proxy": "far"}, "far,127.0.0.1,localhost"),
    ],
)
def test_dagster_reaches_its_processes_by_no_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, str], wanted: str
) -> None:
    for name in ("no_grpc_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert prepare_instance(Home(tmp_path), Settings())["no_grpc_proxy"] == wanted


def test_the_workspace_names_both_code_locations() -> None:
    assert [(each.name, each.module) for each in locations()] == [
        (TRUSTED_THIRD_PARTY, "hdh_assets.definitions.trusted_third_party"),
        (HUB, "hdh_assets.definitions.hub"),
    ]


def test_a_log_is_cut_while_a_process_writes_it_and_keeps_what_it_said(tmp_path: Path) -> None:
    log = tmp_path / "daemon.log"
    with log.open("ab") as written:
        written.write(b"x" * 1000)
        written.flush()
        bound(log, 1000)
        assert log.stat().st_size == 1000
        written.write(b"y")
        written.flush()
        bound(log, 1000)
        written.write(b"z")
    assert (log.read_bytes(), (tmp_path / "daemon.log.1").stat().st_size) == (b"z", 1001)


def test_a_stopped_backfill_goes_on_and_a_forced_one_starts_anew(tmp_path: Path) -> None:
    home, plan = _left_after_one_period(tmp_path)
    assert resume(home, plan).left == ("2024-02", "2024-03")
    assert resume(home, plan, force=True).left == plan.periods
    assert resume(home, replace(plan, periods=("2024-01",))).left == ("2024-01",)


def test_a_backfill_left_under_another_description_or_long_ago_starts_anew(tmp_path: Path) -> None:
    """Its periods have to be loaded again: for the new description, or since a backup was restored."""
    home, plan = _left_after_one_period(tmp_path)
    dataset = load_datasets()["snds_dcir"]
    assert plan_of(dataset, plan.periods).description == plan.description
    changed = plan_of(dataset.model_copy(update={"charter_version": "other"}), plan.periods)
    assert resume(home, changed).left == plan.periods
    assert resume(home, replace(plan, begun_at=plan.begun_at + timedelta(days=2))).left == plan.periods


def test_a_plan_of_an_earlier_version_of_the_hub_starts_anew(tmp_path: Path) -> None:
    home, plan = _left_after_one_period(tmp_path)
    kept = home.dagster / "backfills" / "snds_dcir.json"
    kept.write_text(json.dumps({"dataset": plan.dataset, "periods": plan.periods, "done": ["2024-01"]}), "utf-8")
    assert resume(home, plan).left == plan.periods


def _left_after_one_period(root: Path) -> tuple[Home, Plan]:
    """A backfill that failed at its second period of three; as it is asked for again."""
    home, plan = Home(root), plan_of(load_datasets()["snds_dcir"], ("2024-01", "2024-02", "2024-03"))
    (home.dagster / "backfills").mkdir(parents=True)
    backfill._keep(home, replace(plan, done=("2024-01",)))
    return home, plan


def test_one_backfill_of_a_dataset_at_a_time(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (home.dagster / "backfills").mkdir(parents=True)
    with (
        FileLock(home.dagster / "backfills" / "a.lock"),
        pytest.raises(BackfillError, match="another `hdh backfill` of a is under way"),
    ):
        next(run_plan(home, Settings(), Plan("a", "", datetime.now(UTC), ("2024-01",))))
