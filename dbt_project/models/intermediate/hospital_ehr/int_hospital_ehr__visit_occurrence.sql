select
    visit_occurrence_id,
    person_id,
    visit_concept_id,
    cast(visit_start_at as date) as visit_start_date,
    visit_start_at as visit_start_datetime,
    cast(visit_end_at as date) as visit_end_date,
    visit_end_at as visit_end_datetime,
    32827 as visit_type_concept_id,
    provider_id,
    care_site_id,
    left(encounter_class, 50) as visit_source_value,
    0 as visit_source_concept_id,
    cast(null as integer) as admitted_from_concept_id,
    cast(null as varchar) as admitted_from_source_value,
    cast(null as integer) as discharged_to_concept_id,
    cast(null as varchar) as discharged_to_source_value,
    cast(null as bigint) as preceding_visit_occurrence_id
from {{ ref('int_hospital_ehr__encounter') }}
where is_first_of_visit
