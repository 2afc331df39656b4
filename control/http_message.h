// Shared by server and client: reading one message from a blocking socket.
#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "control/descriptor.h"
#include "control/http.h"
#include "parsers/http1/message.h"

namespace sluice::control {

inline constexpr std::size_t head_bytes_max = std::size_t{16} << 10;

/// Appends what one read brings. 0: the peer closed.
Result<std::size_t> read_some(const Descriptor& socket, std::string& unread);
Result<void> write_all(const Descriptor& socket, ByteView bytes);

HttpFields copy_of(std::span<const http1::Field> fields);

}  // namespace sluice::control
