// A text as a JSON string, for replies too small to want a JSON library.
#pragma once

#include <string>
#include <string_view>

namespace sluice::control {

/// Quoted and escaped (RFC 8259 §7).
std::string json_text(std::string_view text);

}  // namespace sluice::control
