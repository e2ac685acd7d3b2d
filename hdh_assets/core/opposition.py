"""Oppositions as the trusted third party keeps them: who is kept out, of what, since when. Pure values and decisions.

An opposition is numbered and dated. `given` are the hub pseudonyms made of what the person gave, `learned` those that
delivered references say are the same person's. Keeping the list is `resources/oppositions.py`, removing rows is
`hdh_assets/sources/opposed/`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from hdh_assets.core.column import Column
from hdh_assets.core.descriptor import Dataset, Table
from hdh_assets.core.errors import HubError, RefusedError

RECORDED = "opposition.recorded"
WITHDRAWN = "opposition.withdrawn"
"""Kinds of the registry's events. They hold numbers, types and datasets; never an identifier nor a pseudonym."""

NIR = "nir"
"""Identifier type of the number of the national register of persons."""
_NIR_WITHOUT_KEY = 13
_NIR_WITH_KEY = 15


@dataclass(frozen=True, order=True)
class PersonKey:
    """A hub pseudonym that designates a person; `rank` where several persons may share it (same-sex twins).

    An empty rank stands for every person who has the pseudonym.
    """

    identifier_type: str
    pseudonym: str
    """Text of a UUID."""
    rank: str = ""


@dataclass(frozen=True)
class Place:
    """Where rows were kept out: they come back from there when the person changes their mind."""

    dataset: str
    period: str
    delivery: str


@dataclass(frozen=True)
class Opposition:
    """One person's objection."""

    number: int
    revision: int
    """Revision of the book in which its keys last changed."""
    recorded_at: datetime
    identifier_type: str
    datasets: tuple[str, ...] = ()
    """Datasets it is limited to; none means all."""
    given: tuple[PersonKey, ...] = ()
    learned: tuple[PersonKey, ...] = ()
    places: tuple[Place, ...] = ()
    withdrawn_at: datetime | None = None
    withdrawn_in: int = 0
    """Revision of the book that withdrew it; 0 while it stands."""
    is_restored: bool = False
    """Withdrawn, and the rows are back: nothing that designates the person is kept any more."""

    @property
    def stands(self) -> bool:
        """Whether the person is kept out."""
        return self.withdrawn_at is None

    @property
    def keys(self) -> tuple[PersonKey, ...]:
        """Every key of the person."""
        return tuple(dict.fromkeys((*self.given, *self.learned)))

    def covers(self, keys: Collection[PersonKey], datasets: Collection[str]) -> bool:
        """Whether it keeps out already the person these keys designate, of all these datasets."""
        is_wide = not self.datasets or (bool(datasets) and set(datasets) <= set(self.datasets))
        return self.stands and is_wide and bool(set(keys) & set(self.given))


@dataclass(frozen=True)
class Book:
    """The list of oppositions. `revision` grows with each change that the lake must follow."""

    revision: int = 0
    entries: tuple[Opposition, ...] = ()

    @property
    def standing(self) -> tuple[Opposition, ...]:
        """Those that keep somebody out."""
        return tuple(entry for entry in self.entries if entry.stands)

    @property
    def to_restore(self) -> tuple[Opposition, ...]:
        """Those withdrawn whose rows are not back yet."""
        return tuple(entry for entry in self.entries if not entry.stands and not entry.is_restored)

    def find(self, number: int) -> Opposition:
        """That opposition. Raises `RefusedError` when there is none."""
        for entry in self.entries:
            if entry.number == number:
                return entry
        raise RefusedError(f"there is no opposition {number}", remedy="see `hdh oppose list`")

    def changed(self, entries: Iterable[Opposition], *, revision: int | None = None) -> Book:
        """The book with these entries in place of those of the same number."""
        new = {entry.number: entry for entry in entries}
        return Book(self.revision if revision is None else revision, tuple(new.get(e.number, e) for e in self.entries))


def record(
    book: Book,
    persons: Iterable[tuple[PersonKey, ...]],
    identifier_type: str,
    datasets: Collection[str],
    now: datetime,
) -> tuple[Book, list[tuple[Opposition, bool]]]:
    """The book with an opposition per person, and for each person the opposition and whether it is new.

    A person whom a standing opposition covers keeps that one: recording twice changes nothing.
    """
    revision, entries = book.revision + 1, list(book.entries)
    by_key: dict[PersonKey, list[Opposition]] = {}
    for entry in entries:
        for key in entry.given if entry.stands else ():
            by_key.setdefault(key, []).append(entry)
    found: list[tuple[Opposition, bool]] = []
    for keys in persons:
        standing = (entry for key in keys for entry in by_key.get(key, ()))
        known = next((entry for entry in standing if entry.covers(keys, datasets)), None)
        entry = known or Opposition(
            number=len(entries) + 1,
            revision=revision,
            recorded_at=now,
            identifier_type=identifier_type,
            datasets=tuple(sorted(datasets)),
            given=keys,
        )
        found.append((entry, known is None))
        if known is None:
            entries.append(entry)
            for key in keys:
                by_key.setdefault(key, []).append(entry)
    is_changed = len(entries) > len(book.entries)
    return (Book(revision, tuple(entries)) if is_changed else book), found


