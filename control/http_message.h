// Shared by server and client of HTTP.
#pragma once

#include <cstddef>
#include <span>

#include "control/http.h"
#include "parsers/http1/message.h"

namespace sluice::control {

inline constexpr std::size_t head_bytes_max = std::size_t{16} << 10;

HttpFields copy_of(std::span<const http1::Field> fields);

}  // namespace sluice::control
