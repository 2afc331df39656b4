sluice_fuzz(scram ${CMAKE_CURRENT_LIST_DIR}/scram_fuzz.cc sluice_identity)
