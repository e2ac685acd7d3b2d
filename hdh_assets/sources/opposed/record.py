"""Recording an opposition and undoing it: first in the book, then in the registry, which never says who.

A crash between the two leaves a person kept out and unannounced; `announce` makes it good.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from uuid import UUID

import polars as pl

from hdh_assets.core import opposition
from hdh_assets.core.crash import crash_point
from hdh_assets.core.home import Home, Settings
from hdh_assets.core.opposition import (
    RECORDED,
    WITHDRAWN,
    Book,
    Opposition,
    PersonKey,
    check_age,
    plain_rank,
    spellings,
    with_lost,
)
from resources.keys import open_keys
from resources.oppositions import OppositionBook, open_book, recorded_revision
from resources.pseudonyms import Pseudonymiser, open_pseudonymiser
from resources.registry import Registry, current_actor

Identifier = tuple[str, str]
"""An identifier as the person or the producer writes it, and its rank; empty when there is none."""


def record_oppositions(
    home: Home,
    settings: Settings,
    identifiers: Iterable[Identifier],
    identifier_type: str,
    datasets: Collection[str] = (),
    kinds: Collection[str] = ("string",),
) -> list[tuple[Opposition, bool]]:
    """Keep these persons out from now on; for each the opposition, and whether it is new.

    No dataset means all. `kinds` are those of the columns that have such identifiers (`column_kinds`). Raises
    `KeyMaterialError` before anything is recorded.
    """
    pseudonymiser, book = open_pseudonymiser(open_keys(home)), open_book(home)
    persons = person_keys(pseudonymiser, identifiers, identifier_type, kinds)
    found: list[tuple[Opposition, bool]] = []

    def change(current: Book) -> Book:
        changed, said = opposition.record(current, persons, identifier_type, datasets, _now())
        found.extend(said)
        return changed

    _change(home, settings, book, change)
    return found


def withdraw_opposition(home: Home, settings: Settings, number: int) -> tuple[int, ...]:
    """Let the person's rows come back; the numbers of the person's oppositions that still stand.

    Raises `RefusedError` when no such opposition stands.
    """
    left: list[int] = []

    def change(current: Book) -> Book:
        left.extend(opposition.beside(current, number))
        return opposition.withdraw(current, number, _now())

    _change(home, settings, open_book(home), change)
    return tuple(left)


def accept_lost(home: Home, settings: Settings, seen: int) -> tuple[int, ...]:
    """Go on with a book that lacks oppositions the registry knows of, or is behind revision `seen`; their numbers.

    They keep nobody out any more: nobody knows whose they were. What the book has and the registry lacks is announced.
    """
    book = open_book(home)
    with Registry(home, settings) as registry, book.held():
        current, recorded = book.read(), registry.events(RECORDED)
        known = {entry.number for entry in current.entries}
        lost = {
            number: Opposition(
                number, 0, event.at, event.said("identifier_type", str), tuple(event.said("datasets", list))
            )
            for event in recorded
            for number in event.said("numbers", list)
            if number not in known
        }
        revision = max(current.revision, recorded_revision(registry), seen)
        changed = with_lost(current, [lost[number] for number in sorted(lost)], revision, _now())
        if changed != current:
            book.write(changed)
        announce(registry, changed)
    return tuple(sorted(lost))


def person_keys(
    pseudonymiser: Pseudonymiser, identifiers: Iterable[Identifier], identifier_type: str, kinds: Collection[str]
) -> list[tuple[PersonKey, ...]]:
    """The keys each identifier gives, one for each way it may have been written."""
    written = [
        (position, text, plain_rank(rank))
        for position, (identifier, rank) in enumerate(identifiers)
        for text in spellings(identifier, identifier_type, kinds)
    ]
    digits = pseudonymiser.pseudonymise(pl.Series([text for _, text, _ in written], dtype=pl.String), identifier_type)
    made: dict[int, list[PersonKey]] = {}
    for (position, _, rank), pseudonym in zip(written, digits.to_list(), strict=True):
        made.setdefault(position, []).append(PersonKey(identifier_type, str(UUID(pseudonym)), rank))
    return [tuple(keys) for keys in made.values()]


def announce(registry: Registry, book: Book) -> None:
    """Append to the registry what the book holds and the registry does not know."""
    known = registry.events(RECORDED, WITHDRAWN)
    recorded = {number for event in known if event.kind == RECORDED for number in event.said("numbers", list)}
    withdrawn = {number for event in known if event.kind == WITHDRAWN for number in event.said("numbers", list)}
    for kind, data in [
        *_drafts(RECORDED, book, [entry for entry in book.entries if entry.number not in recorded]),
        *_drafts(WITHDRAWN, book, [e for e in book.entries if not e.stands and e.number not in withdrawn]),
    ]:
        registry.append(kind, "oppositions", current_actor(), data)


def _change(home: Home, settings: Settings, book: OppositionBook, change: Callable[[Book], Book]) -> None:
    # the registry is opened first: one that does not answer refuses the change before the book has it
    with Registry(home, settings) as registry, book.held():
        current = book.read()
        check_age(current, recorded_revision(registry))
        changed = change(current)
        if changed != current:
            book.write(changed)
            crash_point("opposition.in_book")
        announce(registry, changed)
    crash_point("opposition.announced")


def _drafts(kind: str, book: Book, entries: list[Opposition]) -> list[tuple[str, dict[str, object]]]:
    """One event for all the entries of a kind of identifier and a scope."""
    groups: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for entry in entries:
        groups.setdefault((entry.identifier_type, entry.datasets), []).append(entry.number)
    return [
        (
            kind,
            {
                "numbers": numbers,
                "identifier_type": identifier_type,
                "datasets": list(datasets),
                "revision": book.revision,
            },
        )
        for (identifier_type, datasets), numbers in groups.items()
    ]


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
