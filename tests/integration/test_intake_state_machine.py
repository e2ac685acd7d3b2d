"""Any order of drops, repeats, corrections, bad deliveries, kills and restarts: nothing lost, nothing twice.

The model is a list of what the producer sealed and the hub may have taken in; what the lake must show is computed from
it alone, rows, pseudonyms and all. Kills are real: a child process takes deliveries in and dies by SIGKILL, at a named
point or a random moment after the commit began.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hdh_assets.core.crash import VARIABLE
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.home import Home, Settings
from hdh_assets.sources.intake import run
from hdh_assets.sources.intake.decide import decide
from hdh_assets.sources.intake.recover import recover
from hdh_assets.sources.intake.run import take_in
from hdh_assets.sources.intake.seal import seal
from resources.inbox import scan
from resources.keys import Purpose, open_keys
from resources.lake import open_lake
from resources.lake_tables import ensure_tables
from resources.ledger import Ledger
from tests.children import exit_code
from tests.leaks import assert_no_identity

DESCRIPTOR = """
id: {id}
version: 1
title: {{en: Points, fr: Points}}
description: {{en: Made for a test, fr: Fait pour un test}}
producer: {{id: lab, name: A laboratory, contact: lab@example.org}}
owner: team:tests
family: laboratory
maturity: pilot
legal_basis: {{en: none, fr: aucune}}
sensitivity: nominative
cadence: monthly
first_period: "2024-01"
mode: {mode}
history: {{en: all, fr: tout}}
charter_version: "1"
economic_terms: {{en: free, fr: gratuit}}
tables:
  - name: POINT
    title: {{en: Points, fr: Points}}
    description: {{en: One row per point, fr: Une ligne par point}}
    primary_key: [ID]
    columns:
      - {{name: ID, type: integer, nullable: false, description: {{en: Number, fr: Numéro}}}}
      - {{name: VALUE, type: integer, description: {{en: Value, fr: Valeur}}}}
      - {{name: NAME, type: string(40), role: direct_identifier, description: {{en: Name, fr: Nom}}}}
      - name: WHO
        type: string(20)
        role: person_key
        identifier_type: lab_patient
        description: {{en: Person, fr: Personne}}
