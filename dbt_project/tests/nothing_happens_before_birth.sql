{# By year: the month and day of birth are not always granted. #}
with early as (
    {%- for table, (key, start, end) in dict(dated_tables(), death=('person_id', 'death_date', none)).items() %}
    select '{{ table }}' as cdm_table, count(*) as broken, {{ rows_of(table) }} as known
    from {{ recomputed(table) }}
    inner join {{ ref('person') }} as person using (person_id)
    where year({{ start }}) < person.year_of_birth
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select * from early where broken > 0
