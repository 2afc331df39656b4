// Values in PostgreSQL's binary formats, as its text format would show them.
#pragma once

#include <string>

#include "base/bytes.h"

namespace sluice::dataplane {

/// Empty: it is none.
std::string numeric_text(ByteView value);
/// Of an inet or cidr, without the bits of its net. Empty: it is none.
std::string address_text(ByteView value);

}  // namespace sluice::dataplane
