sluice_fuzz(proxy_protocol ${CMAKE_CURRENT_LIST_DIR}/proxy_protocol_fuzz.cc sluice_parsers)
target_include_directories(fuzz_proxy_protocol PRIVATE ${CMAKE_SOURCE_DIR}/tests/support)
