sluice_fuzz(json ${CMAKE_CURRENT_LIST_DIR}/json_fuzz.cc sluice_matcher sluice_naive_masker nlohmann_json::nlohmann_json)
