{{ config(materialized='ephemeral') }}
{#
    Persons and dates of care touched by fluxes that entered or left the current set: those of the lines that come, under the
    new reference, and those of the contributions that go, under the one they were made with. Of a flux that only lost
    rows of persons who objected, those persons alone.
#}
-- depends_on: {{ ref('int_snds_dcir__line') }}, {{ ref('int_snds_beneficiaries__identity') }}, {{ ref('stg_snds_dcir__er_prs_f') }}
{%- set kept = kept_relations(['int_snds_dcir__contribution', 'int_snds_beneficiaries__identity_kept']) -%}
{%- set pending = pending_deliveries('snds_dcir', apart=true) -%}
{%- if not kept or not pending.any %}
select cast(null as bigint) as person_id, cast(null as date) as care_date where false
{%- else %}
select distinct identity.person_id, line.care_start as care_date
from {{ ref('int_snds_dcir__line') }} as line
inner join {{ ref('int_snds_beneficiaries__identity') }} as identity
    on identity.ben_nir_psa = line.ben_nir_psa and coalesce(identity.ben_rng_gem, 0) = coalesce(line.ben_rng_gem, 0)
where line.care_start is not null and {{ 'line._delivery in (' ~ pending.added ~ ')' if pending.added else 'false' }}
{%- if pending.touched %}
union
select distinct identity.person_id, contribution.care_start
from {{ kept[0] }} as contribution
inner join {{ kept[1] }} as identity using (ben_nir_psa, ben_rng_gem)
where contribution._delivery in ({{ pending.touched }})
{%- endif %}
{%- if pending.thinned %}
union
select distinct identity.person_id, contribution.care_start
from {{ kept[0] }} as contribution
inner join {{ kept[1] }} as identity using (ben_nir_psa, ben_rng_gem)
where
    contribution._delivery in ({{ pending.thinned }})
    and (_delivery, ben_nir_psa, ben_rng_gem) in (
        {{ keys_gone(kept[0], 'ben_nir_psa, ben_rng_gem', ref('stg_snds_dcir__er_prs_f'), 'ben_nir_psa, coalesce(ben_rng_gem, 0)', pending.thinned) }}
    )
{%- endif %}
{%- endif %}
