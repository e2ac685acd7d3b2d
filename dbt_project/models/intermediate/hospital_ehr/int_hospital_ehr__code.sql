select
    mapped.source_vocabulary_id,
    mapped.source_code,
    mapped.source_concept_id,
    mapped.target_concept_id as concept_id,
    coalesce(mapped.target_domain_id, known.domain_id) as domain_id
from {{ ref('int_hub__concept_map') }} as mapped
left join {{ ref('hospital_ehr_concept_domain') }} as known on known.concept_id = mapped.target_concept_id
