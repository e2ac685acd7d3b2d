select
    person_id,
    coalesce(gender.target_concept_id, 0) as gender_concept_id,
    birth_year as year_of_birth,
    birth_month as month_of_birth,
    cast(null as integer) as day_of_birth,
    cast(null as timestamp) as birth_datetime,
    0 as race_concept_id,
    0 as ethnicity_concept_id,
    {{ residence_id('commune', 'department') }} as location_id,
    cast(null as bigint) as provider_id,
    cast(null as bigint) as care_site_id,
    cast(null as varchar) as person_source_value,
    sex as gender_source_value,
    case when sex is not null then 0 end as gender_source_concept_id,
    cast(null as varchar) as race_source_value,
    cast(null as integer) as race_source_concept_id,
    cast(null as varchar) as ethnicity_source_value,
    cast(null as integer) as ethnicity_source_concept_id
from {{ ref('int_snds_beneficiaries__reference_kept') }} as reference
left join {{ ref('int_hub__concept_map') }} as gender
    on gender.source_vocabulary_id = 'FR_SEX' and gender.source_code = reference.sex
