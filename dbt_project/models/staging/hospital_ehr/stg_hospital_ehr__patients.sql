select
    id as patient_id,
    birthdate as birth_date,
    deathdate as death_date,
    marital,
    race,
    ethnicity,
    gender,
    city,
    state,
    county,
    zip as postal_code,
    healthcare_expenses,
    healthcare_coverage
from {{ source('hospital_ehr', 'patients') }}
