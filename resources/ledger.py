"""The intake ledger: every attempt at taking in a delivery, by digest of its manifest.

It says what is under way, what failed and how often. Whether a delivery is loaded is said by the lake alone
(`meta.delivery`, written with the rows); `recover` makes the two agree after a crash.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy as sa

from hdh_assets.core.home import Home, Settings
from resources.databases import claim_database, database_address, failures_told

Status = Literal["started", "accepted", "accepted_with_rejects", "refused", "already_received", "failed"]
ANSWERS = ("accepted", "accepted_with_rejects", "refused", "already_received")
"""How an attempt ends that the producer was told of."""

_METADATA = sa.MetaData()
_ATTEMPTS = sa.Table(
    "intake_attempt",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, index=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("dataset", sa.String(255), nullable=False),
    sa.Column("period", sa.String(255), nullable=False),
    sa.Column("producer", sa.String(255), nullable=False),
    sa.Column("status", sa.String(32), nullable=False, index=True),
    sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("finished_at", sa.DateTime(timezone=True)),
    sa.Column("run_id", sa.String(255), nullable=False),
    sa.Column("run_folder", sa.String(64), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("folder", sa.String(4096), nullable=False),
    sa.Column("receipt_path", sa.String(4096)),
    sa.UniqueConstraint("digest", "attempt"),
)


@dataclass(frozen=True)
class Attempt:
    """One try at one delivery. `run_folder` names its folder in the vault; `folder` is where the delivery lay."""

    id: int
    digest: str
    attempt: int
    dataset: str
    period: str
    producer: str
    status: str
    started_at: datetime
    finished_at: datetime | None
    run_id: str
    run_folder: str
    pid: int
    host: str
    folder: str
    receipt_path: str | None


@dataclass(frozen=True)
class LedgerView:
    """What a decision needs of the ledger: digests under way, and how often each digest failed."""

    running: frozenset[str] = frozenset()
    failures: dict[str, int] = field(default_factory=dict)


class Ledger:
    """The ledger of one home: SQLite in `registry/`, or the database of `settings.registry_url`."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._address = database_address(home, settings, "intake")
        options = {} if settings.registry_url else {"connect_args": {"timeout": 60}}
        with self._failures():
            self._engine = sa.create_engine(self._address, poolclass=sa.NullPool, **options)
            claim_database(self._engine, home, "the intake ledger")
            _METADATA.create_all(self._engine)

    def view(self) -> LedgerView:
        """The present state, for `decide`."""
        counts = (
            sa.select(_ATTEMPTS.c.digest, sa.func.count().label("failures"))
            .where(_ATTEMPTS.c.status == "failed")
            .group_by(_ATTEMPTS.c.digest)
        )
        with self._failures(), self._engine.connect() as connection:
            failures = {row["digest"]: row["failures"] for row in connection.execute(counts).mappings()}
        return LedgerView(frozenset(attempt.digest for attempt in self.under_way()), failures)

    def start(
        self, *, digest: str, dataset: str, period: str, producer: str, run_id: str, run_folder: str, folder: str
    ) -> Attempt:
        """Record that an attempt begins."""
        number = sa.select(sa.func.coalesce(sa.func.max(_ATTEMPTS.c.attempt), 0) + 1).where(
            _ATTEMPTS.c.digest == digest
        )
        values = {
            "digest": digest,
            "attempt": number.scalar_subquery(),
            "dataset": dataset,
            "period": period,
            "producer": producer,
            "status": "started",
            "started_at": datetime.now(UTC),
            "run_id": run_id,
            "run_folder": run_folder,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "folder": folder,
        }
        with self._failures(), self._engine.begin() as connection:
            key = connection.execute(sa.insert(_ATTEMPTS).values(**values)).inserted_primary_key
        return next(attempt for attempt in self._select(_ATTEMPTS.c.id == (key[0] if key else 0)))

    def finish(self, attempt: Attempt, status: Status, receipt_path: str | None = None) -> None:
        """Record how an attempt ended."""
        change = (
            sa.update(_ATTEMPTS)
            .where(_ATTEMPTS.c.id == attempt.id)
            .values(status=status, finished_at=datetime.now(UTC), receipt_path=receipt_path)
        )
        with self._failures(), self._engine.begin() as connection:
            connection.execute(change)

    def under_way(self) -> list[Attempt]:
        """Attempts that began and have not ended, dead ones included, oldest first."""
        return list(self._select(_ATTEMPTS.c.status == "started"))

    def attempts(self, digest: str | None = None) -> list[Attempt]:
        """Every attempt, or those at one delivery, oldest first."""
        return list(self._select(sa.true() if digest is None else _ATTEMPTS.c.digest == digest))

    def answers(self, dataset: str) -> list[Attempt]:
        """Attempts at deliveries of one dataset that ended in an answer to the producer, oldest first."""
        return list(self._select((_ATTEMPTS.c.dataset == dataset) & _ATTEMPTS.c.status.in_(ANSWERS)))

    def refusals(self, run_id: str) -> list[Attempt]:
        """Deliveries that a run refused, in the order it answered them."""
        return list(self._select((_ATTEMPTS.c.run_id == run_id) & (_ATTEMPTS.c.status == "refused")))

    def _select(self, condition: sa.ColumnElement[bool]) -> Iterator[Attempt]:
        with self._failures(), self._engine.connect() as connection:
            rows = connection.execute(sa.select(_ATTEMPTS).where(condition).order_by(_ATTEMPTS.c.id)).mappings().all()
        for row in rows:
            yield Attempt(**row)

    def _failures(self) -> AbstractContextManager[None]:
        return failures_told("the intake ledger", self._address)
