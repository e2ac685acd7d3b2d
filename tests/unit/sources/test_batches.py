"""Which deliveries share a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hdh_assets.core.descriptor import Dataset
from hdh_assets.core.descriptor_files import load_datasets
from hdh_assets.sources.batches import batches, is_early, is_placeable
from resources.inbox import Dropped

DATASETS: dict[str, Dataset] = load_datasets()
START = datetime(2024, 1, 1, tzinfo=UTC)


def dropped(period: str, *, dataset: str = "snds_dcir", minutes: int = 0, producer: str | None = None) -> Dropped:
    producer = producer or DATASETS[dataset].producer.id
    return Dropped(
        Path(period), producer, dataset, period, f"{dataset}{period}".ljust(64, "0"), START + timedelta(minutes=minutes)
    )


def months(count: int) -> list[str]:
    return [f"{2000 + n // 12}-{n % 12 + 1:02}" for n in range(count)]


def test_few_deliveries_get_a_run_each_oldest_first() -> None:
    waiting = [dropped(period) for period in ("2024-02", "2024-01", "2023-12")]
    assert [batch.first for batch in batches(waiting, DATASETS)] == ["2024-02", "2024-01", "2023-12"]
    assert all(len(batch.deliveries) == 1 for batch in batches(waiting, DATASETS))


def test_a_backlog_shares_runs_and_none_is_left_out() -> None:
    waiting = [dropped(period) for period in months(120)]
    made = batches(waiting, DATASETS, max_runs=50)
    assert len(made) <= 50
    assert [d.period for batch in made for d in batch.deliveries] == months(120)
    assert all(batch.first <= batch.last for batch in made)


def test_periods_that_do_not_follow_each_other_do_not_share_a_run() -> None:
    waiting = [dropped(period) for period in ("2024-01", "2024-02", "2024-04")]
    assert [(b.first, b.last) for b in batches(waiting, DATASETS, max_runs=2)] == [
        ("2024-01", "2024-02"),
        ("2024-04", "2024-04"),
    ]


def test_a_tick_never_asks_for_more_runs_than_it_may() -> None:
    waiting = [dropped(period) for period in months(120)[::2]]
    assert len(batches(waiting, DATASETS, max_runs=50)) == 50
    assert batches(waiting, DATASETS, max_runs=0) == []


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (dropped("2024-01"), True),
        (dropped("2024-13"), False),
        (dropped("2024"), False),
        (dropped("1999-01"), False),
        (dropped("2024-01", producer="somebody_else"), False),
        (Dropped(Path("x"), "cnam", "unheard_of", "2024-01", "0" * 64, START, is_known=False), False),
    ],
)
def test_only_a_known_dataset_in_its_place_with_a_period_of_its_own_is_placeable(
    found: Dropped, expected: bool
) -> None:
    assert is_placeable(found, DATASETS, lambda _, period: period >= "2006-01") is expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (dropped("2024-03"), True),
        (dropped("2024-02"), False),
        (dropped("2024-04"), False),
        (dropped("2024-3"), False),
        (dropped("2024-03", producer="somebody_else"), False),
        (Dropped(Path("x"), "cnam", "unheard_of", "2024-03", "0" * 64, START, is_known=False), False),
    ],
)
def test_a_period_that_begins_within_the_day_is_early(found: Dropped, expected: bool) -> None:
    assert is_early(found, DATASETS, datetime(2024, 2, 29, 12, tzinfo=UTC)) is expected
