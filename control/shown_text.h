// A text of somebody else's, as a terminal may show it.
#pragma once

#include <string>
#include <string_view>

namespace sluice::control {

/// What a terminal would act on, or what would let a text look like another one (controls,
/// marks of direction, characters without width), is written as \u{…}.
std::string shown_text(std::string_view text);

}  // namespace sluice::control
