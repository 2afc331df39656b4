sluice_fuzz(masker ${CMAKE_CURRENT_LIST_DIR}/masker_fuzz.cc sluice_matcher sluice_naive_masker)
