# Language level, warnings, sanitizers and build options shared by every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

option(SLUICE_BUILD_TESTS "Build the tests" ON)
option(SLUICE_BUILD_BENCH "Build the benchmarks" OFF)
option(SLUICE_FUZZ "Build fuzz targets with libFuzzer instead of the replay driver" OFF)
set(SLUICE_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. address,undefined")

# x86-64-v3 (AVX2, BMI): every dedicated gateway host of the last ten years.
# Wider vectors are chosen at run time.
add_compile_options(-march=x86-64-v3)
add_compile_options(
  -Wall -Wextra -Wpedantic -Werror
  -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference
  -Wimplicit-fallthrough -Wformat=2)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wlogical-op -Wduplicated-cond -fno-semantic-interposition)
else()
  add_compile_options(-Wreserved-identifier)  # for nothing; clang-tidy's check of it is dear
endif()

if(SLUICE_SANITIZE)
  add_compile_options(-fsanitize=${SLUICE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SLUICE_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 reports false positives in libstdc++ when sanitizers change inlining.
    add_compile_options(-Wno-maybe-uninitialized -Wno-null-dereference -Wno-stringop-overflow
                        -Wno-array-bounds -Wno-restrict)
  endif()
endif()
if(SLUICE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(SLUICE_MOLD mold)
if(SLUICE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_program(SLUICE_CCACHE ccache)
if(SLUICE_CCACHE)
  # Two checkouts share what both compile: paths below one's root are taken as relative.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${SLUICE_CCACHE})
endif()
