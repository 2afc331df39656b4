// A database session's items as statements, rows and what else came back.
#include "base/text_codec.h"
#include "cli/replay_event.h"
#include "parsers/postgres/backend.h"
#include "parsers/postgres/header.h"

namespace sluice::cli {
namespace {

using postgres::BackendType;
using recordings::ItemKind;
using Kind = ReplayEvent::Kind;

/// Names of a report's parts that people look for; others keep their letter.
std::string report_field_name(std::uint8_t code) {
  switch (code) {
    case 'V':
      return "severity";
    case 'C':
      return "code";
    case 'M':
      return "message";
    case 'D':
      return "detail";
    case 'H':
      return "hint";
    default:
      return {static_cast<char>(code)};
  }
}

class PostgresReplay final : public ReplayDecoder {
 public:
  bool add(const recordings::Item& item, const ReplaySink& sink) override {
    ReplayEvent event;
    event.time = {item.time_ns};
    event.operation = item.operation;
    switch (item.kind) {
      case ItemKind::statement:
      case ItemKind::copied_in:
        event.kind = item.kind == ItemKind::statement ? Kind::statement : Kind::copied_in;
        event.text = as_text(item.content);
        sink(event);
        return true;
      case ItemKind::columns:
      case ItemKind::messages:
        pending_.clear();
        break;
      case ItemKind::messages_rest:
        break;
      default:
        return false;
    }
    pending_.insert(pending_.end(), item.content.begin(), item.content.end());
    return cut(event, sink);
  }

 private:
  /// Takes all that is whole; the rest of a message may follow.
  bool cut(const ReplayEvent& origin, const ReplaySink& sink) {
    std::size_t taken = 0;
    for (;;) {
      const ByteView rest = ByteView(pending_).subspan(taken);
      const auto step = decode_header(postgres::Side::backend, rest);
      if (step.kind == postgres::HeaderStep::Kind::malformed) return false;
      if (step.kind == postgres::HeaderStep::Kind::needs_more ||
          step.header.message_bytes() > rest.size()) {
        break;
      }
      ReplayEvent event = origin;
      const ByteView body = rest.subspan(postgres::header_bytes,
                                         step.header.message_bytes() - postgres::header_bytes);
      if (!decode(step.header.backend(), body, event)) return false;
      sink(event);
      taken += step.header.message_bytes();
    }
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken));
    return true;
  }

  bool decode(BackendType type, ByteView body, ReplayEvent& event) {
    switch (type) {
      case BackendType::row_description:
        return decode_columns(body, event);
      case BackendType::data_row:
        return decode_row(body, event);
      case BackendType::command_complete: {
        const auto complete = postgres::decode_command_complete(body);
        event.kind = Kind::complete;
        if (complete) event.text = complete->tag;
        return complete.has_value();
      }
      case BackendType::empty_query_response:
        event.kind = Kind::complete;
        event.text = "(empty)";
        return true;
      case BackendType::portal_suspended:
        event.kind = Kind::complete;
        event.text = "(suspended)";
        return true;
      case BackendType::error_response:
      case BackendType::notice_response:
        event.kind = type == BackendType::error_response ? Kind::error : Kind::notice;
        return decode_report(body, event);
      case BackendType::notification_response: {
        const auto notification = postgres::decode_notification_response(body);
        event.kind = Kind::notification;
        if (notification) {
          event.fields = {{"channel", std::string(notification->channel)},
                          {"payload", std::string(notification->payload)}};
        }
        return notification.has_value();
      }
      case BackendType::copy_data:
        event.kind = Kind::copy_data;
        event.text = as_text(body);
        return true;
      case BackendType::function_call_response: {
        const auto value = postgres::decode_function_call_response(body);
        event.kind = Kind::row;
        if (value) event.values = {*value ? std::optional("\\x" + to_hex(**value)) : std::nullopt};
        return value.has_value();
      }
      default:
        return false;
    }
  }

  bool decode_columns(ByteView body, ReplayEvent& event) {
    const auto fields = postgres::decode_row_description(body);
    if (!fields) return false;
    event.kind = Kind::columns;
    formats_.clear();
    for (const postgres::Field& field : *fields) {
      event.values.emplace_back(std::string(field.name));
      formats_.push_back(field.format);
    }
    return true;
  }

  bool decode_row(ByteView body, ReplayEvent& event) {
    const auto values = postgres::decode_data_row(body);
    if (!values) return false;
    event.kind = Kind::row;
    std::size_t column = 0;
    for (const postgres::Value& value : *values) {
      const bool is_binary =
          column < formats_.size() && formats_[column] == postgres::Format::binary;
      ++column;
      if (!value) {
        event.values.emplace_back(std::nullopt);
      } else {
        event.values.emplace_back(is_binary ? "\\x" + to_hex(*value)
                                            : std::string(as_text(*value)));
      }
    }
    return true;
  }

  static bool decode_report(ByteView body, ReplayEvent& event) {
    const auto report = postgres::decode_report(body);
    if (!report) return false;
    for (const postgres::ReportField& field : report->fields) {
      event.fields.emplace_back(report_field_name(field.code), std::string(field.text));
    }
    return true;
  }

  std::vector<std::uint8_t> pending_;
  std::vector<postgres::Format> formats_;
};

}  // namespace

std::unique_ptr<ReplayDecoder> postgres_replay() {
  return std::make_unique<PostgresReplay>();
}

}  // namespace sluice::cli
