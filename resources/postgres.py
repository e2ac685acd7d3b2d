"""What it means that PostgreSQL cannot be used: it does not answer, or it answers and does not let the hub in."""

from __future__ import annotations

import re

from hdh_assets.core.errors import HubError

_ANSWER = re.compile(r"[^\W\d]:  ")
"""What the client library puts between the severity and the words of a server, both in the server's own language."""
_AGAIN = "nothing is lost, and what was due stays due"


def connection_error(what: str, setting: str, text: str) -> HubError:
    """The failed connection as something to act on; of the driver's `text`, which names accounts, nothing is told.

    `what` is the subject of a sentence, `setting` the one that has the address.
    """
    if _ANSWER.search(text):
        return HubError(
            f"{what} cannot be used: PostgreSQL answers, and does not let the hub in",
            remedy=f"correct user, password or database in {setting}, or the server's pg_hba.conf, unless it is just "
            f"starting, stopping or out of connections: its log says which; {_AGAIN}",
        )
    return HubError(f"{what} in PostgreSQL does not answer", remedy=f"start PostgreSQL, or correct {setting}; {_AGAIN}")
