// A session's part in recordings: begun by the first operation whose rule asks for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "recordings/feed.h"

namespace sluice::dataplane {

struct WorkerContext;

/// Why an operation that is to be recorded is refused.
inline constexpr std::string_view recordings_rule = "recordings";
inline constexpr std::string_view recordings_refusal =
    "it is to be recorded, and recordings take no more";

class SessionRecording {
 public:
  SessionRecording(WorkerContext& worker, std::uint64_t session) noexcept
      : worker_(worker), session_(session) {}
  ~SessionRecording() { end(); }
  SessionRecording(const SessionRecording&) = delete;
  SessionRecording& operator=(const SessionRecording&) = delete;

  /// Whether what is to be recorded must be refused.
  [[nodiscard]] bool refuses() const noexcept;
  /// When false, nothing more may be read of what is recorded: the worker's feed is full.
  [[nodiscard]] bool has_room() const noexcept;
  /// Whether what is added is kept.
  [[nodiscard]] bool is_on() const noexcept;
  /// As records refer to it; empty when it is off.
  [[nodiscard]] std::string_view name() const noexcept {
    return is_on() ? std::string_view(name_) : std::string_view();
  }

  struct Who {
    std::string_view protocol;
    std::string_view listener;
    std::string_view target;
    std::string_view principal;
  };
  /// Goes on with the recording that there is, unless that is another principal's.
  void begin(const Who& who);
  void add(recordings::ItemKind kind, std::uint64_t operation, ByteView content);
  void end();

 private:
  WorkerContext& worker_;
  std::uint64_t session_;
  std::uint64_t parts_ = 0;
  recordings::Handle handle_;
  std::string name_;
  std::string principal_;
};

}  // namespace sluice::dataplane
