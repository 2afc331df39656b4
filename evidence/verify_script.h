// verify.py, which each package carries.
#pragma once

#include <string_view>

namespace sluice::evidence {

std::string_view verify_script() noexcept;

}  // namespace sluice::evidence
