select
    patient_id,
    {{ hub_id(['person', 'patient_id']) }} as person_id,
    birth_date,
    death_date,
    gender,
    race,
    ethnicity,
    {{ home_id('city', 'county', 'state', 'postal_code') }} as location_id
from {{ ref('stg_hospital_ehr__patients') }}
