"""Any order of drops, repeats, corrections, kills and restarts: nothing lost, nothing twice.

The model is a dictionary: what the producer last delivered for each period and the hub accepted. Kills are real:
a child process takes deliveries in and dies by SIGKILL at a named point.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hdh_assets.core.crash import VARIABLE
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home, Settings
from hdh_assets.sources.intake.decide import decide
from hdh_assets.sources.intake.deliver import deliver
from hdh_assets.sources.intake.recover import recover
from hdh_assets.sources.intake.run import take_in
from resources.inbox import scan
from resources.keys import Purpose, open_keys
from resources.lake import open_lake
from resources.lake_tables import ensure_tables
from resources.ledger import Ledger

DESCRIPTOR = """
id: sample_points
version: 1
title: {en: Points, fr: Points}
description: {en: Made for a test, fr: Fait pour un test}
producer: {id: lab, name: A laboratory, contact: lab@example.org}
owner: team:tests
family: laboratory
maturity: pilot
legal_basis: {en: none, fr: aucune}
sensitivity: pseudonymised
cadence: monthly
first_period: "2024-01"
mode: append
history: {en: all, fr: tout}
charter_version: "1"
economic_terms: {en: free, fr: gratuit}
tables:
  - name: POINT
    title: {en: Points, fr: Points}
    description: {en: One row per point, fr: Une ligne par point}
    primary_key: [ID]
    columns:
      - {name: ID, type: integer, nullable: false, description: {en: Number, fr: Numéro}}
      - name: WHO
        type: string(20)
        role: person_key
        identifier_type: lab_patient
        description: {en: Person, fr: Personne}
"""
PERIODS = ("2024-01", "2024-02", "2024-03")
POINTS = (
    "intake.started",
    "intake.after_copy",
    "intake.after_load",
    "intake.before_commit",
    "intake.after_commit",
    "intake.after_receipt",
    "intake.after_cleanup",
)
_spawn = multiprocessing.get_context("spawn")


def _take_all(root: Path) -> None:
    home = Home(root)
    datasets, options = load_datasets(home), Settings.load(home)
    recover(home, options, datasets)
    while due := decide(Ledger(home, options).view(), scan(home, datasets)):
        for dropped in due:
            take_in(home, options, datasets, dropped, run_id="test")


def _die_taking(root: Path, point: str) -> None:
    os.environ[VARIABLE] = point
    _take_all(root)


class Deliveries(RuleBasedStateMachine):
    """Producer and hub, each free to act at any time."""

    @initialize()
    def new_hub(self) -> None:
        self.waiting: dict[str, int] = {}
        self.expected: dict[str, int] = {}
        self.folder = Path(tempfile.mkdtemp())
        self.home = Home(self.folder / "hub")
        self.home.datasets.mkdir(parents=True)
        (self.home.datasets / "sample_points.yaml").write_text(DESCRIPTOR, "utf-8")
        self.home.keys.mkdir()
        open_keys(self.home).create_missing(tuple(Purpose))
        self.datasets = load_datasets(self.home)
        with open_lake(self.home).writer() as engine:
            ensure_tables(engine, self.datasets)

    @rule(period=st.sampled_from(PERIODS), rows=st.integers(1, 3))
    def drop(self, period: str, rows: int) -> None:
        """A first delivery, a correction or a repeat, according to what was there before."""
        if period in self.waiting:
            return
        file = self.folder / "POINT.csv"
        lines = [f"{int(period[-2:]) * 100 + n},person {n}" for n in range(rows)]
        file.write_text("ID,WHO\n" + "\n".join(lines) + "\n", "utf-8")
        deliver(self.home, self.datasets["sample_points"], period, [file])
        self.waiting[period] = rows

    @rule()
    def run(self) -> None:
        """The hub starts, repairs, and takes in all that is due."""
        _take_all(self.home.root)
        self.expected |= self.waiting
        self.waiting = {}

    @rule(point=st.sampled_from(POINTS))
    def die(self, point: str) -> None:
        """The hub dies at a named point of the first delivery it takes in, then starts again."""
        child = _spawn.Process(target=_die_taking, args=(self.home.root, point))
        child.start()
        child.join(120)
        assert child.exitcode == (-signal.SIGKILL if self.waiting else 0)
        self.run()

    @invariant()
    def the_lake_holds_what_was_accepted_and_no_more(self) -> None:
        if not hasattr(self, "home"):
            return
        with open_lake(self.home).reader() as engine:
            rows = engine.execute("SELECT _period, count(*) FROM lake.sample_points.point GROUP BY ALL").fetchall()
            current = engine.execute(
                "SELECT count(*), count(DISTINCT period) FROM lake.meta.delivery WHERE status = 'current'"
            ).fetchall()
        assert dict(rows) == self.expected
        assert current == [(len(self.expected), len(self.expected))]

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            leftovers = list((self.home.vault / "tmp").glob("*")) if not self.waiting else []
            shutil.rmtree(self.folder)
            assert leftovers == []


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(
    max_examples=5,
    stateful_step_count=7,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
