"""The event log: chained, append-only, safe for several processes, and able to say what was tampered with."""

from __future__ import annotations

import os
import pwd
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from hdh_assets.core.errors import RefusedError
from hdh_assets.core.home import Home, Settings
from resources.registry import GENESIS, RESTORED, DamagedLogError, Draft, Registry, _hash, canonical, current_actor
from resources.registry_mark import Mark, RegistryMark, UnreadableMarkError


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    found = Registry(Home(tmp_path), Settings())
    for n in range(5):
        found.append("note", f"p{n}", "tester", {"n": n, "text": "é"})
    return found


def tamper(home: Path, *statements: str) -> None:
    with sqlite3.connect(home / "registry" / "events.sqlite") as connection:
        for name in ("update", "delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS event_no_{name}")
        for statement in statements:
            connection.execute(statement)


def test_events_come_back_in_order_and_chained(registry: Registry) -> None:
    events = registry.events()
    assert [event.seq for event in events] == [1, 2, 3, 4, 5]
    assert [event.previous for event in events] == [GENESIS, *(event.hash for event in events[:-1])]
    assert events[2].data == {"n": 2, "text": "é"}
    assert registry.verify().head == events[-1].hash
    assert registry.verify().is_intact


def test_an_event_names_the_account_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "committee")
    assert current_actor() == pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setattr(os, "getuid", lambda: 4_000_123)
    assert current_actor() == "4000123"


def test_a_text_that_is_none_is_refused_and_nothing_is_appended(registry: Registry) -> None:
    with pytest.raises(RefusedError, match="bytes that are no characters"):
        registry.append("note", "p9", "tester", {"text": "caf\udce9"})
    assert len(registry.events()) == 5
    assert registry.verify().is_intact


@pytest.mark.parametrize("statement", ["UPDATE event SET actor = 'x'", "DELETE FROM event"])
def test_the_database_refuses_to_change_an_event(registry: Registry, tmp_path: Path, statement: str) -> None:
    with (
        sqlite3.connect(tmp_path / "registry" / "events.sqlite") as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE event SET data = '{\"n\":9}' WHERE seq = 3", "event 3 was altered"),
        ("UPDATE event SET actor = 'x' WHERE seq = 5", "event 5 was altered"),
        ("UPDATE event SET at = '2020-01-01T00:00:00+00:00' WHERE seq = 1", "event 1 was altered"),
        ("DELETE FROM event WHERE seq = 2", "event 2 is missing"),
        ("DELETE FROM event WHERE seq IN (2, 3)", "events 2 to 3 are missing"),
        ("DELETE FROM event WHERE seq = 5", "event 5 is missing at the end"),
    ],
)
def test_verify_names_the_event_that_was_tampered_with(
    registry: Registry, tmp_path: Path, statement: str, said: str
) -> None:
    tamper(tmp_path, statement)
    assert said in registry.verify().problems


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE event SET data = CAST(data AS BLOB) WHERE seq = 3", "event 3 was altered"),
        ("UPDATE event SET data = CAST(x'7b22e9227d' AS TEXT) WHERE seq = 3", "event 3 was altered"),
        ("UPDATE event SET actor = 7 WHERE seq = 4", "event 4 was altered"),
        ("UPDATE event SET hash = x'00' WHERE seq = 5", "event 5 was altered"),
        ("UPDATE event SET seq = 'x' WHERE seq = 2", "an event has no number"),
        ("UPDATE head SET hash = x'00'", "which event is the last is not known: the head was altered or removed"),
        ("UPDATE head SET seq = 'x'", "which event is the last is not known: the head was altered or removed"),
        ("DELETE FROM head", "which event is the last is not known: the head was altered or removed"),
    ],
)
def test_verify_names_what_is_no_value_of_a_log(registry: Registry, tmp_path: Path, statement: str, said: str) -> None:
    """It ended in an error of the database, or an unexpected one."""
    tamper(tmp_path, statement)
    assert said in registry.verify().problems


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE event SET data = '{' WHERE seq = 3", "event 3 cannot be read"),
        ("UPDATE event SET data = '[]' WHERE seq = 3", "event 3 cannot be read"),
        ("UPDATE event SET data = CAST(x'7b22e9223a317d' AS TEXT) WHERE seq = 3", "event 3 cannot be read"),
        ("UPDATE event SET data = CAST(data AS BLOB) WHERE seq = 3", "event 3 cannot be read"),
        ("UPDATE event SET at = 'yesterday' WHERE seq = 2", "event 2 cannot be read"),
    ],
)
def test_an_event_that_cannot_be_read_is_named_with_what_to_do(
    registry: Registry, tmp_path: Path, statement: str, what: str
) -> None:
    """The hub told to free space in the home."""
    tamper(tmp_path, statement)
    with pytest.raises(DamagedLogError, match=f"^the event log is damaged: {what}") as damaged:
        registry.events()
    assert "restore the event log from a backup" in (damaged.value.remedy or "")


