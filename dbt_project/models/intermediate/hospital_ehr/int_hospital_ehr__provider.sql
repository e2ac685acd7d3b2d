select
    practitioner.provider_id,
    cast(null as varchar) as provider_name,
    cast(null as varchar) as npi,
    cast(null as varchar) as dea,
    case when practitioner.specialty is not null then coalesce(specialty.concept_id, 0) end as specialty_concept_id,
    organization.care_site_id,
    cast(null as integer) as year_of_birth,
    case when practitioner.gender is not null then coalesce(gender.concept_id, 0) end as gender_concept_id,
    cast(null as varchar) as provider_source_value,
    left(practitioner.specialty, 50) as specialty_source_value,
    case when practitioner.specialty is not null then coalesce(specialty.source_concept_id, 0) end
        as specialty_source_concept_id,
    practitioner.gender as gender_source_value,
    case when practitioner.gender is not null then 0 end as gender_source_concept_id
from {{ ref('int_hospital_ehr__practitioner') }} as practitioner
left join {{ ref('int_hospital_ehr__organization') }} as organization using (organization_id)
left join {{ ref('int_hospital_ehr__code') }} as specialty
    on specialty.source_vocabulary_id = 'EHR_SPECIALTY' and specialty.source_code = practitioner.specialty
left join {{ ref('int_hospital_ehr__code') }} as gender
    on gender.source_vocabulary_id = 'EHR_GENDER' and gender.source_code = practitioner.gender
