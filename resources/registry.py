"""The registry: one append-only, hash-chained log of everything that was decided and delivered.

Each event holds the hash of the one before it, so that a changed, removed or inserted event shows. Here: appending,
reading and proving. What events mean is in `hdh_assets/governance`. An event never holds an identifier.

A log that is older than this home has seen (a backup of yesterday) is refused until somebody accepts it: what it lost
may be a permit revoked since. What nothing here sees: somebody who rewrites the whole database and the mark beside it,
hashes included. Keep the head that `hdh audit verify` prints elsewhere, and give it to `--since`.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

import sqlalchemy as sa

from hdh_assets.core.crash import crash_point
from hdh_assets.core.errors import HubError, RefusedError
from hdh_assets.core.home import Home, Settings
from resources.databases import claim_database, database_address, failures_told
from resources.registry_mark import Mark, RegistryMark, UnreadableMarkError

GENESIS = "0" * 64
_HASH = re.compile(r"[0-9a-fA-F]{64}")
_METADATA = sa.MetaData()
_EVENT = sa.Table(
    "event",
    _METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("subject", sa.String(128), nullable=False),
    sa.Column("actor", sa.String(128), nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)
_HEAD = sa.Table(
    "head",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)
"""One row: the last event. Tells that the newest events were cut off, which the chain alone cannot."""


DELIVERED = "extract.delivered"
"""Kind of the event of each version of an extract."""
RESTORED = "registry.restored"
"""Kind of the event that accepts an older log."""
_POSTGRES_LOCK = 0x4844_4852
_APPEND_ONLY: dict[str, tuple[str, ...]] = {
    "sqlite": tuple(
        f"CREATE TRIGGER event_no_{verb} BEFORE {verb} ON event "
        f"BEGIN SELECT RAISE(ABORT, 'the registry is append-only'); END"
        for verb in ("update", "delete")
    ),
    "postgresql": (
        "CREATE FUNCTION event_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the registry is append-only'; END $$",
        "CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event "
        "FOR EACH STATEMENT EXECUTE FUNCTION event_append_only()",
    ),
}
"""Statements that make the database itself refuse to change an event, by SQL dialect."""


@dataclass(frozen=True)
class Draft:
    """An event to append: what happened, to whom or what, with which particulars."""

    kind: str
    subject: str
    data: dict[str, Any]


_Kind = TypeVar("_Kind")


class DamagedLogError(HubError):
    """The event log holds what no hub wrote."""

    def __init__(self, what: str) -> None:
        remedy = "restore the event log from a backup; `hdh audit verify` names every event that was altered"
        super().__init__(f"the event log is damaged: {what}", remedy=remedy)


@dataclass(frozen=True)
class Event:
    """One event of the log. `data` is what `Draft.data` was, through JSON; what it must have is asked by `said`."""

    seq: int
    at: datetime
    kind: str
    subject: str
    actor: str
    data: dict[str, Any]
    previous: str
    hash: str

    def said(self, name: str, kind: type[_Kind]) -> _Kind:
        """The particular of that name, or a part of it (`basis.release`). Raises `DamagedLogError` when it has none."""
        found: Any = self.data
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        if not isinstance(found, kind):
            raise DamagedLogError(f"event {self.seq} does not say what a {self.kind} says")
        return found


@dataclass(frozen=True)
class Audit:
    """What `verify` found: the number of events, the hash of the last, and every problem in words."""

    events: int
    head: str
    problems: tuple[str, ...]

    @property
    def is_intact(self) -> bool:
        """Whether nothing was altered, removed or inserted."""
        return not self.problems


class OlderLogError(HubError):
    """The event log is older than this home has seen, or another one."""


def canonical(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def current_actor() -> str:
    """The account this process runs under, whatever the environment says; its number where it has no name."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


