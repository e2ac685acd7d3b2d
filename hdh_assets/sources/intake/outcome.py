"""The receipt each outcome deserves: pure functions from what happened to the hub's answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hdh_assets.core.column import Text
from hdh_assets.core.small_counts import SMALL_CELL
from hdh_assets.sources.intake.admission import Admitted, Place
from hdh_assets.sources.intake.delivery_load import Loaded
from hdh_assets.sources.intake.manifest import ManifestError, delivery_id, parse_manifest
from hdh_assets.sources.intake.receipt import DeliveryRefusedError, Opposed, Receipt, of_a_refusal, told
from hdh_assets.sources.opposed.count import KeptOut

_NOTHING = Text(
    en="Nothing. The data will be in the next release of the hub.",
    fr="Rien. Les données seront dans la prochaine version publiée du hub.",
)
_SUPERSEDED = Text(
    en="Nothing. A later delivery already replaces this one; it is recorded and kept.",
    fr="Rien. Une livraison postérieure remplace déjà celle-ci ; elle est enregistrée et conservée.",
)
_REJECTS = Text(
    en="The other rows are loaded. Correct the rows listed below at the source and deliver the period again, whole.",
    fr="Le reste est chargé. Corrigez à la source les lignes listées ici, puis livrez à nouveau la période entière.",
)
_REFUSED = Text(
    en="Correct what is listed below, seal and deliver again. Nothing was loaded; an earlier delivery stays as it was.",
    fr="Corrigez ce qui suit, scellez et livrez à nouveau. Rien n'a été chargé ; l'existant reste tel quel.",
)
_OPPOSED = Text(
    en="Rows of persons who objected to the use of their data are kept out: {rows}. Nothing is to be corrected.",
    fr="Les lignes des personnes opposées à l'usage de leurs données sont écartées : {rows}. Rien n'est à corriger.",
)
_NOT_PUBLISHED = Text(
    en=f"a number that is not published, as it is about fewer than {SMALL_CELL} persons or none",
    fr=f"nombre non publié, il concerne moins de {SMALL_CELL} personnes ou aucune",
)
_ALREADY = Text(
    en="This very delivery was already taken in. Rows listed below, if any, are still to be corrected: seal the "
    "corrected files again.",
    fr="Cette livraison même a déjà été reçue. Les lignes listées ici, s'il y en a, restent à corriger : scellez à "
    "nouveau les fichiers corrigés.",
)


@dataclass(frozen=True)
class Task:
    """One delivery being taken in: where it lies, what its manifest's bytes are, and the run that does it."""

    place: Place
    source: Path
    digest: str
    content: bytes | None
    run_id: str
    run_folder: Path
    started_at: datetime


def accepted(task: Task, admitted: Admitted, loaded: Loaded, kept_out: KeptOut, *, is_current: bool) -> Receipt:
    """The answer to a delivery that passed.

    Rows count as loaded whether their persons objected or not: a difference would tell the producer who did.
    """
    rejected = sum(loaded.rejected.values())
    what_next = _SUPERSEDED if not is_current else _REJECTS if rejected else _NOTHING
    return Receipt(
        status="accepted_with_rejects" if rejected else "accepted",
        dataset=task.place.dataset,
        period=task.place.period,
        producer=task.place.producer,
        digest=task.digest,
        delivery_id=str(delivery_id(task.digest)),
        is_current=is_current,
        row_count=sum(loaded.inserted.values()),
        rejected_count=rejected,
        tables=loaded.tables(),
        problems=told(loaded.problems),
        opposed=_opposed(kept_out) if admitted.dataset.has_persons else None,
        what_next=what_next,
        run_id=task.run_id,
        sealed_at=admitted.manifest.sealed_instant,
        started_at=task.started_at,
        finished_at=datetime.now(UTC),
    )


def _opposed(kept_out: KeptOut) -> Opposed:
    is_published = kept_out.persons >= SMALL_CELL
    said = Text(en=str(kept_out.rows), fr=str(kept_out.rows)) if is_published else _NOT_PUBLISHED
    words = Text(en=_OPPOSED.en.format(rows=said.en), fr=_OPPOSED.fr.format(rows=said.fr))
    return Opposed(rows=kept_out.rows if is_published else None, words=words)


def refused(task: Task, error: DeliveryRefusedError) -> Receipt:
    """The answer to a delivery that a gate refused."""
    return Receipt(
        status="refused",
        dataset=task.place.dataset,
        period=task.place.period,
        producer=task.place.producer,
        digest=task.digest,
        delivery_id=str(delivery_id(task.digest)),
        problems=tuple(map(of_a_refusal, error.problems)),
        what_next=_REFUSED,
        run_id=task.run_id,
        sealed_at=_sealed_at(task.content),
        started_at=task.started_at,
        finished_at=datetime.now(UTC),
    )


def _sealed_at(content: bytes | None) -> datetime | None:
    """When a refused delivery was sealed, if its manifest is one."""
    try:
        return parse_manifest(content or b"").sealed_instant
    except ManifestError:
        return None


def already_received(task: Task, first: Receipt) -> Receipt:
    """The answer to a delivery received before: what it was then, and that nothing was done."""
    return first.model_copy(
        update={
            "status": "already_received",
            "what_next": _ALREADY,
            "run_id": task.run_id,
            "started_at": task.started_at,
            "finished_at": datetime.now(UTC),
        }
    )
