SELECT uuid_of('study' || v) AS id, starts AS date, visit.id AS patient, encounter,
'1.2.840.99999999.1.' || v AS series_uid,
    '51185008' AS bodysite_code, 'Chest' AS bodysite_description, 'DX' AS modality_code,
    'Digital Radiography' AS modality_description,
    '1.2.840.99999999.1.1.' || v AS instance_uid, '1.2.840.10008.5.1.4.1.1.1.1' AS sop_code,
    'Digital X-Ray Image Storage' AS sop_description, '399208008' AS procedure_code
FROM visit WHERE percent('imaged', v, 2) ORDER BY i, v
