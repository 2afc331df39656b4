sluice_fuzz(saml ${CMAKE_CURRENT_LIST_DIR}/saml_fuzz.cc sluice_saml)