"""
MODES = {"points": "append", "states": "snapshot"}
PERIODS = ("2024-01", "2024-02", "2024-03")
NAME = "Ymperatrice Zéphyrine"
POINTS = (
    "intake.started",
    "intake.after_copy",
    "intake.after_load",
    "intake.keeping",
    "intake.before_commit",
    "intake.after_commit",
    "intake.after_receipt",
    "intake.after_cleanup",
)
Row = tuple[str, str, int, int, str]
"""Dataset, period, ID, VALUE, pseudonym."""


@dataclass(frozen=True)
class Sealed:
    """One delivery of the producer. `order` is unique and says which was sealed later."""

    dataset: str
    period: str
    order: int
    rows: int
    is_good: bool = True


def shown(accepted: Iterable[Sealed]) -> set[Sealed]:
    """What the lake shows of these deliveries, whatever the order they came in."""
    winners: dict[tuple[str, str], Sealed] = {}
    for one in accepted:
        scope = (one.dataset, one.period if MODES[one.dataset] == "append" else "")
        rival = winners.get(scope)
        if rival is None or (one.period, one.order) > (rival.period, rival.order):
            winners[scope] = one
    return set(winners.values())


def _take_all(root: Path) -> None:
    home = Home(root)
    datasets, options = load_datasets(home), Settings.load(home)
    recover(home, options, datasets)
    while due := decide(Ledger(home, options).view(), scan(home, datasets)):
        for dropped in due:
            take_in(home, options, datasets, dropped, run_id="test")


def _die_taking(root: Path, point: str, milliseconds: int | None) -> None:
    """Die at the point, or so long after it, wherever that is."""
    if milliseconds is None:
        os.environ[VARIABLE] = point
    else:
        run.crash_point = lambda name: name == point and threading.Timer(milliseconds / 1000, _die).start()
    _take_all(root)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Deliveries(RuleBasedStateMachine):
    """Producer and hub, each free to act at any time."""

    @initialize()
    def new_hub(self) -> None:
        self.order = 0
        self.waiting: dict[tuple[str, str], Sealed] = {}
        self.accepted: list[Sealed] = []
        self.kept: dict[Sealed, Path] = {}
        self.folder = Path(tempfile.mkdtemp())
        self.home = Home(self.folder / "hub")
        self.home.datasets.mkdir(parents=True)
        for name, mode in MODES.items():
            (self.home.datasets / f"{name}.yaml").write_text(DESCRIPTOR.format(id=name, mode=mode), "utf-8")
        keys = open_keys(self.home)
        keys.create_missing(tuple(Purpose))
        self.keys = [keys.get(p).hex().encode() for p in (Purpose.identity_level1, Purpose.identity_level2)]
        self.datasets = load_datasets(self.home)
        with open_lake(self.home).writer() as engine:
            ensure_tables(engine, {name: self.datasets[name] for name in MODES})

    @rule(
        dataset=st.sampled_from(sorted(MODES)),
        period=st.sampled_from(PERIODS),
        rows=st.integers(0, 3),
        is_late=st.booleans(),
        is_good=st.sampled_from([True, True, True, False]),
    )
    def drop(self, dataset: str, period: str, rows: int, is_late: bool, is_good: bool) -> None:
        """A first delivery or a correction; sealed before all others when `is_late`, so that it comes out of order."""
        if (dataset, period) in self.waiting:
            return
        self.order += 1
        sealed = Sealed(dataset, period, -self.order if is_late else self.order, rows, is_good)
        folder = self.folder / f"made{self.order}"
        folder.mkdir()
        lines = [f"{n},{self.order},{NAME},person {n}\n" for n in range(rows)]
        (folder / "POINT.csv").write_text("ID,VALUE,NAME,WHO\n" + "".join(lines) + ("" if is_good else "x\n"), "utf-8")
        instant = datetime(2024, 6, 1, tzinfo=UTC) + timedelta(minutes=sealed.order)
        seal(folder, self.datasets[dataset], period, sealed_at=instant)
        self.kept[sealed] = folder
        self._put(sealed)

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def drop_again(self, data: st.DataObject) -> None:
        """The very same delivery again, perhaps one that another replaced, or that was refused."""
        sealed = data.draw(st.sampled_from(sorted(self.kept, key=lambda one: one.order)))
        if (sealed.dataset, sealed.period) not in self.waiting:
            self._put(sealed)

    def _put(self, sealed: Sealed) -> None:
        target = self.home.inbox / "lab" / sealed.dataset / sealed.period
        shutil.copytree(self.kept[sealed], target, dirs_exist_ok=True)
        self.waiting[sealed.dataset, sealed.period] = sealed

    @rule()
    def run(self) -> None:
        """The hub starts, repairs, and takes in all that is due."""
        _take_all(self.home.root)
        self.accepted += [one for one in self.waiting.values() if one.is_good and one not in self.accepted]
        self.waiting = {}

    @rule(point=st.sampled_from(POINTS))
    def die(self, point: str) -> None:
        """The hub dies at a named point of a delivery, then starts again."""
        self._killed(point, None)
        self.run()

    @rule(milliseconds=st.integers(0, 60))
    def die_while_committing(self, milliseconds: int) -> None:
        """The hub dies some time after a commit began: in it, or wherever it then is."""
        self._killed("intake.before_commit", milliseconds)
        self.run()

    def _killed(self, point: str, milliseconds: int | None) -> None:
        ended = exit_code(_die_taking, self.home.root, point, milliseconds)
        assert ended in {0, -signal.SIGKILL}
        assert self._rows() in self._possible()
        assert_no_identity(self.home, (NAME,))

    def _possible(self) -> list[set[Row]]:
        """What the lake may show after some of what waits was taken in: each delivery whole or not at all."""
        coming = sorted((one for one in self.waiting.values() if one.is_good), key=lambda one: one.order)
        return [self._expected([*self.accepted, *coming[:taken]]) for taken in range(len(coming) + 1)]

    def _expected(self, accepted: list[Sealed]) -> set[Row]:
        return {
            (one.dataset, one.period, n, abs(one.order), self._pseudonym(f"person {n}"))
            for one in shown(accepted)
            for n in range(one.rows)
        }

    def _pseudonym(self, who: str) -> str:
        first = hmac.new(self.keys[0], f"FR-HDH|v1|lab_patient|{who}".encode(), hashlib.sha256).hexdigest()
        return str(UUID(hmac.new(self.keys[1], first.encode(), hashlib.sha256).hexdigest()[:32]))

    def _rows(self) -> set[Row]:
        found: list[Row] = []
        with open_lake(self.home).reader() as engine:
            for name in MODES:
                columns = f"'{name}', _period, id, value, who::VARCHAR"
                found += engine.execute(f"SELECT {columns} FROM lake.{name}.point").fetchall()
        assert len(found) == len(set(found)), "a row is there twice"
        return set(found)

    @invariant()
    def the_lake_shows_what_was_accepted_and_no_more(self) -> None:
        if not hasattr(self, "home"):
            return
        assert self._rows() == self._expected(self.accepted)
        with open_lake(self.home).reader() as engine:
            register = engine.execute("SELECT dataset, period, status FROM lake.meta.delivery").fetchall()
        assert sorted(row[:2] for row in register) == sorted((one.dataset, one.period) for one in self.accepted)
        current = sorted(row[:2] for row in register if row[2] == "current")
        assert current == sorted((one.dataset, one.period) for one in shown(self.accepted))

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            leftovers = list((self.home.vault / "tmp").glob("*")) if not self.waiting else []
            shutil.rmtree(self.folder)
            assert leftovers == []


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(
    max_examples=5,
    stateful_step_count=8,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
