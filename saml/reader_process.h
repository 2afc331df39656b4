// The reader process: takes one message, answers it and ends. It is given no key that signs
// anything, no configuration and no file, and whatever a response does to it ends with it.
#pragma once

namespace sluice::saml {

/// Its name, as `ps` shows it; who runs under this name must call `reader_main`.
inline constexpr const char* reader_process_name = "sluice-saml";
/// Where the gateway leaves its end of the socket.
inline constexpr int reader_socket = 3;

/// For `main`.
[[noreturn]] void reader_main();

}  // namespace sluice::saml
