// asciicast v2: a line of JSON about the terminal, then one for each output: seconds since the
// beginning, "o", and the text.
//
// format   https://docs.asciinema.org/manual/asciicast/v2/
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/replay_event.h"

namespace sluice::cli {
namespace {

constexpr int columns = 120;
constexpr int rows = 40;
constexpr std::int64_t ns_per_second = 1'000'000'000;

/// What happened is shown at its time as the text printer writes it; what that holds back, such as
/// the first rows of a table, with what it was held for.
class AsciicastPrinter final : public ReplayPrinter {
 public:
  explicit AsciicastPrinter(WriteText write)
      : write_(std::move(write)),
        printer_(text_printer([this](std::string_view text) { text_ += text; })) {}

  void begin(const std::string& title, WallTime from) override {
    begin_ = last_ = from;
    write_line(nlohmann::ordered_json{{"version", 2},
                                      {"width", columns},
                                      {"height", rows},
                                      {"timestamp", from.ns / ns_per_second},
                                      {"title", visible(title)}});
    printer_->begin(title, from);
    put();
  }

  void show(const ReplayEvent& event) override {
    // Players take times in their order only.
    last_ = std::max(last_, event.time);
    printer_->show(event);
    put();
  }

  void finish() override {
    printer_->finish();
    put();
  }

 private:
  /// A terminal goes down by LF, and to the line's beginning by CR.
  void put() {
    if (text_.empty()) return;
    std::string shown;
    for (const char c : std::exchange(text_, {})) {
      if (c == '\n') shown += '\r';
      shown += c;
    }
    const double since = static_cast<double>((last_ - begin_).ns) / ns_per_second;
    write_line(nlohmann::ordered_json::array({since, "o", std::move(shown)}));
  }

  void write_line(const nlohmann::ordered_json& line) {
    using Json = nlohmann::ordered_json;
    write_(line.dump(-1, ' ', true, Json::error_handler_t::replace) + '\n');
  }

  WriteText write_;
  std::string text_;  ///< Printed, and not written yet.
  std::unique_ptr<ReplayPrinter> printer_;
  WallTime begin_;
  WallTime last_;
};

}  // namespace

std::unique_ptr<ReplayPrinter> asciicast_printer(WriteText write) {
  return std::make_unique<AsciicastPrinter>(std::move(write));
}

}  // namespace sluice::cli