def test_what_an_event_does_not_say_is_told_with_its_number(registry: Registry) -> None:
    event = registry.append("note", "p", "tester", {"basis": {"release": 3}, "text": "x"})
    assert (event.said("basis.release", int), event.said("text", str)) == (3, "x")
    for name, kind in (("text", int), ("release", int), ("basis.permit", int), ("text.release", int)):
        with pytest.raises(DamagedLogError, match="event 6 does not say what a note says"):
            event.said(name, kind)


def test_nothing_is_appended_after_nobody_knows_what(registry: Registry, tmp_path: Path) -> None:
    tamper(tmp_path, "DELETE FROM head")
    with pytest.raises(DamagedLogError, match="which event is the last is not known"):
        registry.append("note", "p9", "tester", {})


def test_an_event_replaced_together_with_its_hash_breaks_the_chain(registry: Registry, tmp_path: Path) -> None:
    tamper(tmp_path, f"UPDATE event SET hash = '{'1' * 64}' WHERE seq = 2")
    assert any("does not follow event 2" in problem for problem in registry.verify().problems)


def test_a_last_event_that_was_replaced_with_a_sound_hash_is_not_the_one_that_was_appended(
    registry: Registry, tmp_path: Path
) -> None:
    """Its chain is sound; the head, and the mark beside the database, still name the former one."""
    last = registry.events()[-1]
    row = vars(last) | {"at": last.at.isoformat(), "data": canonical({"n": 9})}
    tamper(tmp_path, f"UPDATE event SET data = '{row['data']}', hash = '{_hash(row)}' WHERE seq = 5")
    (tmp_path / "events.mark").unlink()
    assert registry.verify().problems == ("event 5 is not the one that was appended",)


def test_a_log_that_was_made_anew_lacks_the_hash_that_was_kept_elsewhere(registry: Registry, tmp_path: Path) -> None:
    """Whoever writes log and mark leaves a sound chain: the copy of its head outside is what tells."""
    kept = registry.verify().head
    registry.append("note", "p6", "tester", {})
    assert registry.verify(kept).is_intact
    assert registry.verify(kept.upper()).is_intact
    forged = Registry(Home(tmp_path / "forged"), Settings())
    for n in range(6):
        forged.append("note", f"p{n}", "tester", {"n": n, "text": "e"})
    assert forged.verify().is_intact
    assert forged.verify(GENESIS).is_intact
    (problem,) = forged.verify(kept).problems
    assert f"no event has the hash {kept}" in problem
    with pytest.raises(RefusedError, match="64 hexadecimal digits"):
        forged.verify(kept[:16])


def test_nothing_is_appended_when_the_decision_refuses(registry: Registry) -> None:
    def refuse(_: object) -> Draft:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        registry.act("tester", refuse)
    assert len(registry.events()) == 5


def test_processes_appending_together_lose_nothing(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from hdh_assets.core.home import Home, Settings;"
        "from resources.registry import Registry; r = Registry(Home(Path(sys.argv[1])), Settings());"
        "[r.append('note', sys.argv[2], 'tester', {'n': n}) for n in range(20)]"
    )
    workers = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path), f"w{n}"]) for n in range(3)]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    registry = Registry(Home(tmp_path), Settings())
    assert len(registry.events()) == 60
    assert registry.verify().is_intact


def test_a_mark_takes_its_place_once_it_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut would leave it empty, and nobody could read the log."""
    mark = RegistryMark(Home(tmp_path))
    mark.replace(1, "a")

    def no_disk(number: int) -> None:
        raise OSError(f"the disk refused {number}")

    monkeypatch.setattr(os, "fsync", no_disk)
    with pytest.raises(OSError, match="refused"):
        mark.replace(2, "b")
    assert mark.read() == Mark(1, "a")
    assert [path.name for path in tmp_path.iterdir()] == ["events.mark"]


MARKS = [
    b"",
    b"{",
    b"\xff",
    b"[]",
    b"{}",
    b"null",
    b'{"seq": 2}',
    b'{"seq": "2", "hash": "x"}',
    b'{"seq": 2, "hash": 1}',
]


@pytest.mark.parametrize("damaged", MARKS)
def test_a_mark_that_cannot_be_read_is_none_that_was_never_made(
    registry: Registry, tmp_path: Path, damaged: bytes
) -> None:
    """Or an older log would pass once its file is damaged."""
    path = tmp_path / "events.mark"
    path.write_bytes(damaged)
    for use in (registry.events, registry.verify, lambda: registry.append("note", "p", "tester", {})):
        with pytest.raises(UnreadableMarkError, match=f"{path}, which says how far") as told:
            use()
        assert "hdh audit accept" in (told.value.remedy or "")
    accepted = registry.accept_older("tester", "the disk died")
    assert accepted is not None
    assert (accepted.kind, accepted.data["lost"]) == (RESTORED, {"after": 5, "seen": None})
    assert registry.accept_older("tester", "again") is None
    assert registry.verify().is_intact


def test_a_mark_never_goes_back_whoever_writes_it_last(registry: Registry, tmp_path: Path) -> None:
    """Of two that append, the first to commit may be the last to note it."""
    mark, events = RegistryMark(Home(tmp_path)), registry.events()
    for event in (events[2], events[4], events[3]):
        mark.advance(event.seq, event.hash)
    assert mark.read() == Mark(5, events[4].hash)
