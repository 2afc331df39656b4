// Faults in words, and as the status a client gets.
#include "parsers/http1/decoder.h"

namespace sluice::http1 {

std::string_view text(Fault fault) noexcept {
  switch (fault) {
    case Fault::none:
      return "none";
    case Fault::bad_request_line:
      return "bad_request_line";
    case Fault::bad_status_line:
      return "bad_status_line";
    case Fault::bad_version:
      return "bad_version";
    case Fault::bad_method:
      return "bad_method";
    case Fault::bad_target:
      return "bad_target";
    case Fault::target_too_long:
      return "target_too_long";
    case Fault::head_too_large:
      return "head_too_large";
    case Fault::too_many_fields:
      return "too_many_fields";
    case Fault::bad_field_name:
      return "bad_field_name";
    case Fault::bad_field_value:
      return "bad_field_value";
    case Fault::bare_line_feed:
      return "bare_line_feed";
    case Fault::obsolete_fold:
      return "obsolete_fold";
    case Fault::space_before_colon:
      return "space_before_colon";
    case Fault::missing_host:
      return "missing_host";
    case Fault::repeated_host:
      return "repeated_host";
    case Fault::bad_host:
      return "bad_host";
    case Fault::repeated_content_length:
      return "repeated_content_length";
    case Fault::bad_content_length:
      return "bad_content_length";
    case Fault::length_with_transfer_encoding:
      return "length_with_transfer_encoding";
    case Fault::unsupported_transfer_encoding:
      return "unsupported_transfer_encoding";
    case Fault::transfer_encoding_in_http10:
      return "transfer_encoding_in_http10";
    case Fault::body_too_large:
      return "body_too_large";
    case Fault::bad_chunk_size:
      return "bad_chunk_size";
    case Fault::bad_chunk_extension:
      return "bad_chunk_extension";
    case Fault::bad_chunk_end:
      return "bad_chunk_end";
    case Fault::bad_trailer:
      return "bad_trailer";
    case Fault::trailers_too_large:
      return "trailers_too_large";
    case Fault::bad_connection_option:
      return "bad_connection_option";
    case Fault::bad_expectation:
      return "bad_expectation";
    case Fault::disguised_field:
      return "disguised_field";
    case Fault::overridden_request:
      return "overridden_request";
    case Fault::unexpected_upgrade:
      return "unexpected_upgrade";
    case Fault::too_many_interim:
      return "too_many_interim";
    case Fault::truncated:
      return "truncated";
  }
  return "unknown";
}

std::uint16_t status_of(Fault fault) noexcept {
  switch (fault) {
    case Fault::target_too_long:
      return 414;
    case Fault::head_too_large:
    case Fault::too_many_fields:
    case Fault::trailers_too_large:
      return 431;
    case Fault::body_too_large:
      return 413;
    case Fault::bad_expectation:
      return 417;
    case Fault::unsupported_transfer_encoding:
      return 501;
    case Fault::bad_version:
      return 505;
    default:
      return 400;
  }
}

}  // namespace sluice::http1
