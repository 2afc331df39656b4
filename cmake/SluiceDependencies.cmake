# Every outside library, once, as an imported target. Why each is here:
# docs/decisions/0002-dependencies.md.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CURL 7.85 REQUIRED)
find_package(fmt REQUIRED)
find_package(tl-expected REQUIRED)
pkg_check_modules(uring REQUIRED IMPORTED_TARGET liburing>=2.3)
pkg_check_modules(hyperscan REQUIRED IMPORTED_TARGET libhs)
pkg_check_modules(rdkafka REQUIRED IMPORTED_TARGET rdkafka>=2.0)
pkg_check_modules(zip REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(p11kit REQUIRED IMPORTED_TARGET p11-kit-1>=0.24)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(xml REQUIRED IMPORTED_TARGET libxml-2.0>=2.9.14)
pkg_check_modules(xmlsec REQUIRED IMPORTED_TARGET xmlsec1-openssl>=1.2.37)
pkg_check_modules(sqlite REQUIRED IMPORTED_TARGET sqlite3>=3.37)
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1)
find_package(mimalloc REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)

# libpg_query has neither pkg-config nor CMake files. The static library: the program
# must not meet another version of it where it runs.
find_library(SLUICE_PG_QUERY_LIBRARY NAMES libpg_query.a REQUIRED)
find_path(SLUICE_PG_QUERY_INCLUDE pg_query.h REQUIRED)
add_library(pg_query::pg_query STATIC IMPORTED)
set_target_properties(pg_query::pg_query PROPERTIES
  IMPORTED_LOCATION ${SLUICE_PG_QUERY_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${SLUICE_PG_QUERY_INCLUDE}
  INTERFACE_LINK_LIBRARIES "Threads::Threads;m")

# Debian also ships Vectorscan under the same pkg-config name and API. The
# versions it has lose matches on AVX-512, so only Intel's 5.4.0–5.4.2 will do;
# the known-answer self-test at start catches what a version check cannot.
if(NOT hyperscan_VERSION MATCHES "^5\\.4\\.[0-2]$")
  message(FATAL_ERROR "Hyperscan 5.4.0–5.4.2 is needed (Debian: libhyperscan-dev), found ${hyperscan_VERSION}")
endif()
