"""Whether Dagster's daemon is at work: one that stands still does not end, and nothing is done. No Dagster here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_PARTS = {"SENSOR": "looks for work", "QUEUED_RUN_COORDINATOR": "starts runs"}
"""Parts of the daemon, by Dagster's name, that nothing is done without."""
_SILENT_SECONDS = 180.0
_LONGEST_LOOK_SECONDS = 60.0
"""What a look counts at most: where the whole machine stood still, so did the daemon, by no fault of its own."""


class DaemonWatch:
    """What the daemon's heartbeats tell, looked at again and again; what changed is told once."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._heard: dict[str, float] = {}
        self._silent: dict[str, float] = {}
        self._looked_at: float | None = None
        self._was_silent = False

    def look(self, heartbeats: Mapping[str, float], now: float) -> str | None:
        """What changed since the last look, in words. No heartbeats at all tell nothing: nobody could say.

        `now` is of a clock that nobody sets; the heartbeats' own only tells one from the next.
        """
        passed = min(now - self._looked_at, _LONGEST_LOOK_SECONDS) if self._looked_at is not None else 0.0
        self._looked_at = now
        if not heartbeats:
            return None
        for part in _PARTS:
            heard = heartbeats.get(part, 0.0)
            self._silent[part] = self._silent.get(part, 0.0) + passed if self._heard.get(part) == heard else 0.0
            self._heard[part] = heard
        silent = [what for part, what in _PARTS.items() if self._silent[part] > _SILENT_SECONDS]
        was_silent, self._was_silent = self._was_silent, bool(silent)
        if silent and not was_silent:
            return (
                f"the daemon, which {' and '.join(silent)}, has not been heard of for {_SILENT_SECONDS / 60:.0f} "
                f"minutes: stop the hub with Ctrl-C and run `hdh up` again; {self._log} may say why"
            )
        return "the daemon is heard of again" if was_silent and not silent else None
