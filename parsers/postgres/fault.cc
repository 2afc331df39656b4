// Faults in words.
#include "parsers/postgres/message.h"

namespace sluice::postgres {

std::string_view text(Fault fault) noexcept {
  switch (fault) {
    case Fault::none:
      return "none";
    case Fault::unknown_message:
      return "unknown_message";
    case Fault::bad_length:
      return "bad_length";
    case Fault::unsupported_version:
      return "unsupported_version";
    case Fault::missing_user:
      return "missing_user";
    case Fault::repeated_parameter:
      return "repeated_parameter";
    case Fault::too_many_parameters:
      return "too_many_parameters";
    case Fault::truncated:
      return "truncated";
    case Fault::trailing_bytes:
      return "trailing_bytes";
    case Fault::unterminated_text:
      return "unterminated_text";
    case Fault::bad_count:
      return "bad_count";
    case Fault::bad_value_length:
      return "bad_value_length";
    case Fault::bad_format:
      return "bad_format";
    case Fault::bad_kind:
      return "bad_kind";
    case Fault::bad_transaction_status:
      return "bad_transaction_status";
    case Fault::bad_mechanisms:
      return "bad_mechanisms";
  }
  return "?";
}

}  // namespace sluice::postgres