class Registry:
    """The event log of one home: SQLite in it, or the database of `registry_url`. Safe for several processes.

    With `moved` a home that has come here takes its database over. Raises `ConfigurationError` when the database is
    another hub's.
    """

    def __init__(self, home: Home, settings: Settings, *, moved: bool = False) -> None:
        self._address = database_address(home, settings, "events")
        self._mark = RegistryMark(home)
        with self._failures():
            self._engine = _connect(self._address)
            claim_database(self._engine, home, "the event log", moved=moved)
        self._create()

    def append(self, kind: str, subject: str, actor: str, data: dict[str, Any]) -> Event:
        """Append one event; it is durable when this returns."""
        return self.act(actor, lambda _: Draft(kind, subject, data))

    def act(self, actor: str, decide: Callable[[list[Event]], Draft]) -> Event:
        """Append what `decide` makes of the events so far, with no event in between.

        Raises whatever `decide` raises, `RefusedError` for a text that is none, and `OlderLogError`; nothing is
        appended then.
        """
        with self._writing() as connection:
            events = _read(connection)
            _check_mark(self._mark.read(), events)
            event = self._append(connection, actor, decide(events))
        crash_point("registry.after_commit")
        self._mark.advance(event.seq, event.hash)
        return event

    def accept_older(self, actor: str, reason: str) -> Event | None:
        """Go on with a log that is older than this home has seen, or of which nobody can tell.

        None when it is the one it has seen, and nothing is appended. `seen` of the event is None when nobody can tell.
        """
        with self._writing() as connection:
            events = _read(connection)
            try:
                mark = self._mark.read()
                if mark is None or _has(events, mark):
                    return None
            except UnreadableMarkError:
                mark = None
            lost = {"after": events[-1].seq if events else 0, "seen": mark.seq if mark else None}
            event = self._append(connection, actor, Draft(RESTORED, "registry", {"lost": lost, "reason": reason}))
        self._mark.replace(event.seq, event.hash)
        return event

    def _append(self, connection: sa.Connection, actor: str, draft: Draft) -> Event:
        try:
            event = _chain(draft, actor, *_head(connection))
        except UnicodeEncodeError:
            raise RefusedError("a text holds bytes that are no characters", remedy="write it in UTF-8") from None
        connection.execute(_EVENT.insert().values(_row(event)))
        connection.execute(_HEAD.update().values(seq=event.seq, hash=event.hash))
        crash_point("registry.before_commit")
        return event

    def events(self, *kinds: str) -> list[Event]:
        """Events in order, of these kinds or of all. Raises `OlderLogError`, `UnreadableMarkError`."""
        mark = self._mark.read()  # first: the log goes on meanwhile
        with self._failures(), self._engine.connect() as connection:
            events = _read(connection)
        _check_mark(mark, events)
        return [event for event in events if not kinds or event.kind in kinds]

    def verify(self, since: str | None = None) -> Audit:
        """Walk the chain and say which events are altered, missing or inserted.

        `since` is a head that was kept elsewhere: a chain that was rewritten whole is sound, and does not have it.
        Raises `RefusedError` when it is no hash, `UnreadableMarkError`.
        """
        if since is not None and not _HASH.fullmatch(since):
            raise RefusedError("a hash has 64 hexadecimal digits", remedy="give the one `hdh audit verify` printed")
        mark = self._mark.read()
        with self._failures(), self._engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(sa.select(_EVENT).order_by(_EVENT.c.seq)).mappings()]
            head = _stored_head(connection)
        problems = list(_problems(rows, head))
        if mark and (mark.seq, mark.hash) not in {(row["seq"], row["hash"]) for row in rows}:
            problems.append(f"event {mark.seq}, which this home has seen, is not in it: the log is an older one")
        if since and since.lower() not in {GENESIS, *(row["hash"] for row in rows)}:
            problems.append(f"no event has the hash {since}: the log was rewritten, or is an older or another one")
        return Audit(len(rows), str(rows[-1]["hash"]) if rows else GENESIS, tuple(problems))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the connections."""
        self._engine.dispose()

    def _failures(self) -> AbstractContextManager[None]:
        return failures_told("the event log", self._address)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """A transaction that no other writer can enter; readers go on."""
        with (
            self._failures(),
            self._engine.connect().execution_options(hdh_writing=True) as connection,
            connection.begin(),
        ):
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})")
            yield connection

    def _create(self) -> None:
        with self._writing() as connection:
            if sa.inspect(connection).has_table(_HEAD.name):
                return
            _METADATA.create_all(connection)
            connection.execute(_HEAD.insert().values(id=1, seq=0, hash=GENESIS))
            for statement in _APPEND_ONLY.get(connection.dialect.name, ()):
                connection.exec_driver_sql(statement)


def _connect(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True)
    # The driver's own BEGIN is deferred: of two that read and then write, one would fail. So BEGIN is ours.
    engine = sa.create_engine(url, connect_args={"timeout": 60})

    @sa.event.listens_for(engine, "connect")
    def _leave_begin_to_us(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.text_factory = lambda octets: octets.decode("utf-8", "surrogateescape")
        connection.execute("PRAGMA synchronous = FULL")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        is_writing = connection.get_execution_options().get("hdh_writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")

    return engine


def _read(connection: sa.Connection) -> list[Event]:
    rows = connection.execute(sa.select(_EVENT).order_by(_EVENT.c.seq)).mappings()
    return [_event(dict(row)) for row in rows]


def _event(row: dict[str, Any]) -> Event:
    try:
        # a text of the database may be none, or hold bytes that are no characters
        texts = {name: value.encode("utf-8").decode("utf-8") for name, value in row.items() if name != "seq"}
        data = json.loads(texts["data"])
        if isinstance(row["seq"], int) and isinstance(data, dict):
            return Event(**(row | {"at": datetime.fromisoformat(texts["at"]), "data": data}))
    except (ValueError, AttributeError):
        pass
    raise DamagedLogError(f"event {row['seq']} cannot be read" if isinstance(row["seq"], int) else "one has no number")


def _row(event: Event) -> dict[str, Any]:
    return vars(event) | {"at": event.at.isoformat(), "data": canonical(event.data)}


def _head(connection: sa.Connection) -> tuple[int, str]:
    if (head := _stored_head(connection)) is None:
        raise DamagedLogError("which event is the last is not known")
    return head


def _stored_head(connection: sa.Connection) -> tuple[int, str] | None:
    """Number and hash of the last event; None where nobody can tell."""
    rows = connection.execute(sa.select(_HEAD.c.seq, _HEAD.c.hash)).fetchall()
    found = [(row.seq, row.hash) for row in rows if isinstance(row.seq, int) and isinstance(row.hash, str)]
    return found[0] if len(rows) == len(found) == 1 else None


def _chain(draft: Draft, actor: str, seq: int, previous: str) -> Event:
    """The event after `seq`, with its hash."""
    row: dict[str, Any] = {
        "seq": seq + 1,
        "at": datetime.now(UTC).replace(microsecond=0).isoformat(),
        "kind": draft.kind,
        "subject": draft.subject,
        "actor": actor,
        "data": canonical(draft.data),
        "previous": previous,
    }
    return _event(row | {"hash": _hash(row)})


def _hash(row: dict[str, Any]) -> str:
    """SHA-256 of an event's canonical text; `row` as stored, its own hash left out."""
    content = {name: value for name, value in row.items() if name != "hash"}
    return hashlib.sha256(canonical(content).encode("utf-8")).hexdigest()


