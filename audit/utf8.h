// UTF-8 as far as records need it: is it valid, and where may it be cut.
#pragma once

#include <cstring>

#include "base/bytes.h"

namespace sluice::audit {

/// RFC 3629 §4: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

/// The longest prefix of at most `bytes_max` bytes that splits no character.
std::string_view cut_utf8(std::string_view text, std::size_t bytes_max) noexcept;

}  // namespace sluice::audit
