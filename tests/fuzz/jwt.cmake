sluice_fuzz(jwt ${CMAKE_CURRENT_LIST_DIR}/jwt_fuzz.cc sluice_identity)
sluice_fuzz(jwks ${CMAKE_CURRENT_LIST_DIR}/jwks_fuzz.cc sluice_identity)
sluice_fuzz(dpop ${CMAKE_CURRENT_LIST_DIR}/dpop_fuzz.cc sluice_identity)
sluice_fuzz(introspection ${CMAKE_CURRENT_LIST_DIR}/introspection_fuzz.cc sluice_identity)
