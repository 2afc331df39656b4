sluice_fuzz(postgres ${CMAKE_CURRENT_LIST_DIR}/postgres_fuzz.cc sluice_parsers)
target_include_directories(fuzz_postgres PRIVATE ${CMAKE_SOURCE_DIR}/tests/support)
