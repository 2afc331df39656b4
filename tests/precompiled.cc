// The one source of sluice_test_main that uses the precompiled header. Without
// it CMake 3.25 does not write the header's file when it configures for the
// first time, and the tests that reuse it fail to generate.
