sluice_fuzz(postgres_session ${CMAKE_CURRENT_LIST_DIR}/postgres_session_fuzz.cc sluice_dataplane)
target_include_directories(fuzz_postgres_session PRIVATE ${CMAKE_SOURCE_DIR}/tests/support ${CMAKE_SOURCE_DIR}/tests/sim/postgres)
