"""The ledger: attempts are numbered, ended, and counted when they fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from hdh_assets.core.home import Home, Settings
from resources.ledger import Attempt, Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(Home(tmp_path), Settings())


def start(ledger: Ledger, digest: str = "a") -> Attempt:
    return ledger.start(digest=digest, dataset="d", period="p", producer="x", run_id="r", run_folder="f", folder="/i")


def test_attempts_at_one_delivery_are_numbered(ledger: Ledger) -> None:
    assert [start(ledger).attempt, start(ledger, "b").attempt, start(ledger).attempt] == [1, 1, 2]


def test_the_view_has_what_runs_and_what_failed(ledger: Ledger) -> None:
    ledger.finish(start(ledger), "failed")
    ledger.finish(start(ledger), "failed")
    start(ledger, "b")
    ledger.finish(start(ledger, "c"), "accepted", "receipt.json")
    view = ledger.view()
    assert (view.running, view.failures) == (frozenset({"b"}), {"a": 2})
    assert [a.digest for a in ledger.under_way()] == ["b"]
    (done,) = ledger.attempts("c")
    assert (done.status, done.receipt_path, done.finished_at is not None) == ("accepted", "receipt.json", True)
