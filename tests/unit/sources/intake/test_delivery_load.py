"""When what was loaded is refused: too many rejects, or rows that no rule explains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hdh_assets.sources.intake import delivery_load
from hdh_assets.sources.intake.delivery_load import DeliveryLoad, Loaded
from hdh_assets.sources.intake.diagnose import Rejects
from hdh_assets.sources.intake.receipt import DeliveryRefusedError
from tests.integration.intake_world import dataset


class _Anything:
    """Stands for what a step asks and does not look at."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self


def load(**changes: Any) -> DeliveryLoad:
    anything: Any = _Anything()
    admitted: Any = _Anything()
    admitted.dataset = dataset(**changes)
    return DeliveryLoad(anything, admitted, anything, anything, anything, Path(), anything, anything, 1, print)


@pytest.mark.parametrize(("rejected", "is_refused"), [(0, False), (10, False), (11, True)])
def test_rejects_at_the_threshold_pass_and_one_more_refuses(rejected: int, is_refused: bool) -> None:
    loaded = Loaded(inserted={"visits": 100 - rejected}, rejected={"visits": rejected})
    delivery = load(thresholds={"max_reject_ratio": 0.1})
    if not is_refused:
        delivery._check_threshold(loaded)
        return
    with pytest.raises(DeliveryRefusedError) as refused:
        delivery._check_threshold(loaded)
    assert [problem.rule for problem in refused.value.problems] == ["too_many_rejects"]


@pytest.mark.parametrize("explained", [1, 3])
def test_rows_missing_that_no_rule_explains_refuse_the_delivery(
    monkeypatch: pytest.MonkeyPatch, explained: int
) -> None:
    """Rows lost between two readings would otherwise be gone without a word."""
    plan: Any = _Anything()
    plan.table, plan.file = dataset().by_name["visits"], _Anything()
    plan.file.name, plan.file.rows = "VISITS.csv", 5
    monkeypatch.setattr(delivery_load, "open_file", lambda *_: _Anything())
    monkeypatch.setattr(delivery_load, "load_file", lambda *_: 3)
    monkeypatch.setattr(delivery_load, "find_rejects", lambda *_: Rejects(rows=explained))
    with pytest.raises(DeliveryRefusedError) as refused:
        load()._load_file(plan, None, Loaded(inserted={"visits": 0}, rejected={"visits": 0}))
    assert [problem.rule for problem in refused.value.problems] == ["wrong_rows"]
