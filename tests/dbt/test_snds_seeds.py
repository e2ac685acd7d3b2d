"""What the seeds say of French places and boxes, against the code lists they were taken from."""

import csv
import re

import pytest

from hdh_assets.standard.sources_yml import PROJECT

pytestmark = pytest.mark.reference

OF_EITHER_HALF = {"901"}
"""Villages of one number, one in each half of Corsica."""

NO_PLACE = {"000", "099", "999"}

TABLETS = re.compile(r"^(?:(\d+) )?\w.* de (\d+) +(?:comprimé|gélule|capsule)")
"""What a box of tablets says of its blisters or flasks and of what each holds."""


def seed(name):
    with (PROJECT / "seeds" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_rule_16_every_place_of_corse_du_sud_alone_is_known_to_be_there(reference):
    places = read(reference / "indsante+schema-snds" / "nomenclatures" / "ORAVAL" / "IR_GEO_V.csv")
    listed = {
        half: {row["GEO_COM_COD"] for row in places if row["GEO_DPT_COD"] == half} - NO_PLACE for half in ("201", "202")
    }
    assert listed["201"] & listed["202"] == OF_EITHER_HALF
    assert listed["201"] - OF_EITHER_HALF <= {row["commune"] for row in seed("corse_du_sud_commune")}
    assert not listed["202"] & {row["commune"] for row in seed("corse_du_sud_commune")}


def test_rule_37_a_box_holds_the_tablets_that_its_label_says(reference):
    boxes = read(reference / "BDPM_2017_via_OHDSI+Vocabulary-v5.0" / "bdpm_2017_slim.csv")
    said = {row["cip13"]: TABLETS.match(row["libelle_presentation"]) for row in boxes}
    held = {row["cip13"]: int(row["contents"]) for row in seed("drug_pack") if said.get(row["cip13"])}
    assert len(held) > 50
    assert held == {cip13: int(said[cip13][1] or 1) * int(said[cip13][2]) for cip13 in held}
