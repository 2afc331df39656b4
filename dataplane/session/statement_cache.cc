#include "dataplane/session/statement_cache.h"

#include <algorithm>
#include <utility>

#include "dataplane/session/statement_judge.h"

namespace sluice::dataplane {
namespace {

template <class T>
std::size_t room_of(const std::vector<T>& values) {
  return values.capacity() * sizeof(T);
}

/// Names count by the room that the server leaves them: an estimate from above, for
/// most are shorter.
constexpr std::size_t name_bytes = 64;

std::size_t bytes_of(const sql::Statement& statement) {
  const std::size_t names =
      2 * (statement.relations.size() + statement.columns.size() + statement.functions.size()) +
      statement.columns.size() + statement.settings.size();
  std::size_t bytes = sizeof statement + names * name_bytes + room_of(statement.relations) +
                      room_of(statement.columns) + room_of(statement.functions) +
                      room_of(statement.settings) + room_of(statement.output);
  for (const sql::OutputColumn& output : statement.output) {
    bytes += room_of(output.origins) + (1 + 3 * output.origins.size()) * name_bytes;
  }
  for (const sql::Statement& inner : statement.inner) bytes += bytes_of(inner);
  return bytes;
}

std::size_t bytes_of(const StatementInfo& info) {
  std::size_t bytes = sizeof info + 2 * info.text.capacity() + info.classes.capacity() +
                      room_of(info.facts) + room_of(info.names) + room_of(info.columns);
  for (const sql::Statement& statement : info.analysis.statements) bytes += bytes_of(statement);
  return bytes;
}

}  // namespace

StatementCache::Text* StatementCache::find_text(const Fingerprint& exact) noexcept {
  Text& text = place_of(exact);
  const bool is_here =
      text.known != nullptr && text.exact == exact && text.known->print == text.print;
  if (!is_here) return nullptr;
  text.was_used = true;
  note_use(*text.known);
  return &text;
}

KnownStatement* StatementCache::find(const Fingerprint& print) noexcept {
  const auto found = index_.find(print);
  if (found == index_.end()) return nullptr;
  note_use(*found->second);
  return found->second;
}

KnownStatement& StatementCache::put(const Fingerprint& print,
                                    std::shared_ptr<const StatementInfo> info) {
  const std::size_t bytes = bytes_of(*info);
  if (bytes > statement_bytes_max) {
    too_large_ = {.info = std::move(info)};
    return too_large_;
  }
  make_room(bytes);
  if (free_.empty()) free_.push_back(&statements_.emplace_back());
  KnownStatement& known = *free_.back();
  free_.pop_back();
  known = {.info = std::move(info), .print = print, .bytes = bytes};
  index_.emplace(print, &known);
  bytes_ += bytes;
  return known;
}

void StatementCache::put_text(const Fingerprint& exact, KnownStatement& known) noexcept {
  if (&known == &too_large_) return;
  Text& text = place_of(exact);
  if (std::exchange(text.was_used, false)) return;
  text = {.exact = exact, .known = &known, .print = known.print};
}

void StatementCache::forget(const SnapshotView& view) noexcept {
  const auto forget_in = [&view](KnownStatement& known) {
    if (known.view == &view) {
      known.view = nullptr;
      known.principal = nullptr;
    }
    if (known.recorded_view == &view) known.recorded_view = nullptr;
  };
  for (KnownStatement& known : statements_) forget_in(known);
  forget_in(too_large_);
  for (Text& text : texts_) {
    if (text.plain_view == &view) text.plain_view = nullptr;
  }
}

/// Goes round: what was used since the last time stays.
void StatementCache::make_room(std::size_t bytes) {
  while (!index_.empty() && (index_.size() == statements_max || bytes_ + bytes > bytes_max)) {
    KnownStatement& known = statements_[hand_++ % statements_.size()];
    if (known.info == nullptr) continue;
    if (known.uses == 0) {
      drop(known);
    } else {
      --known.uses;
    }
  }
}

void StatementCache::drop(KnownStatement& known) {
  index_.erase(known.print);
  bytes_ -= known.bytes;
  known = {};
  free_.push_back(&known);
}

}  // namespace sluice::dataplane
