select
    source_vocabulary_id,
    source_code,
    source_concept_id,
    target_concept_id as concept_id,
    target_domain_id as domain_id
from {{ ref('int_hub__concept_map') }}
