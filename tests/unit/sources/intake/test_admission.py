"""What a manifest may announce: the bounds of periods and versions, themselves included."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hdh_assets.sources.intake.admission import Place, admit, is_deliverable
from hdh_assets.sources.intake.manifest import Manifest, ManifestFile
from hdh_assets.sources.intake.receipt import DeliveryRefusedError
from tests.integration.intake_world import dataset

NOW = datetime(2024, 2, 1, tzinfo=UTC)


def manifest(period: str = "2024-01", version: int = 3) -> bytes:
    files = tuple(ManifestFile(name=f"{name}.csv", size=1, rows=0, sha256="a" * 64) for name in ("PERSONS", "VISITS"))
    return Manifest(
        dataset="care", period=period, descriptor_version=version, producer="clinic", files=files,
        sealed_at="2024-02-01T00:00:00Z",
    ).to_bytes()  # fmt: skip


def test_a_manifest_of_an_older_or_of_this_descriptor_is_admitted_and_of_a_newer_one_refused() -> None:
    described, place = dataset(version=3), Place("clinic", "care", "2024-01")
    for version in (1, 3):
        assert admit(manifest(version=version), place, {"care": described}, NOW).manifest.descriptor_version == version
    with pytest.raises(DeliveryRefusedError) as refused:
        admit(manifest(version=4), place, {"care": described}, NOW)
    assert [problem.rule for problem in refused.value.problems] == ["newer_descriptor"]


@pytest.mark.parametrize(
    ("period", "expected"),
    [("2022-12", False), ("2023-01", True), ("2024-02", True), ("2024-03", False), ("2023", False)],
)
def test_the_first_period_and_that_in_progress_are_deliverable(period: str, expected: bool) -> None:
    assert is_deliverable(dataset(first_period="2023-01"), period, NOW) is expected
