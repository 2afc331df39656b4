// The one program: parses the command line and hands over to a verb.
#ifndef SLUICE_SANITIZED
#include <mimalloc-new-delete.h>
#endif

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string_view>

#include "audit/signer_process.h"
#include "cli/arguments.h"
#include "saml/reader_process.h"

int main(int argc, char** argv) {
  using namespace sluice::cli;
  try {
    // The gateway runs this program again, under another name.
    if (argc > 0 && argv[0] == std::string_view(sluice::audit::signer_process_name)) {
      return sluice::audit::signer_main(argc, argv);
    }
    if (argc > 0 && argv[0] == std::string_view(sluice::saml::reader_process_name)) {
      sluice::saml::reader_main();
    }
    const auto parsed = parse_arguments(argc, argv);
    if (const auto* code = std::get_if<ExitCode>(&parsed)) return static_cast<int>(*code);
    const ExitCode code =
        std::visit([](const auto& options) { return perform(options); }, std::get<Command>(parsed));
    return static_cast<int>(code);
  } catch (const std::exception& fault) {
    // Libraries used off the data path may throw; the operator gets words, not an abort.
    fmt::print(stderr, "sluice: {}\n", fault.what());
    return static_cast<int>(ExitCode::failed);
  }
}
