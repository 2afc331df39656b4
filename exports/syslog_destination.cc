#include "exports/syslog_destination.h"

#include <fmt/format.h>

#include "exports/syslog_message.h"

namespace sluice::exports {

std::string SyslogDestination::frame(const ExportedRecord& record, std::string line) const {
  return syslog_message(record, host_, line);
}

Result<void, SendError> SyslogDestination::send(const Batch& batch) {
  if (!stream_ || stream_->is_over()) {
    stream_.reset();
    if (auto done = connect(); !done) return tl::unexpected(done.error());
  }
  auto done = stream_->write(batch.frames);
  if (done) done = stream_->wait_for_acknowledgement();
  if (done) return {};
  stream_.reset();
  return tl::unexpected(done.error());
}

/// To the first address that answers.
Result<void> SyslogDestination::connect() {
  constexpr Duration timeout = seconds(10);
  const StreamTls tls{settings_.ca_file, settings_.server_name};
  std::string why;
  for (const config::SocketAddress& address : settings_.addresses) {
    auto stream = Stream::connect(address, settings_.server_name.empty() ? nullptr : &tls, timeout);
    if (stream) {
      stream_ = std::move(*stream);
      return {};
    }
    why += fmt::format("{}{}:{}: {}", why.empty() ? "" : "; ", address.host, address.port,
                       stream.error().message);
  }
  return fail(why);
}

}  // namespace sluice::exports
