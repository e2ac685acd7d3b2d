"""Which refusals wait for a correction: those that no later answer, and no later period in their place, made good."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hdh_assets.sources.checks import uncorrected
from resources.ledger import Attempt
from tests.integration.intake_world import dataset

NOW = datetime(2024, 6, 15, tzinfo=UTC)
BEFORE = Attempt(
    id=1,
    digest="d",
    attempt=1,
    dataset="care",
    period="2024-01",
    producer="clinic",
    status="refused",
    started_at=NOW,
    finished_at=NOW,
    run_id="r",
    run_folder="f",
    pid=1,
    host="h",
    folder="i",
    receipt_path=None,
)


@pytest.mark.parametrize(
    ("mode", "answers", "left"),
    [
        ("append", "2024-01 refused, 2024-02 accepted", ["2024-01"]),
        ("append", "2024-01 accepted, 2024-01 refused", ["2024-01"]),
        ("append", "2024-01 refused, 2024-01 accepted_with_rejects", []),
        ("append", "2024-01 refused, 2024-01 already_received", []),
        ("snapshot", "2024-01 refused, 2024-02 accepted", []),
        ("snapshot", "2024-02 refused, 2024-01 accepted", ["2024-02"]),
        ("cumulative", "2023-12 refused, 2024-01 refused, 2024-02 accepted", ["2023-12"]),
        ("append", "2024-1 refused, 2022-01 refused, 2025-01 refused", []),
    ],
)
def test_a_refusal_waits_until_something_is_accepted_in_its_place(mode: str, answers: str, left: list[str]) -> None:
    said = [each.split() for each in answers.split(", ")]
    attempts = [replace(BEFORE, period=period, status=status) for period, status in said]
    assert [found.period for found in uncorrected(attempts, dataset(mode=mode), NOW)] == left


def test_a_refusal_in_the_folder_of_another_producer_waits_for_nothing() -> None:
    assert uncorrected([replace(BEFORE, producer="stranger")], dataset(), NOW) == []
