{{ config(materialized='cdm_table', scope='all', changes_with=['snds_beneficiaries'], contract={'enforced': true}) }}
{{ after_scope() }}
select person_id, birth_year, birth_month, sex, commune, department, death_date
from {{ ref('int_snds_beneficiaries__reference') }}
