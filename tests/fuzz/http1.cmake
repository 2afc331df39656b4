sluice_fuzz(http1 ${CMAKE_CURRENT_LIST_DIR}/http1_fuzz.cc sluice_parsers)
target_include_directories(fuzz_http1 PRIVATE ${CMAKE_SOURCE_DIR}/tests/support)
