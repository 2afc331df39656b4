sluice_fuzz(sql ${CMAKE_CURRENT_LIST_DIR}/sql_fuzz.cc sluice_sql)