def withdraw(book: Book, number: int, now: datetime) -> Book:
    """The book once that person changed their mind. Raises `RefusedError` when there is nothing to withdraw."""
    entry = book.find(number)
    if not entry.stands:
        raise RefusedError(f"opposition {number} was withdrawn on {entry.withdrawn_at:%Y-%m-%d}", remedy=None)
    revision = book.revision + 1
    return book.changed([replace(entry, withdrawn_at=now, withdrawn_in=revision)], revision=revision)


class OlderBookError(HubError):
    """The book is older than what the event log or the lake knows of it."""


def check_age(book: Book, seen: int) -> None:
    """Raise `OlderBookError` unless the book has come as far as revision `seen`: it would let in who objected since."""
    if book.revision < seen:
        raise OlderBookError(
            f"the book of oppositions is an old one: it ends with revision {book.revision}, and {seen} was seen",
            remedy="restore the latest backup of vault/oppositions.book; where there is none, `hdh audit accept` goes"
            " on without the oppositions that were lost, and these persons must object again",
        )


def with_lost(book: Book, lost: Iterable[Opposition], revision: int, now: datetime) -> Book:
    """The book with oppositions of which nobody knows any more whose they were, as withdrawn: they keep nobody out."""
    ended = [
        replace(entry, revision=revision, withdrawn_at=now, withdrawn_in=revision, is_restored=True) for entry in lost
    ]
    return Book(revision, (*book.entries, *ended))


def beside(book: Book, number: int) -> tuple[int, ...]:
    """Other standing oppositions of the same person, as far as what was given tells."""
    given = set(book.find(number).given)
    return tuple(entry.number for entry in book.standing if entry.number != number and given & set(entry.given))


def restored(book: Book, numbers: Collection[int], missing: Collection[tuple[str, str]] = ()) -> Book:
    """The book once the rows of these withdrawn oppositions are back, but for those of the deliveries in `missing`.

    Those are (dataset, delivery). Of whoever lacks nothing the book forgets who it was.
    """
    done = []
    for entry in (entry for entry in book.entries if entry.number in numbers):
        left = tuple(place for place in entry.places if (place.dataset, place.delivery) in missing)
        whole = replace(entry, is_restored=True, given=(), learned=(), places=())
        done.append(replace(entry, places=left) if left else whole)
    return book.changed(done)


def with_findings(
    book: Book, keys: Mapping[int, Collection[PersonKey]], places: Mapping[int, Collection[Place]]
) -> Book:
    """The book with, by number, the keys learnt and the places where rows were kept out; the revision stays."""
    changed = []
    for entry in book.entries:
        new_keys = sorted(set(keys.get(entry.number, ())) - set(entry.keys))
        new_places = [place for place in places.get(entry.number, ()) if place not in entry.places]
        if new_keys or new_places:
            learned, held = (*entry.learned, *new_keys), (*entry.places, *new_places)
            changed.append(replace(entry, learned=learned, places=held))
    return book.changed(changed) if changed else book


def learnt(
    book: Book, keys: Mapping[int, Collection[PersonKey]], places: Mapping[int, Collection[Place]], revision: int
) -> Book:
    """The book with what was found, in `revision` if anybody's keys grew: these oppositions then changed in it."""
    known = with_findings(book, keys, {})
    grown = [
        replace(after, revision=revision)
        for before, after in zip(book.entries, known.entries, strict=True)
        if after != before
    ]
    return with_findings(known.changed(grown, revision=revision) if grown else book, {}, places)


def identifier_types(datasets: Iterable[Dataset]) -> dict[str, bool]:
    """Kinds of identifier a person may be designated by, and whether a rank may go with it.

    Those of person keys, and those of direct identifiers that the vault can look up.
    """
    found: dict[str, bool] = {}
    for kind, column in _designating(datasets):
        found[kind] = found.get(kind, False) or bool(column.told_apart_by)
    return dict(sorted(found.items()))


def _designating(datasets: Iterable[Dataset]) -> Iterator[tuple[str, Column]]:
    """Columns that hold identifiers persons may be designated by, with their kind."""
    for dataset in datasets:
        for table in dataset.tables:
            yield from _designating_in(table)


def _designating_in(table: Table) -> Iterator[tuple[str, Column]]:
    for column in (*table.person_keys, *looked_up(table)):
        yield str(column.identifier_type), column


def looked_up(table: Table) -> list[Column]:
    """Direct identifiers by which the vault finds whose a row is: the first of each kind that no person key is of.

    Others name somebody else: the mother, or whom the person is insured by.
    """
    known = {column.identifier_type for column in table.person_keys} | {None}
    vaulted = [column for column in table.columns if not column.is_in_lake and column.identifier_type not in known]
    return list({column.identifier_type: column for column in reversed(vaulted)}.values())


