"""The closed vocabulary of `hdh/…` tags: what assets and runs may be tagged with, and the values allowed.

Tags are read by people filtering the UI and by the sensors; a free text never becomes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from hdh_assets.core.descriptor import Dataset, Mode
from hdh_assets.core.families import FAMILIES
from hdh_assets.core.keys import LAYERS
from hdh_assets.core.periods import Cadence

ASSET_TAGS: dict[str, frozenset[str]] = {
    "hdh/layer": frozenset(LAYERS),
    "hdh/family": frozenset(FAMILIES),
    "hdh/maturity": frozenset({"launch", "selection", "pilot"}),
    "hdh/sensitivity": frozenset({"nominative", "pseudonymised", "open"}),
    "hdh/cadence": frozenset(get_args(Cadence)),
    "hdh/mode": frozenset(str(mode) for mode in Mode),
}
"""Tags of assets, each with its allowed values."""

RUN_TAGS: dict[str, str] = {
    "hdh/interrupted": "the run ended with the hub it ran in; it counts as no failure of its work",
    "hdh/work": "what the run does, one of `WORKS`",
    "hdh/dataset": "the dataset taken in",
    "hdh/delivery": "the start of the digest of the delivery, or of all digests of a batch",
    "hdh/due": "digest of what standardisation had to do when it was asked for",
    "hdh/project": "the project whose extract is made",
    "hdh/permit": "the number of its permit",
    "hdh/revision": "the revision of the oppositions that is followed",
    "hdh/ended": "digest of the projects whose permits ended",
}
"""Tags of runs, each with its meaning."""

WORKS = frozenset({"intake", "backfill", "standardise", "extract", "withdrawal", "opposition", "maintenance"})

LAKE_POOL = "lake_writer"
"""Runs of this pool write to the lake: one at a time on the embedded catalogue, several with PostgreSQL."""


def layer_tags(layer: str) -> dict[str, str]:
    """Tags of an asset of no dataset."""
    return checked({"hdh/layer": layer})


def dataset_tags(dataset: Dataset, layer: str) -> dict[str, str]:
    """Tags of an asset of that dataset."""
    return checked(
        {
            "hdh/layer": layer,
            "hdh/family": dataset.family,
            "hdh/maturity": dataset.maturity,
            "hdh/sensitivity": dataset.sensitivity,
            "hdh/cadence": dataset.cadence,
            "hdh/mode": str(dataset.mode),
        }
    )


def checked(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags themselves; `ValueError` when one is not of the vocabulary."""
    for name, value in tags.items():
        if value not in ASSET_TAGS.get(name, ()):
            raise ValueError(f"tag {name}={value} is not of the closed vocabulary")
    return dict(tags)
