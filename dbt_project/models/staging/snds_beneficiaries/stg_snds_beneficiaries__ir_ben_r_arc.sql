{{ beneficiary_reference(source('snds_beneficiaries', 'ir_ben_r_arc')) }}