def shared_types(datasets: Collection[Dataset]) -> frozenset[str]:
    """Kinds of identifier that several persons may share."""
    columns = (column for dataset in datasets for table in dataset.tables for column in table.columns)
    return frozenset(str(column.identifier_type) for column in columns if column.told_apart_by)


def column_kinds(identifier_type: str, datasets: Iterable[Dataset]) -> frozenset[str]:
    """The types of the columns, without their lengths, by which such an identifier designates persons."""
    return frozenset(column.kind for kind, column in _designating(datasets) if kind == identifier_type)


def spellings(identifier: str, identifier_type: str, kinds: Collection[str]) -> tuple[str, ...]:
    """The forms under which an identifier may have been taken in by columns of these kinds; the one given first."""
    return tuple(dict.fromkeys((identifier, *(canonical(identifier, identifier_type, kind) for kind in sorted(kinds)))))


def canonical(identifier: str, identifier_type: str, kind: str) -> str:
    """The one form of an identifier that people write in many, of a column of that kind.

    A NIR without spaces, punctuation and key; a number without zeros before it, a UUID in lower case with its hyphens,
    as intake makes pseudonyms of them. Others are opaque: they are what the producer delivers, to the letter.
    """
    if identifier_type != NIR:
        is_number = kind == "integer" and re.fullmatch(r"[+-]?[0-9]{1,38}", identifier)
        return str(int(identifier)) if is_number else _uuid_text(identifier) if kind == "uuid" else identifier
    compact = re.sub(r"[^0-9A-Za-z]", "", identifier).upper()
    return compact[:_NIR_WITHOUT_KEY] if len(compact) == _NIR_WITH_KEY else compact


def _uuid_text(identifier: str) -> str:
    try:
        return str(UUID(identifier))
    except ValueError:
        return identifier.lower()


def reached(identifier_type: str, datasets: Collection[Dataset]) -> tuple[str, ...]:
    """Datasets in which that kind of identifier finds a person: it is theirs, or stands beside theirs somewhere.

    The vault is asked by what the person gave alone: a NIR that it has beside another identifier leads no further. What
    several persons may share is learnt only with what tells them apart, which the vault has not.
    """
    tables, shared = [table for dataset in datasets for table in dataset.tables], shared_types(datasets)
    kinds = {identifier_type}
    for table in tables:
        if any(column.identifier_type == identifier_type for column in looked_up(table)):
            kinds |= {str(column.identifier_type) for column in table.person_keys} - shared
    known = 0
    while len(kinds) > known:
        known = len(kinds)
        for keys in (table.person_keys for table in tables):
            if kinds & {str(key.identifier_type) for key in keys}:
                kinds |= {str(k.identifier_type) for k in keys if k.told_apart_by or k.identifier_type not in shared}
    return tuple(
        dataset.id
        for dataset in datasets
        if any(column.identifier_type in kinds for table in dataset.tables for column in table.person_keys)
    )


def is_unlike(identifier: str, identifier_type: str, datasets: Iterable[Dataset]) -> bool:
    """Whether no dataset can deliver such an identifier of that kind: too long, of another form, or said of nobody."""
    return not any(_may_hold(column, identifier) for kind, column in _designating(datasets) if kind == identifier_type)


def _may_hold(column: Column, identifier: str) -> bool:
    forms = {"uuid": r"[0-9a-fA-F-]{32,36}", "integer": r"[+-]?[0-9]+"}
    is_of_form = re.fullmatch(column.pattern or forms.get(column.kind, ".*"), identifier) is not None
    kind = str(column.identifier_type)
    nobody = {canonical(text, kind, column.kind) for text in column.sentinels}
    is_somebody = canonical(identifier, kind, column.kind) not in nobody
    return is_of_form and is_somebody and len(identifier) <= (column.length or len(identifier))


def is_doubtful(nir: str) -> bool:
    """Whether a NIR was given with a key that is not its own, or is none, as when a digit was copied wrong or lost.

    The key is 97 less the rest of the number by 97; the departments 2A and 2B count as 19 and 18 (INSEE).
    """
    compact = re.sub(r"[^0-9A-Za-z]", "", nir).upper()
    department = {"2A": "19", "2B": "18"}.get(compact[5:7], compact[5:7])
    digits = compact[:5] + department + compact[7:]
    if len(digits) not in {_NIR_WITHOUT_KEY, _NIR_WITH_KEY} or not (digits.isascii() and digits.isdigit()):
        return True
    number, key = digits[:_NIR_WITHOUT_KEY], digits[_NIR_WITHOUT_KEY:]
    return bool(key) and 97 - int(number) % 97 != int(key)


def plain_rank(text: str) -> str:
    """A rank without leading zeros; empty when not known."""
    stripped = text.strip()
    return str(int(stripped)) if stripped.isascii() and stripped.isdigit() else stripped
