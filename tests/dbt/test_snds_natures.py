"""What natures of prestation mean: the ranges of the seed against the codes and labels of the code list (rule 47)."""

import csv
import re
from functools import cache

import pytest

from hdh_assets.standard.sources_yml import PROJECT

LUMP_SUMS = {
    "treating doctors, their contracts and objectives": (1130, 1138, 1145, 1171, 1173, 1178, 1187),
    "care on call and its regulation": (1523, 1907, 1915, 1990, 1992, 1995, 1997, 1999, 2342, 4222, 4362, 9144),
    "contracts of practice, networks": (1601, 1653, 1701, 1791, 3101, 3110, 3126, 3139, 4227, 4228, 4611, 4612),
    "campaigns": (1924, 1925, 3118, 3119, 3375, 3399),
    "pharmacies": (3300, 3301, 3303, 3305, 3306, 3307, 3308, 3378, 3391, 3393, 3394, 3396, 3397, 3398),
    "equipment, health centres, insurance": (4359, 4363, 4368, 4369, 4370, 4374, 4375, 4379, 4380, 4391, 4396, 4397),
}
"""Codes that pay a professional for no care of one patient, some of each kind."""

OWED = (1951, 1952, 1954, 1956, 1957, 1971, 1978, 2282, 2283, 2284, 2285)
"""Flat participations, deductibles, shares of stays, care out of the pathway: what the patient is not reimbursed."""

REMOTE = {
    "teleconsultations": (1056, 1057, 1096, 1157, 1164, 1191, 1192, 3103, 3105),
    "tele-expertise": (1097, 1158, 1165, 1193, 1194),
    "telemonitoring": (1172, 1174, 1201, 1202),
    "by others than doctors": (1086, 3123, 3140, 3143, 3402),
}
"""Care at a distance, all of what doctors do and some of the rest."""

CONTACTS = {1111: 9202, 1522: 9202, 1841: 9202, 1989: 9202, 3313: 581458, 3361: 581458, 3309: 9202, 4212: 9202}
"""Neighbours that stay contacts: surcharges, travel, on-call dispensing."""

PAID = re.compile("REMU|RÉMU|ROSP|CONTESTATION|CONTRAT|STRUCTURE|PRIME|ASTREINTE|PERMANENCE|IFAQ| FIR |FORFAIT.* PS ")
PAID_TO_OTHERS = re.compile("STRUCTUREE|PRIME DE (FIN|LAYETTE)|IMPOTS|MAJORATION ASTREINTE")
"""What the words say of a patient's therapy, premium or tax, or of a surcharge on an act."""

ALIKE = {
    "^PARTICIPATION |^FRANCHISE ": "0",
    "^TELECONSULTATION|T[EÉ]L[EÉ] EXPERTISE (DE|DOSSIER|-)|ACTE DE T[EÉ]L[EÉ] EXPERTISE": "5083",
    "^TELESURVEILLANCE : (PS|MEDECIN) ": "5083",
}
"""What the labels of one kind all mean."""


@cache
def ranges():
    with (PROJECT / "seeds" / "snds_nature.csv").open(newline="", encoding="utf-8") as file:
        return [(int(r["first_code"]), int(r["last_code"]), r) for r in csv.DictReader(file)]


def meaning(code):
    """The row of the narrowest range the code is in."""
    found = [(last - first, row) for first, last, row in ranges() if first <= code <= last]
    return min(found, key=lambda one: one[0])[1] if found else {"visit_concept_id": "9202", "domain": ""}


def test_no_two_ranges_say_different_things_of_one_code():
    """The narrowest wins: of ranges that overlap, one lies within the other and is narrower."""
    for first, last, _ in ranges():
        for other_first, other_last, _ in ranges():
            if (first, last) != (other_first, other_last) and first <= other_last and other_first <= last:
                assert (first <= other_first and other_last <= last) or (other_first <= first and last <= other_last)
    assert len({(first, last) for first, last, _ in ranges()}) == len(ranges())


@pytest.mark.parametrize("kind", LUMP_SUMS)
def test_rule_47_what_pays_a_professional_is_neither_a_visit_nor_an_act(kind):
    found = {code: (meaning(code)["visit_concept_id"], meaning(code)["domain"]) for code in LUMP_SUMS[kind]}
    assert found == dict.fromkeys(LUMP_SUMS[kind], ("0", ""))


def test_rule_47_what_a_patient_owes_is_neither_a_visit_nor_an_act():
    found = {code: (meaning(code)["visit_concept_id"], meaning(code)["domain"]) for code in OWED}
    assert found == dict.fromkeys(OWED, ("0", ""))


@pytest.mark.parametrize("kind", REMOTE)
def test_rule_47_care_at_a_distance_is_a_visit_of_its_kind(kind):
    found = {code: meaning(code)["visit_concept_id"] for code in REMOTE[kind]}
    assert found == dict.fromkeys(REMOTE[kind], "5083")


def test_rule_47_neighbours_of_what_is_no_contact_stay_contacts():
    assert {code: int(meaning(code)["visit_concept_id"]) for code in CONTACTS} == CONTACTS


@pytest.mark.reference
def test_rule_47_labels_of_one_kind_mean_one_thing(reference):
    shown = {pattern: {meaning(code)["visit_concept_id"] for code in labelled(reference, pattern)} for pattern in ALIKE}
    assert shown == {pattern: {concept} for pattern, concept in ALIKE.items()}


@pytest.mark.reference
def test_rule_47_no_label_of_the_code_list_that_names_such_a_payment_gives_a_visit(reference):
    labels = labelled(reference, "")
    paid = {code for code, label in labels.items() if PAID.search(label) and not PAID_TO_OTHERS.search(label)}
    assert len(paid) > 100
    assert {labels[code] for code in paid if meaning(code)["visit_concept_id"] != "0"} == set()


def labelled(reference, pattern):
    """The codes of the code list whose label has the pattern, whatever its case, and their labels."""
    path = reference / "indsante+schema-snds" / "nomenclatures" / "ORAVAL" / "IR_NAT_V.csv"
    with path.open(newline="", encoding="utf-8") as file:
        labels = {int(row["PRS_NAT"]): row["PRS_NAT_LIB"] for row in csv.DictReader(file, delimiter=";")}
    return {code: label for code, label in labels.items() if re.search(pattern, label, re.IGNORECASE)}
