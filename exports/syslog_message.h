// source   RFC 5424 (message), RFC 6587 §3.4.1 and RFC 5425 §4.3 (octet counting).
#pragma once

#include <string>
#include <string_view>

#include "exports/exported_record.h"

namespace sluice::exports {

/// A record's line as one syslog message in its frame, of the facility "log audit".
/// host  of the header: the log's origin.
std::string syslog_message(const ExportedRecord& record, std::string_view host,
                           std::string_view line);

}  // namespace sluice::exports
