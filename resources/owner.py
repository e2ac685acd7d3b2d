"""Whose a place that several homes can reach is: a folder of lake files, a catalogue or a registry in PostgreSQL.

It is one hub's, in one home: two that write there remove each other's files, close each other's attempts and deliver
under each other's permits. The first leaves its claim. Here: what a claim says and who may go on; where it is kept is
the business of each place.
"""

from __future__ import annotations

import hashlib
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

from hdh_assets.core.errors import ConfigurationError
from hdh_assets.core.files import write_atomically
from hdh_assets.core.home import Home
from hdh_assets.core.sql_text import literal

CLAIMS = "hdh_hub"
"""Table of a PostgreSQL database: one row per part of a hub that is kept in it."""
Part = Literal["lake", "registry", "storage"]
_LOCK = 0x4844_484F


@dataclass(frozen=True)
class Owner:
    """A hub in one home.

    `number` was made once and goes wherever the home goes. `stamp` tells the folder from its copies, on whatever
    machine it is mounted. `machine` and `root` say where it was seen, for people and for homes that were restored.
    """

    number: str
    stamp: str
    machine: str
    root: str

    def __str__(self) -> str:
        return f"{self.number} {self.stamp} {self.machine} {self.root}"

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return f"{self.root} on {self.machine.rpartition(':')[0]}" if self.machine else self.root

    @classmethod
    def parse(cls, text: str) -> Owner:
        """The owner that a claim names; claims made before there were stamps have a number and a folder."""
        number, _, rest = text.strip().partition(" ")
        if rest.startswith("/"):
            return cls(number, "", "", rest)
        stamp, machine, root = [*rest.split(" ", 2), "", ""][:3]
        return cls(number, stamp, machine, root)


def owner_of(home: Home, *, make: bool = True) -> Owner:
    """The hub of that home, as it claims what it uses; with `make`, its number is made where it has none."""
    path = _number_file(home.root)
    if make and not path.exists():
        _make_number(path)
    return Owner(_number(home.root), _stamp(path), _machine(), str(home.root))


def must_claim(said: Owner | None, own: Owner, what: str, setting: str, *, moved: bool = False) -> bool:
    """Whether this home has to leave its claim, since there is none or its own is out of date.

    `what` begins a sentence (`the event log is that`). With `moved` somebody said that this home has come here and
    works nowhere else. Raises `ConfigurationError` when the place is another home's.
    """
    if said is None or moved:
        return said != own
    if said.number != own.number or not (_is_same_folder(said, own) or _is_put_back(said, own)):
        raise ConfigurationError(
            f"{what} of another hub, in {said.place}",
            remedy=f"give this hub another {setting}; if it is that hub, which was moved or restored here and works"
            " there no more, say so: `hdh init --moved`",
        )
    # seen from another machine the same folder keeps its claim: both would else write it in turn
    return said.machine in {"", own.machine} and said != own


def _is_same_folder(said: Owner, own: Owner) -> bool:
    """Whatever its path: it may be renamed, or mounted by several machines."""
    return said.stamp == own.stamp if said.stamp else said.root == own.root


def _is_put_back(said: Owner, own: Owner) -> bool:
    """Whether it comes from a backup and is where it was."""
    return bool(said.stamp) and (said.machine, said.root) == (own.machine, own.root)


def is_claimable_sql() -> str:
    """Whether the database has the table of claims: one row, one column."""
    return f"SELECT to_regclass('{CLAIMS}') IS NOT NULL AS is_there"


def claim_of_sql(part: Part) -> str:
    """The claim on a part: one row or none, one column."""
    return f"SELECT owner FROM {CLAIMS} WHERE part = '{part}'"


def claiming_sql(part: Part, said: Owner | None, own: Owner) -> tuple[str, ...]:
    """Statements of one transaction that put the claim in the place of the one read; nothing if it is another by now.

    Of two homes at the same moment one finds its claim afterwards, the other does not.
    """
    replaced = f"DO UPDATE SET owner = excluded.owner WHERE {CLAIMS}.owner = {literal(str(said))}"
    return (
        f"SELECT pg_advisory_xact_lock({_LOCK})",
        f"CREATE TABLE IF NOT EXISTS {CLAIMS} (part text PRIMARY KEY, owner text NOT NULL)",
        f"INSERT INTO {CLAIMS} VALUES ('{part}', {literal(str(own))}) "
        f"ON CONFLICT (part) {replaced if said else 'DO NOTHING'}",
    )


def _number_file(root: Path) -> Path:
    return root / "lake" / "hub"


def _number(root: Path) -> str:
    """The number of the hub in that folder; empty where there is none."""
    try:
        return _number_file(root).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _make_number(path: Path) -> None:
    """Whole or not at all, and once: of several processes that begin together all read the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number = uuid4().hex
    part = path.with_name(f"hub.{number}.part")
    write_atomically(part, number.encode())
    with suppress(FileExistsError):
        os.link(part, path)
    part.unlink()


def _stamp(path: Path) -> str:
    """Number of the file and when it was last put there: a copy has another, the same folder elsewhere the same."""
    try:
        found = path.stat()
    except OSError:
        return "0"
    return f"{found.st_ino:x}.{found.st_ctime_ns:x}"


def _machine() -> str:
    """Name of this machine, and what tells it from one of the same name: `host:digest`."""
    known = ""
    with suppress(OSError):
        known = Path("/etc/machine-id").read_text("utf-8").strip()
    name = "".join(socket.gethostname().split()) or "unknown"
    return f"{name}:{hashlib.sha256(known.encode()).hexdigest()[:12]}"
