"""The receipt as files in the producer's outbox: `receipt.json` for machines, `receipt.md` for people, French first.

Layout only: what the receipt says is decided in `outcome.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from hdh_assets.core.column import Text
from hdh_assets.core.files import write_atomically
from hdh_assets.core.home import Home
from hdh_assets.sources.intake.receipt import Problem, Receipt, grouped, receipt_folder
from resources.inbox import make_place

Language = Literal["fr", "en"]

_TITLES: dict[str, Text] = {
    "accepted": Text(en="Accepted", fr="Acceptée"),
    "accepted_with_rejects": Text(en="Accepted, with rejected rows", fr="Acceptée, avec des lignes rejetées"),
    "refused": Text(en="Refused: nothing was loaded", fr="Refusée : rien n'a été chargé"),
    "already_received": Text(en="Already received: nothing was loaded again", fr="Déjà reçue : rien n'a été rechargé"),
}
_WORDS: dict[str, Text] = {
    "delivery": Text(en="Delivery", fr="Livraison"),
    "period": Text(en="period", fr="période"),
    "digest": Text(en="Digest", fr="Empreinte"),
    "sealed": Text(en="Sealed", fr="Scellée"),
    "answered": Text(en="Answered", fr="Réponse"),
    "version": Text(en="Data version", fr="Version des données"),
    "came": Text(en="What came in", fr="Ce qui est entré"),
    "table": Text(en="Table", fr="Table"),
    "rows": Text(en="Rows loaded", fr="Lignes chargées"),
    "rejected": Text(en="Rows rejected", fr="Lignes rejetées"),
    "problems": Text(en="What was not right", fr="Ce qui n'allait pas"),
    "where": Text(en="Where", fr="Où"),
    "rule": Text(en="Rule", fr="Règle"),
    "count": Text(en="Rows", fr="Lignes"),
    "expected": Text(en="Expected", fr="Attendu"),
    "found": Text(en="Found", fr="Trouvé"),
    "do": Text(en="What to do", fr="Que faire"),
    "next": Text(en="What next", fr="Et maintenant"),
    "line": Text(en="line", fr="ligne"),
    "lines": Text(en="lines", fr="lignes"),
    "kept": Text(en="counted, kept", fr="comptées, gardées"),
    "superseded": Text(
        en="A later delivery already replaces this one: it is recorded, its rows are not shown.",
        fr="Une livraison postérieure remplace déjà celle-ci : elle est enregistrée, ses lignes ne sont pas montrées.",
    ),
    "run": Text(en="Run", fr="Exécution"),
}


def write_receipt(home: Home, receipt: Receipt) -> Path:
    """Write both files, each by rename; the path of `receipt.json`, relative to the home."""
    folder = receipt_folder(home, receipt.producer, receipt.dataset, receipt.period, receipt.digest)
    make_place(home.outbox, *folder.relative_to(home.outbox).parts)
    write_atomically(folder / "receipt.md", page(receipt).encode("utf-8"))
    return write_atomically(folder / "receipt.json", receipt.to_json().encode("utf-8")).relative_to(home.root)


def is_told(home: Home, receipt: Receipt) -> bool:
    """Whether the producer has an answer to this delivery."""
    folder = receipt_folder(home, receipt.producer, receipt.dataset, receipt.period, receipt.digest)
    return (folder / "receipt.json").exists()


def page(receipt: Receipt) -> str:
    """The receipt in Markdown, in French then in English."""
    sections = ("\n".join(_section(receipt, language)) for language in get_args(Language))
    return "\n\n---\n\n".join(sections) + "\n"


def _section(receipt: Receipt, language: Language) -> Iterator[str]:
    yield f"# {_in(_TITLES[receipt.status], language)}"
    yield ""
    yield f"{_word('delivery', language)} **{receipt.dataset}**, {_word('period', language)} **{receipt.period}**"
    yield ""
    yield from _facts(receipt, language)
    if receipt.status.startswith("accepted") and not receipt.is_current:
        yield f"\n> {_word('superseded', language)}"
    yield f"\n## {_word('next', language)}\n\n{_in(receipt.what_next, language)}"
    if receipt.tables:
        yield from _tables(receipt, language)
    if receipt.opposed:
        yield f"\n{_in(receipt.opposed.words, language)}"
    if receipt.problems:
        yield from _problems(receipt.problems, language)


def _facts(receipt: Receipt, language: Language) -> Iterator[str]:
    facts = {
        "digest": f"`{receipt.digest}`",
        "sealed": f"{receipt.sealed_at:%Y-%m-%d %H:%M} UTC" if receipt.sealed_at else None,
        "answered": f"{receipt.finished_at:%Y-%m-%d %H:%M} UTC",
        "version": receipt.data_version,
        "run": f"`{receipt.run_id}`",
    }
    colon = " :" if language == "fr" else ":"
    for name, fact in facts.items():
        if fact:
            yield f"* {_word(name, language)}{colon} {fact}"


def _tables(receipt: Receipt, language: Language) -> Iterator[str]:
    yield f"\n## {_word('came', language)}\n"
    yield from _row(_word("table", language), _word("rows", language), _word("rejected", language))
    yield "|---|---:|---:|"
    for name, counts in receipt.tables.items():
        yield from _row(f"`{name}`", grouped(counts.rows, language), grouped(counts.rejected, language))


def _problems(problems: tuple[Problem, ...], language: Language) -> Iterator[str]:
    yield f"\n## {_word('problems', language)}\n"
    yield from _row(*(_word(name, language) for name in ("where", "rule", "count", "expected", "found", "do")))
    yield "|---|---|---:|---|---|---|"
    for item in problems:
        kept = "" if item.is_rejected else f" ({_word('kept', language)})"
        yield from _row(
            _where(item, language),
            f"`{item.rule}`",
            f"{grouped(item.rows, language)}{kept}" if item.rows is not None else "",
            _in(item.expected, language),
            _in(item.found, language),
            _in(item.what_next, language),
        )


def _where(item: Problem, language: Language) -> str:
    lines = item.lines or ((item.line,) if item.line else ())
    named = _word("lines" if len(lines) > 1 else "line", language)
    more = ", …" if item.count > len(lines) > 1 else ""
    parts = [
        f"`{item.file}`" if item.file else "",
        f"{named} {', '.join(map(str, lines))}{more}" if lines else "",
        f"`{item.column}`" if item.column else "",
    ]
    return ", ".join(part for part in parts if part) or _word("delivery", language)


def _row(*cells: str) -> Iterator[str]:
    yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _word(name: str, language: Language) -> str:
    return _in(_WORDS[name], language)


def _in(text: Text, language: Language) -> str:
    return text.fr if language == "fr" else text.en
