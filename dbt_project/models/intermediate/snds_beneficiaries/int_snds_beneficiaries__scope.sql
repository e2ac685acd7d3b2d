{{ config(materialized='ephemeral') }}
{#
    What a new reference changes: all the care of a person whose keys changed, the person-level tables of one whose
    attributes changed, the first day of an illness that changed. Nothing else, although the whole reference is delivered
    every month.
#}
{%- set kept = kept_relations(['int_snds_beneficiaries__identity_kept', 'int_snds_beneficiaries__reference_kept', 'int_snds_beneficiaries__ald_kept']) -%}
{%- if not kept or not pending_deliveries('snds_beneficiaries').any %}
select cast(null as bigint) as person_id, cast(null as date) as care_date where false
-- depends_on: {{ ref('int_snds_beneficiaries__identity') }}, {{ ref('int_snds_beneficiaries__reference') }}, {{ ref('int_snds_beneficiaries__ald') }}
{%- else %}
with identity as (
    select ben_nir_psa, coalesce(ben_rng_gem, 0) as ben_rng_gem, min(person_id) as person_id
    from {{ ref('int_snds_beneficiaries__identity') }}
    group by all
),

changed_keys as {{ differing('identity', kept[0], 'ben_nir_psa, ben_rng_gem, person_id') }},

changed_persons as {{ differing(ref('int_snds_beneficiaries__reference'), kept[1],
    'person_id, birth_year, birth_month, sex, commune, department, death_date') }},

changed_illnesses as {{ differing(ref('int_snds_beneficiaries__ald'), kept[2],
    'person_id, code, exemption, start_date, end_date') }}

select person_id, cast(null as date) as care_date from changed_keys
union
select person_id, {{ no_care_date() }} from changed_persons
union
select person_id, start_date from changed_illnesses
{%- endif %}
