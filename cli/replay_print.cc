#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "audit/utf8.h"
#include "base/text_codec.h"
#include "base/timestamp.h"
#include "cli/replay_event.h"

namespace sluice::cli {

std::string visible(std::string_view text, bool lines) {
  const bool is_text = audit::is_utf8(text);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (lines && byte == '\r' && next == '\n') continue;
    if (lines && byte == '\n') {
      out += '\n';
    } else if (byte < 0x20 || byte == 0x7f || (!is_text && byte >= 0x80)) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    } else if (is_text && byte == 0xc2 && next < 0xa0) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", next);
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

namespace {

using Kind = ReplayEvent::Kind;

/// Rows that are looked at for how wide columns are.
constexpr std::size_t rows_held = 100;
constexpr std::size_t column_width_max = 60;

/// Characters, not bytes.
std::size_t width_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

nlohmann::json text_json(const std::string& text) {
  if (audit::is_utf8(text)) return text;
  return {{"hex", to_hex(as_bytes(text))}};
}

class JsonPrinter final : public ReplayPrinter {
 public:
  explicit JsonPrinter(WriteText write) : write_(std::move(write)) {}

  void show(const ReplayEvent& event) override {
    nlohmann::ordered_json line;
    if (event.time.ns != 0) line["time"] = timestamp_text(event.time, 9);
    line["kind"] = name_of(event.kind);
    if (event.operation != 0) line["operation"] = event.operation;
    if (event.kind == Kind::columns || event.kind == Kind::row) {
      auto values = nlohmann::json::array();
      for (const auto& value : event.values) {
        values.push_back(value ? text_json(*value) : nlohmann::json());
      }
      line[event.kind == Kind::columns ? "columns" : "values"] = std::move(values);
    }
    if (!event.text.empty()) line["text"] = text_json(event.text);
    for (const auto& [name, value] : event.fields) line[name] = text_json(value);
    // In ASCII only: so nothing in it is for a terminal to act on.
    write_(line.dump(-1, ' ', true) + '\n');
  }

 private:
  WriteText write_;
};

class TextPrinter final : public ReplayPrinter {
 public:
  explicit TextPrinter(WriteText write) : write_(std::move(write)) {}

  void begin(const std::string& title, WallTime /*from*/) override {
    print("{}\n", visible(title));
  }

  void show(const ReplayEvent& event) override {
    if (event.kind != Kind::row) flush_rows();
    if (event.kind != Kind::request_body && event.kind != Kind::response_body) end_line();
    switch (event.kind) {
      case Kind::statement:
        return print_line(event, visible(event.text));
      case Kind::copied_in:
        return print_line(event, fmt::format("COPY sent {} bytes", visible(event.text)));
      case Kind::columns:
        columns_.clear();
        for (const auto& name : event.values) columns_.push_back(visible(name.value_or("")));
        has_header_ = true;
        widths_.clear();
        return;
      case Kind::row:
        return add_row(event);
      case Kind::complete:
        if (has_header_ && event.text.starts_with("SELECT")) print_header();
        print("({})\n", visible(event.text));
        has_header_ = false;
        return;
      case Kind::error:
      case Kind::notice:
        return print_report(event);
      case Kind::notification:
        return print_line(event, fmt::format("notification on {}: {}", field(event, "channel"),
                                             field(event, "payload")));
      case Kind::copy_data:
        return print("{}\n", visible(std::string_view(event.text)
                                         .substr(0, event.text.size() -
                                                        (event.text.ends_with('\n') ? 1 : 0))));
      case Kind::request:
      case Kind::response:
        print_line(event, event.kind == Kind::request ? "request" : "response");
        return print("{}", visible(event.text, true));
      case Kind::request_body:
      case Kind::response_body: {
        const std::string shown = visible(event.text, true);
        print("{}", shown);
        is_in_line_ = !shown.ends_with('\n');
        return;
      }
    }
  }

  void finish() override {
    flush_rows();
    end_line();
  }

 private:
  template <class... Values>
  void print(fmt::format_string<Values...> format, Values&&... values) {
    write_(fmt::format(format, std::forward<Values>(values)...));
  }

  static std::string field(const ReplayEvent& event, std::string_view name) {
    const auto found = std::ranges::find(
        event.fields, name, [](const auto& one) -> std::string_view { return one.first; });
    return found == event.fields.end() ? std::string() : visible(found->second);
  }

  void print_line(const ReplayEvent& event, const std::string& text) {
    print("{} [{}] {}\n", timestamp_text(event.time, 3), event.operation, text);
  }

  void end_line() {
    if (std::exchange(is_in_line_, false)) print("\n");
  }

  void print_report(const ReplayEvent& event) {
    print("{} {}: {}\n", field(event, "severity"), field(event, "code"), field(event, "message"));
    for (const std::string_view name : {"detail", "hint"}) {
      if (const std::string text = field(event, name); !text.empty()) {
        print("  {}: {}\n", name, text);
      }
    }
  }

  void add_row(const ReplayEvent& event) {
    std::vector<std::string> row;
    for (const auto& value : event.values) row.push_back(value ? visible(*value) : "NULL");
    rows_.push_back(std::move(row));
    if (rows_.size() >= rows_held || !widths_.empty()) flush_rows();
  }

  void flush_rows() {
    if (rows_.empty()) return;
    if (has_header_) print_header();
    for (const auto& row : rows_) print_row(row);
    rows_.clear();
  }

  void print_header() {
    has_header_ = false;
    widths_.assign(columns_.size(), 1);
    const auto widen = [this](const std::vector<std::string>& row) {
      for (std::size_t i = 0; i < std::min(row.size(), widths_.size()); ++i) {
        widths_[i] = std::max(widths_[i], std::min(width_of(row[i]), column_width_max));
      }
    };
    widen(columns_);
    for (const auto& row : rows_) widen(row);
    print_row(columns_);
    std::string rule;
    for (const std::size_t width : widths_) {
      if (!rule.empty()) rule += '+';
      rule.append(width + 2, '-');
    }
    print("{}\n", rule);
  }

  void print_row(const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += i == 0 ? " " : " | ";
      line += row[i];
      const std::size_t width = width_of(row[i]);
      const bool is_last = i + 1 == row.size();
      if (!is_last && i < widths_.size() && width < widths_[i])
        line.append(widths_[i] - width, ' ');
    }
    print("{}\n", line);
  }

  WriteText write_;
  std::vector<std::string> columns_;
  std::vector<std::size_t> widths_;  ///< Empty: the header was not printed yet.
  std::vector<std::vector<std::string>> rows_;
  bool has_header_ = false;
  bool is_in_line_ = false;
};

}  // namespace

std::string_view name_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::statement:
      return "statement";
    case Kind::copied_in:
      return "copied_in";
    case Kind::columns:
      return "columns";
    case Kind::row:
      return "row";
    case Kind::complete:
      return "complete";
    case Kind::error:
      return "error";
    case Kind::notice:
      return "notice";
    case Kind::notification:
      return "notification";
    case Kind::copy_data:
      return "copy_data";
    case Kind::request:
      return "request";
    case Kind::request_body:
      return "request_body";
    case Kind::response:
      return "response";
    case Kind::response_body:
      return "response_body";
  }
  return "unknown";
}

std::unique_ptr<ReplayPrinter> json_printer(WriteText write) {
  return std::make_unique<JsonPrinter>(std::move(write));
}

std::unique_ptr<ReplayPrinter> text_printer(WriteText write) {
  return std::make_unique<TextPrinter>(std::move(write));
}

}  // namespace sluice::cli
