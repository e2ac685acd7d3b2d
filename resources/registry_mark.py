"""How far the event log of a home has come, kept outside the log: one restored from an older backup shows.

The mark is a file of the home with the number and the hash of an event that was appended. It may lag behind the log,
after a crash; the log never lags behind it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from hdh_assets.core.errors import ConfigurationError
from hdh_assets.core.files import write_atomically
from hdh_assets.core.home import Home


@dataclass(frozen=True)
class Mark:
    """An event that the log of this home had."""

    seq: int
    hash: str


class UnreadableMarkError(ConfigurationError):
    """The mark is there and says nothing: an older log would pass for the one this home worked with."""


class RegistryMark:
    """The mark of one home."""

    def __init__(self, home: Home) -> None:
        self._path = home.root / "events.mark"

    def read(self) -> Mark | None:
        """The mark; None where none was ever made. Raises `UnreadableMarkError` when it does not say how far."""
        try:
            content = json.loads(self._path.read_text("utf-8"))
            mark = Mark(**content)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError):
            raise _unreadable(self._path) from None
        if type(mark.seq) is not int or not isinstance(mark.hash, str):
            raise _unreadable(self._path)
        return mark

    def advance(self, seq: int, digest: str) -> None:
        """Note that the log came as far as that event. A disk that refuses leaves the mark behind, which is no harm."""
        known = self.read()
        if known is None or known.seq < seq:
            with suppress(OSError):
                self.replace(seq, digest)

    def replace(self, seq: int, digest: str) -> None:
        """Make that event the mark, whatever it was."""
        write_atomically(self._path, (json.dumps(asdict(Mark(seq, digest))) + "\n").encode(), 0o600)


def _unreadable(path: Path) -> UnreadableMarkError:
    return UnreadableMarkError(
        f"{path}, which says how far the event log was, is damaged: nobody can tell whether the log is an older one",
        remedy="restore it from a backup; where there is none, `hdh audit accept` goes on with the log as it is: then"
        " see by `hdh audit log` that the newest decisions are in it",
    )
