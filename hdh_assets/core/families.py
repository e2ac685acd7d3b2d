"""The seventeen source families of the catalogue in both languages, by folder name under `hdh_assets/sources/`."""

from __future__ import annotations

from hdh_assets.core.column import Text

FAMILIES: dict[str, Text] = {
    name: Text(en=english, fr=french)
    for name, english, french in (
        ("snds", "National health data system (SNDS)", "Système national des données de santé (SNDS)"),
        ("snds_satellite", "Satellite systems of the SNDS", "Systèmes-fils du SNDS"),
        ("cohort", "National cohorts", "Grandes cohortes nationales"),
        ("registry", "Disease registries", "Registres épidémiologiques"),
        ("hospital", "Hospital patient records", "Dossier patient informatisé hospitalier"),
        ("general_practice", "Community practices", "Cabinets de médecine de ville"),
        ("pharmacy_record", "Pharmacy records", "Dossier pharmaceutique"),
        ("genomics", "Genomics", "Génomique"),
        ("patient_reported", "Patient-reported outcomes and experience", "Évaluation par les patients"),
        ("imaging", "Community imaging", "Imagerie de ville"),
        ("laboratory", "Medical laboratories", "Laboratoires de biologie médicale"),
        ("context", "Context and practices", "Données contextuelles et de pratiques"),
        ("shared_record", "Shared medical record and Mon espace santé", "DMP et Mon espace santé"),
        ("telemedicine", "Telemedicine and connected devices", "Télémédecine et dispositifs connectés"),
        ("regional", "Regional care pathways", "Données régionales sur le parcours"),
        ("medico_social", "Medico-social care", "Médico-social"),
        ("occupational", "Occupational health records", "Dossier médical en santé au travail"),
    )
}
