"""What a person who objects, or changes their mind, is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hdh_assets.core.column import Text

_RECORDED = Text(
    fr=(
        "Votre opposition a été enregistrée le {day} sous le numéro {number}. Elle porte sur {scope}. À partir de "
        "maintenant, aucune version publiée et aucune extraction ne contiendra ces données ; celles déjà remises à des "
        "projets qui les contiendraient sont retirées et remplacées.{beyond} Vous pouvez changer d'avis à tout moment, "
        "en rappelant ce numéro. Cet accusé ne dit pas si le hub détient des données vous concernant."
    ),
    en=(
        "Your opposition was recorded on {day} under number {number}. It is about {scope}. From now on no release and "
        "no extract will hold these data; extracts already given to projects that may hold them are withdrawn and "
        "replaced.{beyond} You may change your mind at any time, giving this number. This receipt does not say "
        "whether the hub holds data about you."
    ),
)
_BEYOND = Text(
    fr=(
        " L'identifiant que vous avez donné n'est pas employé dans : {others}. Pour vous opposer aussi à l'usage de "
        "ces données, donnez celui par lequel ils vous désignent."
    ),
    en=(
        " The identifier you gave is not in use in: {others}. To object to the use of these data too, give the one "
        "under which you are known there."
    ),
)
_WITHDRAWN = Text(
    fr=(
        "Votre opposition numéro {number} est levée. Si le hub a reçu des données vous concernant, elles serviront de "
        "nouveau aux projets autorisés, sauf si vous vous êtes opposé aussi sous un autre identifiant. Vous pouvez "
        "vous opposer à nouveau à tout moment."
    ),
    en=(
        "Your opposition number {number} is withdrawn. If the hub received data about you, approved projects will use "
        "them again, unless you objected under another identifier as well. You may object again at any time."
    ),
)
_STILL = Text(
    fr=(
        "Votre opposition numéro {number} est levée. Ce que vous avez exprimé par ailleurs, sous le numéro {left}, "
        "reste en vigueur et continue de s'appliquer jusqu'à ce que vous le leviez aussi."
    ),
    en=(
        "Your opposition number {number} is withdrawn. What you expressed besides, under number {left}, still stands "
        "and goes on applying until you withdraw it too."
    ),
)


def recorded_text(number: int, at: datetime, datasets: Sequence[Text], others: Sequence[Text]) -> Text:
    """The acknowledgement of an opposition to the use of these datasets; `others` are those it does not reach.

    Both are titles; no dataset means all that is reached.
    """
    some, left = (", ".join(each.fr for each in of) for of in (datasets, others))
    some_en, left_en = (", ".join(each.en for each in of) for of in (datasets, others))
    return Text(
        fr=_RECORDED.fr.format(
            day=f"{at:%d/%m/%Y}",
            number=number,
            scope=f"les jeux de données : {some}" if some else "toutes les données qui vous désignent ainsi",
            beyond=_BEYOND.fr.format(others=left) if left else "",
        ),
        en=_RECORDED.en.format(
            day=f"{at:%Y-%m-%d}",
            number=number,
            scope=f"these datasets: {some_en}" if some_en else "all data in which you are known by it",
            beyond=_BEYOND.en.format(others=left_en) if left_en else "",
        ),
    )


def withdrawn_text(number: int, left: tuple[int, ...]) -> Text:
    """The acknowledgement of a change of mind; `left` are the oppositions of the person that still stand."""
    said = _STILL if left else _WITHDRAWN
    return Text(
        fr=said.fr.format(number=number, left=" et le numéro ".join(map(str, left))),
        en=said.en.format(number=number, left=" and number ".join(map(str, left))),
    )
