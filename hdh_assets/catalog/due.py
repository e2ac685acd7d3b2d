"""What the hub has left to do for the deliveries in the lake. The decision is pure; `read_state` is the reading.

There is no cursor: the newest release says what was done, the lake says what there is.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import duckdb

from hdh_assets.catalog.entry import read_entries
from hdh_assets.standard.sources_yml import fed_datasets
from hdh_assets.standard.state import pending, rules_fingerprint
from resources.lake import has_table
from resources.lake_tables import loading
from resources.releases import newest_in
from resources.removals import followed, retired

Loadings = Mapping[str, frozenset[str]]
"""What is loaded, by dataset: which deliveries, and which time of each (`resources.lake_tables.loading`)."""
LONGEST_WAIT = timedelta(minutes=10)
"""How long standardisation waits for more deliveries."""


@dataclass(frozen=True)
class LakeState:
    """What the lake holds, what was released last, what the catalogue describes."""

    current: Loadings
    released: Loadings
    described: Loadings
    is_behind: bool
    """Standardisation has something to do that a comparison with the release does not show (changed rules)."""
    rules: str
    """Fingerprint of the rules."""
    released_rules: str | None
    """That of the newest release; None when it does not tell, or there is none."""
    newest_at: datetime | None
    """When the newest delivery was loaded."""
    oppositions: int = 0
    """Revision of the oppositions that the lake follows."""
    is_retired: bool = False
    """The newest release holds somebody who objected since: the next one is due."""
    released_at: datetime | None = None
    """When the newest release was made."""
    described_at: Mapping[str, datetime] = field(default_factory=dict)
    """When each entry was written."""


@dataclass(frozen=True)
class Due:
    """Something to do: the datasets whose entry is out of date, and a digest of the whole, equal for equal work."""

    datasets: tuple[str, ...]
    token: str


def due(state: LakeState, entries: Collection[str]) -> Due | None:
    """What is left to do; None when the release shows the lake as it is, or when nothing was ever delivered.

    `entries` are the datasets that a descriptor describes: of another one no entry is missed.
    """
    names = sorted(set(state.current) | set(state.released))
    changed = tuple(name for name in names if _has_changed(name, state, name in entries))
    is_outdated = state.released_rules not in {None, state.rules}
    if not state.current or not (changed or state.is_behind or state.is_retired or is_outdated):
        return None
    everything = {name: sorted(loadings) for name, loadings in state.current.items()}
    content = json.dumps([everything, state.rules, state.oppositions], sort_keys=True)
    return Due(changed or tuple(names), sha256(content.encode()).hexdigest()[:16])


def _has_changed(dataset: str, state: LakeState, has_entry: bool) -> bool:
    current = state.current.get(dataset, frozenset())
    return current != state.released.get(dataset) or (has_entry and current != state.described.get(dataset))


def should_wait(state: LakeState, *, intake_under_way: bool, now: datetime) -> bool:
    """Whether to let the deliveries under way come in first, so that they are standardised together.

    Never for longer than ten minutes after the newest one was loaded.
    """
    return intake_under_way and state.newest_at is not None and now - state.newest_at < LONGEST_WAIT


def read_state(engine: duckdb.DuckDBPyConnection, vocab_dir: str) -> LakeState:
    """The state as the lake shows it; a reader is enough."""
    rules = rules_fingerprint(vocab_dir)
    current: dict[str, set[str]] = {}
    newest: datetime | None = None
    if has_table(engine, "meta", "delivery"):
        for dataset, digest, loaded_at in engine.execute(
            "SELECT dataset, digest, loaded_at FROM lake.meta.delivery WHERE status = 'current'"
        ).fetchall():
            current.setdefault(dataset, set()).add(loading(digest, loaded_at))
            newest = max(newest or loaded_at, loaded_at)
    entries, release = read_entries(engine), newest_in(engine)
    contents = release.contents if release else {}
    return LakeState(
        current={name: frozenset(found) for name, found in current.items()},
        released={dataset: _loadings(listed) for dataset, listed in contents.get("deliveries", {}).items()},
        described={
            dataset: _loadings(delivery.model_dump() for delivery in entry.deliveries)
            for dataset, entry in entries.items()
        },
        is_behind=is_behind(engine, rules),
        rules=rules,
        released_rules=contents.get("rules"),
        newest_at=newest.astimezone(UTC) if newest else None,
        oppositions=followed(engine).applied,
        is_retired=release is not None and release.number in retired(engine),
        released_at=release.created_at.astimezone(UTC) if release else None,
        described_at={dataset: datetime.fromisoformat(entry.measured_at) for dataset, entry in entries.items()},
    )


def _loadings(listed: Iterable[Mapping[str, str]]) -> frozenset[str]:
    """Of deliveries as a release or an entry lists them; releases did not tell when before this was asked."""
    return frozenset(
        loading(found["digest"], datetime.fromisoformat(found["loaded_at"])) for found in listed if "loaded_at" in found
    )


def is_behind(engine: duckdb.DuckDBPyConnection, rules: str) -> bool:
    """Whether OMOP does not hold all that was delivered, under the rules of this fingerprint."""
    if not has_table(engine, "staging", "int_hub__standardised"):
        return True
    return not pending(engine, fed_datasets(), rules).nothing
