"""The receipt: the hub's answer to a delivery, as data and as a page in plain words.

Counts, names and line numbers only; never a value of a row. Deciding what the answer is belongs to `outcome.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from hdh_assets.core.column import Text
from hdh_assets.core.digests import short
from hdh_assets.core.errors import RefusedError
from hdh_assets.core.home import Home
from hdh_assets.sources.intake.rule_texts import NEXT_WHEN_REFUSED, ROW_RULES, RULES

ReceiptStatus = Literal["accepted", "accepted_with_rejects", "refused", "already_received"]
MAX_LINES = 10
MAX_PROBLEMS = 100
"""Problems that are told one by one: a hostile header has millions, a delivery of many parts thousands."""


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(_Frozen):
    """One rule that something broke: where, how often, what was expected and what kind of thing was found."""

    rule: str
    file: str | None = None
    line: int | None = None
    """First line concerned, the header being line 1; None when the problem is not on a line."""
    lines: tuple[int, ...] = ()
    """The first lines concerned, at most ten."""
    column: str | None = None
    count: int = 1
    """Rows concerned, or 1 for a problem of a whole file."""
    is_rejected: bool = True
    """Whether the rows concerned were kept out; False where the descriptor only counts them."""
    expected: Text
    found: Text
    what_next: Text

    @property
    def rows(self) -> int | None:
        """Rows concerned; None where it is not rows that are."""
        return self.count if self.rule in ROW_RULES else None


class TableCounts(_Frozen):
    """What became of a table's rows."""

    rows: int
    """Rows loaded, those of opposed persons included."""
    rejected: int
    by_rule: dict[str, int] = {}
    """Rows concerned by each rule; a row may break several."""


class Opposed(_Frozen):
    """Rows kept out because the persons objected; through no fault of the producer."""

    rows: int | None = None
    """None when they are about fewer than 11 persons, or about nobody."""
    words: Text


class Receipt(_Frozen):
    """The hub's answer to one delivery."""

    status: ReceiptStatus
    dataset: str
    period: str
    producer: str
    digest: str
    delivery_id: str
    is_current: bool = False
    """Whether the lake's tables show this delivery; False when refused, or when a later one already replaced it."""
    row_count: int = 0
    rejected_count: int = 0
    tables: dict[str, TableCounts] = {}
    problems: tuple[Problem, ...] = ()
    opposed: Opposed | None = None
    """None where the dataset is about nobody, or nothing was loaded."""
    what_next: Text
    run_id: str
    data_version: str | None = None
    sealed_at: datetime | None = None
    started_at: datetime
    finished_at: datetime

    def to_json(self) -> str:
        """The receipt as one JSON document."""
        return json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


class DeliveryRefusedError(RefusedError):
    """A gate refuses the delivery; `problems` say why, as many as a reader can use: an iterator is not read further."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = iter(problems)
        self.problems = tuple(islice(found, MAX_PROBLEMS))
        if next(found, None) is not None:
            self.problems += (problem("more_problems", expected=MAX_PROBLEMS),)
        super().__init__("; ".join(f"{p.file or 'delivery'}: {p.rule}" for p in self.problems))


def problem(
    rule: str,
    *,
    file: str | None = None,
    line: int | None = None,
    lines: Iterable[int] = (),
    column: str | None = None,
    count: int = 1,
    is_rejected: bool = True,
    **details: Any,
) -> Problem:
    """A problem in the words of its rule; `details` fill the texts' fields."""
    text = RULES[rule]
    en, fr = (_words(details, language) for language in ("en", "fr"))
    first = tuple(sorted(lines))[:MAX_LINES]
    return Problem(
        rule=rule,
        file=file,
        line=line if line is not None else (first[0] if first else None),
        lines=first,
        column=column,
        count=count,
        is_rejected=is_rejected,
        expected=Text(en=text.expected_en.format(**en), fr=text.expected_fr.format(**fr)),
        found=Text(en=text.found_en.format(**en), fr=text.found_fr.format(**fr)),
        what_next=Text(en=text.next_en, fr=text.next_fr),
    )


def told(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """As many of these problems as a reader can use, and how many more there are."""
    left = problems[MAX_PROBLEMS:]
    if not left:
        return tuple(problems)
    files = len({item.file for item in left})
    more = problem("problems_left_off", expected=MAX_PROBLEMS, found=len(left), files=files)
    return (*problems[:MAX_PROBLEMS], more)


def grouped(value: Any, language: str) -> str:
    """A whole number with its digits by three, as the language writes them; anything else as it is."""
    if type(value) is not int:
        return str(value)
    return f"{value:,}".replace(",", " " if language == "fr" else ",")


def _words(details: Mapping[str, Any], language: str) -> dict[str, str]:
    """The details as they are written, each with the `_s` of the words that it counts."""
    one = {"1", "0"} if language == "fr" else {"1"}
    plurals = {f"{name}_s": "" if str(value) in one else "s" for name, value in details.items()}
    return {name: grouped(value, language) for name, value in details.items()} | plurals


def of_a_refusal(found: Problem) -> Problem:
    """The same problem in a delivery of which nothing is loaded."""
    said = (found.what_next.en, found.what_next.fr)
    en, fr = NEXT_WHEN_REFUSED.get(said, said)
    return found.model_copy(update={"what_next": Text(en=en, fr=fr)})


def refuse(rule: str, **where: Any) -> DeliveryRefusedError:
    """A refusal for one problem; see `problem`."""
    return DeliveryRefusedError([problem(rule, **where)])


def receipt_folder(home: Home, producer: str, dataset: str, period: str, digest: str) -> Path:
    """Where the receipt of a delivery goes."""
    return home.outbox / producer / dataset / period / short(digest)


def read_receipt(path: Path) -> Receipt | None:
    """The receipt in that file; None when it holds none: producers reach their outbox, and may have changed it."""
    try:
        return Receipt.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None
