// The gateway's side of a reader process.
#pragma once

#include <string>
#include <string_view>

namespace sluice::saml {

/// Runs this program again, as a reader, for this one message, and waits for its answer: some
/// seconds at the most. Blocks. Thread-safe.
/// returns  the answer, or nothing when there was none.
std::string ask_reader(std::string_view message);

/// The same of a reader that was started already, at the other end of the socket.
std::string converse(int socket, std::string_view message);

}  // namespace sluice::saml
