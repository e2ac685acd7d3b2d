{#
    A named instant of a model where a test may kill dbt, to prove that a crash loses nothing: `before` its first write,
    `inside` its transaction, `after` the commit. Costs nothing unless HDH_CRASH_AT names it.
#}
{% macro crash_point(moment) %}
    {% set name = 'standardise.' ~ model.name ~ '.' ~ moment %}
    {% if env_var('HDH_CRASH_AT', '') == name %}{% do run_query("select crash_point('" ~ name ~ "')") %}{% endif %}
{% endmacro %}
