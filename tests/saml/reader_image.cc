// The reader as a program, for tests that need a process in which nothing happened before.
#ifndef SLUICE_SANITIZED
#include <mimalloc-new-delete.h>
#endif

#include "saml/reader_process.h"

int main() {
  sluice::saml::reader_main();
}