def _is_as_appended(row: dict[str, Any]) -> bool:
    try:
        return bool(row["hash"] == _hash(row))
    except (TypeError, ValueError):
        # a value of another type, or bytes that are no characters
        return False


def _problems(rows: list[dict[str, Any]], head: tuple[int, str] | None) -> Iterator[str]:
    expected, previous = 1, GENESIS
    for row in rows:
        seq = row["seq"]
        if not isinstance(seq, int):
            yield "an event has no number"
            continue
        if seq != expected:
            yield (
                f"event {expected} is missing" if seq == expected + 1 else f"events {expected} to {seq - 1} are missing"
            )
        elif row["previous"] != previous:
            yield f"event {seq} does not follow event {seq - 1}: one of them was replaced"
        if not _is_as_appended(row):
            yield f"event {seq} was altered"
        expected, previous = seq + 1, row["hash"]
    if head is None:
        yield "which event is the last is not known: the head was altered or removed"
    elif head[0] != expected - 1:
        yield f"{_events(expected, head[0])} missing at the end" if head[0] >= expected else "events were added"
    elif head[1] != previous:
        yield f"event {head[0]} is not the one that was appended"


def _has(events: Sequence[Event], mark: Mark) -> bool:
    return any(event.seq == mark.seq and event.hash == mark.hash for event in events)


def _check_mark(mark: Mark | None, events: Sequence[Event]) -> None:
    if mark is None or _has(events, mark):
        return
    last = events[-1].seq if events else 0
    raise OlderLogError(
        f"the event log is not the one this home worked with: it ends with event {last}, and has not event {mark.seq}",
        remedy="restore the latest backup of it, or correct registry_url; where there is none, `hdh audit accept` goes"
        " on without what was lost, and the decisions since must be taken again",
    )


def _events(first: int, last: int) -> str:
    return f"event {first} is" if first == last else f"events {first} to {last} are"
