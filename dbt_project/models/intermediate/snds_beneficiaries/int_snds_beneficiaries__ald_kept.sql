{{ config(materialized='cdm_table', scope='all', changes_with=['snds_beneficiaries'], contract={'enforced': true}) }}
{{ after_scope() }}
select person_id, code, exemption, start_date, end_date
from {{ ref('int_snds_beneficiaries__ald') }}
