"""One home of a whole life: what people do with it, its turns and its nights."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from hdh_assets.catalog.entry import write_entry
from hdh_assets.catalog.measure import measure
from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.core.errors import HubError, RefusedError
from hdh_assets.core.home import Home, Settings
from hdh_assets.extracts.build import build_extract
from hdh_assets.extracts.deliverable import deliverable
from hdh_assets.extracts.due import ask, asked_releases, due, following, read_delivered
from hdh_assets.extracts.ended import withdraw_ended
from hdh_assets.extracts.opposed import withdraw_opposed
from hdh_assets.governance import decisions
from hdh_assets.governance.dossier import Dossier, Updates
from hdh_assets.governance.register import active_permits, today
from hdh_assets.sources.intake.decide import decide
from hdh_assets.sources.intake.recover import recover
from hdh_assets.sources.intake.run import take_in
from hdh_assets.sources.opposed.apply import apply_oppositions
from hdh_assets.sources.opposed.record import record_oppositions
from hdh_assets.standard.runner import standardise
from hdh_assets.standard.state import rules_fingerprint
from resources.inbox import scan
from resources.lake import open_lake, remove_dead_spill
from resources.ledger import Ledger
from resources.maintenance import KEPT, maintain
from resources.oppositions import recorded_revision
from resources.registry import Registry
from resources.releases import find, greatest_delivered, latest, list_releases, make_release
from tests.children import exit_code

FAILED = 3
"""How a turn ends in which something failed that is to be done again."""
SECONDS = 1500
"""How long a turn may take on a busy machine."""


def turn(root: Path) -> None:
    """All that is due, by the functions that the hub's jobs call, in one process. Exits with `FAILED` if one does."""
    home = Home(root)
    settings, datasets = Settings.load(home), load_datasets(home)
    try:
        remove_dead_spill(home)
        recover(home, settings, datasets)
        apply_oppositions(home, settings, datasets, run_id="life")
        while due := decide(Ledger(home, settings).view(), scan(home, datasets)):
            for dropped in due:
                take_in(home, settings, datasets, dropped, run_id="life")
        # what a reference taught of who objected, the rest of the lake follows
        apply_oppositions(home, settings, datasets, run_id="life")
        if not all(node.is_good for node in standardise(home, settings).nodes):
            sys.exit(FAILED)
        _release(home, settings, datasets)
        withdraw_ended(home, settings)
        withdraw_opposed(home, settings, datasets)
        _extract(home, settings, datasets)
    except HubError as error:
        print(error.message, file=sys.stderr)
        sys.exit(FAILED)


def _release(home: Home, settings: Settings, datasets: Mapping[str, Dataset]) -> None:
    lake, rules = open_lake(home, settings), rules_fingerprint(settings.vocab_dir)
    with Registry(home, settings) as registry:
        revision, above = recorded_revision(registry), greatest_delivered(registry)
    make_release(lake, checks={"passed": 1}, oppositions=revision, rules=rules, above=above)
    for dataset in datasets.values():
        with lake.writer() as engine:
            write_entry(engine, measure(engine, dataset))


def _extract(home: Home, settings: Settings, datasets: Mapping[str, Dataset]) -> None:
    lake = open_lake(home, settings)
    with Registry(home, settings) as registry:
        permits = active_permits(registry, known=deliverable(datasets))
        delivered, asked = read_delivered(home, registry), asked_releases(registry)
    followers = [permit for permit in permits if permit.updates is Updates.on_delivery]
    wanted = asked | following(followers, delivered, list_releases(lake))
    for permit in due(permits, delivered, wanted):
        build_extract(home, settings, datasets, permit, find(lake))


def night(root: Path) -> None:
    """The nightly maintenance, late enough for every snapshot that nothing pins to go."""
    maintain(open_lake(Home(root), Settings()), now=datetime.now(UTC) + KEPT + timedelta(days=1))


@dataclass(frozen=True)
class Sealed:
    """One delivery of a producer; of two for a period the one sealed later counts."""

    dataset: str
    period: str
    order: int
    folder: Path


@dataclass
class Hub:
    """A home and what people do with it."""

    root: Path

    @cached_property
    def home(self) -> Home:
        return Home(self.root)

    @cached_property
    def settings(self) -> Settings:
        return Settings.load(self.home)

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        return load_datasets(self.home)

    @classmethod
    def copied(cls, base: Path, root: Path) -> Hub:
        shutil.copytree(base, root)
        return cls(root)

    def place(self, dataset: str, period: str) -> Path:
        return self.home.inbox / self.datasets[dataset].producer.id / dataset / period

    def put(self, sealed: Sealed) -> None:
        shutil.copytree(sealed.folder, self.place(sealed.dataset, sealed.period), dirs_exist_ok=True)

    def turn(self) -> None:
        ended = exit_code(turn, self.root, seconds=SECONDS)
        assert ended == 0, ended

    def object(self, kind: str, identifier: str, rank: str, datasets: tuple[str, ...]) -> int:
        ((entry, _),) = record_oppositions(self.home, self.settings, [(identifier, rank)], kind, datasets)
        return entry.number

    def act(self, decision: decisions.Decision) -> None:
        with Registry(self.home, self.settings) as registry:
            registry.act("tester", decision)

    def grant(self, asked: Dossier, *, amends: bool = False) -> None:
        self.act((decisions.amend if amends else decisions.submit)(asked, today()))
        self.act(decisions.give_opinion(asked.project, favourable=True, reason="", today=today()))
        self.act(decisions.grant(asked.project, expires=None, conditions="", today=today()))

    def accepted(self) -> dict[tuple[str, str], str]:
        """Digest of the current delivery of each dataset and period."""
        with open_lake(self.home, self.settings).reader() as engine:
            sql = "SELECT dataset, period, digest FROM lake.meta.delivery WHERE status = 'current'"
            return {(dataset, period): digest for dataset, period, digest in engine.execute(sql).fetchall()}

    def renew(self) -> None:
        """Have every project hold what the newest release holds."""
        release = latest(open_lake(self.home, self.settings))
        if release is None:
            return
        for project in self.permits():
            try:
                ask(self.home, self.settings, self.datasets, project)
            except RefusedError:  # it holds that already
                continue
        self.turn()

    def permits(self) -> dict[str, int]:
        with Registry(self.home, self.settings) as registry:
            return {permit.project: permit.number for permit in active_permits(registry)}
