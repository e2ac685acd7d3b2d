{{ config(materialized='cdm_table', scope='all', changes_with=['snds_beneficiaries'], contract={'enforced': true}) }}
{{ after_scope() }}
-- The archive and the reference may both hold a key: it designates one person.
select ben_nir_psa, coalesce(ben_rng_gem, 0) as ben_rng_gem, min(person_id) as person_id
from {{ ref('int_snds_beneficiaries__identity') }}
group by all
