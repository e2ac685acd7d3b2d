{{ config(materialized='cdm_table', scope='all', contract={'enforced': true}) }}
select
    nature.code,
    arg_min(range_of.visit_concept_id, range_of.last_code - range_of.first_code) as visit_concept_id,
    arg_min(range_of.domain, range_of.last_code - range_of.first_code) as domain
from range(10000) as nature (code)
inner join {{ ref('snds_nature') }} as range_of
    on nature.code between range_of.first_code and range_of.last_code
group by nature.code
