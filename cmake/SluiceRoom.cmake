# sluice_room(NAME SOURCES a.cc … ROOMS base … LIBRARIES PkgConfig::x …)
#
# One room is one static library `sluice_NAME`. Its headers are reached as
# "NAME/header.h" through a link directory of its own, so a room sees the
# rooms it names and what their headers need; an include of any other does not
# compile. scripts/check_structure.py narrows that to the rooms it names.
function(sluice_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;ROOMS;LIBRARIES" ${ARGN})
  set(view ${CMAKE_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${view}/${name} SYMBOLIC)

  set(target sluice_${name})
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope} ${view})
  list(TRANSFORM ARG_ROOMS PREPEND sluice_)
  target_link_libraries(${target} ${scope} ${ARG_ROOMS} ${ARG_LIBRARIES})
endfunction()
