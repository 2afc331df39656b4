sluice_fuzz(audit_record audit_record_fuzz.cc sluice_audit)
sluice_fuzz(audit_segment audit_segment_fuzz.cc sluice_audit)
sluice_fuzz(audit_note audit_note_fuzz.cc sluice_audit)
sluice_fuzz(audit_signer audit_signer_fuzz.cc sluice_audit)
