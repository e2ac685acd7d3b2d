{{ config(materialized='cdm_table', scope='all', changes_with=['snds_beneficiaries'], contract={'enforced': true}) }}
{{ after_scope() }}
-- The archive and the reference may both hold a key: it designates one person, under one number or two.
select
    ben_nir_psa,
    coalesce(ben_rng_gem, 0) as ben_rng_gem,
    min(person_id) as person_id,
    min(own_number) as own_number,
    case when max(own_number) <> min(own_number) then max(own_number) end as other_number
from {{ ref('int_snds_beneficiaries__identity') }}
group by ben_nir_psa, coalesce(ben_rng_gem, 0)
