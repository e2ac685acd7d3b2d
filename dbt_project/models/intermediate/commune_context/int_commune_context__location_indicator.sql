-- Keyed to a place, never to a person (not an OMOP observation): joined when it is analysed.
select
    {{ residence_id('code_insee', 'code_departement') }} as location_id,
    code_insee,
    annee,
    population,
    densite_cat,
    fdep,
    quintile,
    revenu_median,
    pct_bacheliers,
    pct_ouvriers,
    taux_chomage,
    apl_mg,
    part_75_plus,
    pm25
from {{ ref('stg_commune_context__commune_indicators') }}
