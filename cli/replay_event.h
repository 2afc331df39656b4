// What a replay shows, one thing after the other, made from a recording's items.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/instant.h"
#include "recordings/item.h"

namespace sluice::cli {

struct ReplayEvent {
  enum class Kind : std::uint8_t {
    statement,
    copied_in,
    columns,  ///< Values: the names of what comes in rows.
    row,      ///< Values: nothing is NULL.
    complete,
    error,  ///< Fields.
    notice,
    notification,
    copy_data,
    request,
    request_body,
    response,
    response_body,
  };
  Kind kind = Kind::statement;
  WallTime time;  ///< 0: repeated from before where the replay begins.
  std::uint64_t operation = 0;
  std::string text;
  std::vector<std::optional<std::string>> values;
  std::vector<std::pair<std::string, std::string>> fields;
};

using ReplaySink = std::function<void(const ReplayEvent&)>;

/// The kind's name in JSON.
std::string_view name_of(ReplayEvent::Kind kind) noexcept;

/// Items in, events out.
class ReplayDecoder {
 public:
  virtual ~ReplayDecoder() = default;
  /// False: what it holds is malformed.
  [[nodiscard]] virtual bool add(const recordings::Item& item, const ReplaySink& sink) = 0;
};

std::unique_ptr<ReplayDecoder> postgres_replay();
std::unique_ptr<ReplayDecoder> http_replay();

/// Shows events, between begin() and finish().
class ReplayPrinter {
 public:
  virtual ~ReplayPrinter() = default;
  /// title  what is replayed, in a line.
  /// from   the time from which on it is.
  virtual void begin(const std::string& /*title*/, WallTime /*from*/) {}
  virtual void show(const ReplayEvent& event) = 0;
  virtual void finish() {}
};

/// A text with what a terminal could act on made visible: C0, DEL, and C1 in UTF-8 and alone.
/// lines   line feeds are kept.
std::string visible(std::string_view text, bool lines = false);

using WriteText = std::function<void(std::string_view)>;

/// Lines of JSON.
std::unique_ptr<ReplayPrinter> json_printer(WriteText write);
/// For people: statements and their tables, requests and answers. Nothing that a terminal
/// could act on comes out.
std::unique_ptr<ReplayPrinter> text_printer(WriteText write);
/// The same as an asciicast, for asciinema and its players.
std::unique_ptr<ReplayPrinter> asciicast_printer(WriteText write);

}  // namespace sluice::cli
