"""A hub's life drawn from a seed, and the fresh hub that saw only its result.

A life is a list of steps, told in words: drops, repeats, corrections, out of order; oppositions and their ends;
permits; the hub's turns, undisturbed or killed at a named point, `hdh tick` killed at any moment; nights.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from life_deliveries import PERIODS, correct, identifiers
from life_hub import FAILED, SECONDS, Hub, Sealed, night, turn

from hdh_assets.definitions.one_hub import end_leftovers
from hdh_assets.governance import decisions
from hdh_assets.governance.dossier import Dossier
from hdh_assets.governance.register import today
from hdh_assets.sources.intake.manifest import digest_of
from hdh_assets.sources.intake.seal import seal
from hdh_assets.sources.opposed.record import withdraw_opposition
from resources.ledger import Ledger
from resources.oppositions import open_book
from tests.children import exit_code, up_to
from tests.extract_hub import dossier

LIKELY = {"snds_beneficiaries": 3, "snds_dcir": 6, "hospital_ehr": 2, "commune_context": 1}
SEALED = datetime(2024, 6, 1, tzinfo=UTC)
POINTS = {
    "take in": [
        f"intake.{moment}"
        for moment in (
            *("started", "after_copy", "after_load", "after_keys", "after_file", "keeping", "before_commit"),
            *("after_commit", "after_receipt", "after_cleanup", "finished", "setting_aside", "after_oppositions"),
        )
    ],
    "oppositions": [
        f"opposition.{moment}" for moment in ("retaken", "in_book_before_lake", "before_commit", "applied")
    ],
    "standardise": [
        *("standardise.prepared", "standardise.before_done", "standardise.after_done"),
        *(f"standardise.{model}.inside" for model in ("int_hub__scope", "person", "drug_exposure", "cost")),
        "standardise.visit_occurrence.before",
    ],
    "release": [
        *("release.before_number", "release.before_commit", "release.after_commit"),
        *("catalog.before_commit", "catalog.after_commit"),
    ],
    "extract": [
        *("extract.table", "extract.written", "extract.placed", "registry.before_commit", "registry.after_commit"),
        *(f"withdrawal.{moment}" for moment in ("recorded", "noticed", "emptying", "before_forgetting")),
    ],
}
NIGHT = ["maintenance.merged", "maintenance.expired", "maintenance.cleaned"]
ASKED = [
    {"omop.person": "all", "omop.drug_exposure": "all", "snds_dcir.er_prs_f": "all", "snds_dcir.er_pha_f": "all"},
    {"omop.person": "all", "omop.visit_occurrence": "all", "omop.cost": "all", "omop.observation_period": "all"},
    {"omop.person": "all", "omop.condition_occurrence": "all", "omop.measurement": "all", "omop.condition_era": "all"},
]
YEARS = {"from": "2010-01-01", "to": "2024-12-31"}


@dataclass
class Life(Hub):
    """A hub that lives; `told` says what happened, one line a step."""

    made: Path
    seed: int
    told: list[str] = field(default_factory=list)

    @classmethod
    def begun(cls, base: Path, root: Path, made: Path, seed: int) -> Life:
        """A life in `root`, a copy of the empty hub at `base`, to which producers deliver what is in `made`."""
        shutil.copytree(base, root)
        return cls(root, made, seed)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.sealed: dict[str, Sealed] = {}
        self.waiting: set[tuple[str, str]] = set()
        self.order = 0
        self.objections: dict[int, tuple[str, str, str, tuple[str, ...]]] = {}
        self.dossiers: dict[str, Dossier] = {}
        self.files = self.root.with_name(self.root.name + ".files")

    def say(self, *words: object) -> None:
        self.told.append(" ".join(map(str, words)))

    def live(self, steps: int) -> None:
        """So many steps, then peace: a last turn, and every project holds what the newest release holds."""
        for _ in range(2):
            self.drop()
        acts = {
            self.drop: 6,
            self.drop_again: 1,
            self.opposition: 3,
            self.change_of_mind: 2,
            self.permit: 3,
            self.end_of_permit: 0.7,
            self.peaceful_turn: 1,
            self.killed_turn: 3,
            self.killed_tick: 1,
            self.night: 1,
        }
        for _ in range(steps):
            (act,) = self.chance.choices(list(acts), list(acts.values()))
            act()
        self.peaceful_turn()
        self.say("every project asks for the newest")
        self.renew()

    def drop(self) -> None:
        """A first delivery or a correction, one time in four sealed before all others."""
        (dataset,) = self.chance.choices(list(LIKELY), list(LIKELY.values()))
        period = self.chance.choice(PERIODS[dataset])
        if (dataset, period) in self.waiting:
            return
        self.order += 1
        order = -self.order if self.chance.random() < 0.25 else self.order
        folder = self.files / str(self.order)
        shutil.copytree(self.made / dataset / period, folder)
        changed = correct(folder, self.datasets[dataset], self.chance) if self.chance.random() < 0.6 else "as made"
        (folder / "manifest.json").unlink()
        seal(folder, self.datasets[dataset], period, sealed_at=SEALED + timedelta(minutes=order))
        sealed = Sealed(dataset, period, order, folder)
        self.sealed[str(self.order)] = sealed
        self.say("drop", dataset, period, "sealed", order, changed)
        self._wait(sealed)

    def drop_again(self) -> None:
        """The very same delivery again, perhaps one that another replaced."""
        sealed = self.sealed[self.chance.choice(sorted(self.sealed))]
        if (sealed.dataset, sealed.period) not in self.waiting:
            self.say("drop again", sealed.dataset, sealed.period, "sealed", sealed.order)
            self._wait(sealed)

    def _wait(self, sealed: Sealed) -> None:
        self.put(sealed)
        self.waiting.add((sealed.dataset, sealed.period))

    def opposition(self) -> None:
        """A person objects, to all or to one dataset; that may be interrupted, and is then said again."""
        person = self.chance.choice(identifiers(self.made))
        reached = [name for name in PERIODS if name.startswith("snds" if person[0].startswith("snds") else "hospital")]
        scope = (self.chance.choice(reached),) if self.chance.random() < 0.2 else ()
        if self.chance.random() < 0.3:
            point = self.chance.choice(["opposition.in_book", "opposition.announced", "registry.before_commit"])
            exit_code(up_to, point, Hub.object, Hub(self.root), *person, scope)
            self.say("killed at", point, "of")
        number = self.object(*person, scope)
        self.objections.setdefault(number, (*person, scope))  # one that covers it keeps its number
        self.say("opposition", number, "by", person[0], "to", scope or "all")

    def change_of_mind(self) -> None:
        standing = [entry.number for entry in open_book(self.home).read().standing]
        if not standing:
            return
        number = self.chance.choice(standing)
        if self.chance.random() < 0.3:
            point = self.chance.choice(["opposition.in_book", "opposition.announced", "registry.before_commit"])
            exit_code(up_to, point, withdraw_opposition, self.home, self.settings, number)
            self.say("killed at", point, "of")
        if number in {entry.number for entry in open_book(self.home).read().standing}:
            withdraw_opposition(self.home, self.settings, number)
        self.say("opposition", number, "is withdrawn")

    def permit(self) -> None:
        project = self.chance.choice(["alpha", "beta"])
        is_amended = project in self.dossiers
        asked = dossier(
            project,
            period=YEARS,
            tables=self.chance.choice(ASKED),
            precision={"dates": self.chance.choice(["month", "exact"]), "birth": "day", "residence": "commune"},
            updates=self.chance.choice(["on_request", "on_delivery"]),
        )
        if asked == self.dossiers.get(project):
            return
        self.grant(asked, amends=is_amended)
        self.dossiers[project] = asked
        self.say("permit of", project, "for", *asked.tables, asked.precision.dates, asked.updates)

    def end_of_permit(self) -> None:
        if self.dossiers:
            project = self.chance.choice(sorted(self.dossiers))
            end = self.chance.choice([decisions.revoke, decisions.withdraw])
            self.act(end(project, reason="It ends.", today=today()))
            del self.dossiers[project]
            self.say("permit of", project, "ends:", end.__name__)

    def peaceful_turn(self) -> None:
        self.say("turn")
        self.turn()
        self.waiting.clear()

    def killed_turn(self) -> None:
        """Killed at a named point, if it passes there."""
        point = self.chance.choice(POINTS[self.chance.choice(sorted(POINTS))])
        self.say("turn killed at", point)
        ended = exit_code(up_to, point, turn, self.root, seconds=SECONDS)
        assert ended in {0, FAILED, -signal.SIGKILL}, ended
        self.told[-1] += f" -> {ended}"
        if ended == 0:
            self.waiting.clear()
        self._look()

    def killed_tick(self) -> None:
        """`hdh tick` itself, killed after some seconds, wherever it then is."""
        seconds = round(self.chance.uniform(3, 60), 1)
        self.say("tick killed after", seconds, "seconds")
        command = [sys.executable, "-m", "hdh_assets.cli", "--home", str(self.root), "tick"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as ticking:
            with suppress(subprocess.TimeoutExpired):
                ticking.wait(seconds)
            ticking.kill()
        end_leftovers(self.home)
        self._look()

    def _look(self) -> None:
        """What waits in the inbox is there or was taken away."""
        self.waiting = {key for key in self.waiting if self.place(*key).exists()}

    def night(self) -> None:
        point = self.chance.choice([*NIGHT, ""])
        self.say("night", f"killed at {point}" if point else "")
        exit_code(up_to, point, night, self.root, seconds=600)

    def result(self, root: Path, base: Path) -> Hub:
        """A fresh hub with the same keys, oppositions and permits, that takes in the last of each period, in order."""
        fresh = Hub.copied(base, root)
        for entry in open_book(self.home).read().standing:
            fresh.object(*self.objections[entry.number])
        for project in sorted(self.dossiers):
            fresh.grant(self.dossiers[project])
        for sealed in self.last():
            fresh.put(sealed)
        fresh.turn()
        fresh.renew()
        return fresh

    def last(self) -> list[Sealed]:
        """Of each period, the accepted delivery that was sealed last."""
        refused = {
            (attempt.dataset, attempt.period, attempt.digest)
            for attempt in Ledger(self.home, self.settings).attempts()
            if attempt.status == "refused"
        }
        found: dict[tuple[str, str], Sealed] = {}
        for sealed in sorted(self.sealed.values(), key=lambda one: one.order):
            digest = digest_of((sealed.folder / "manifest.json").read_bytes())
            if (sealed.dataset, sealed.period, digest) not in refused:
                found[sealed.dataset, sealed.period] = sealed
        return [found[key] for key in sorted(found, key=lambda key: (key[1], key[0]))]
