select
    patient.person_id,
    coalesce(gender.concept_id, 0) as gender_concept_id,
    cast(year(patient.birth_date) as integer) as year_of_birth,
    cast(month(patient.birth_date) as integer) as month_of_birth,
    cast(day(patient.birth_date) as integer) as day_of_birth,
    cast(patient.birth_date as timestamp) as birth_datetime,
    coalesce(race.concept_id, 0) as race_concept_id,
    coalesce(ethnicity.concept_id, 0) as ethnicity_concept_id,
    patient.location_id,
    cast(null as bigint) as provider_id,
    cast(null as bigint) as care_site_id,
    cast(null as varchar) as person_source_value,
    patient.gender as gender_source_value,
    0 as gender_source_concept_id,
    left(patient.race, 50) as race_source_value,
    0 as race_source_concept_id,
    left(patient.ethnicity, 50) as ethnicity_source_value,
    0 as ethnicity_source_concept_id
from {{ ref('int_hospital_ehr__patient') }} as patient
left join {{ ref('int_hospital_ehr__code') }} as gender
    on gender.source_vocabulary_id = 'EHR_GENDER' and gender.source_code = patient.gender
left join {{ ref('int_hospital_ehr__code') }} as race
    on race.source_vocabulary_id = 'EHR_RACE' and race.source_code = lower(patient.race)
left join {{ ref('int_hospital_ehr__code') }} as ethnicity
    on ethnicity.source_vocabulary_id = 'EHR_ETHNICITY' and ethnicity.source_code = lower(patient.ethnicity)
