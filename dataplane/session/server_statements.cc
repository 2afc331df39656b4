#include "dataplane/session/server_statements.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::dataplane {

const ServerStatements::Known* ServerStatements::use(const Fingerprint& print) {
  const auto found = by_print_.find(print);
  if (found == by_print_.end()) return nullptr;
  known_.splice(known_.begin(), known_, found->second);
  found->second->pipeline = pipeline_;
  return &*found->second;
}

bool ServerStatements::is_undecided(const Fingerprint& print) const noexcept {
  const auto found = by_print_.find(print);
  return found != by_print_.end() && !found->second->is_confirmed &&
         found->second->pipeline != pipeline_;
}

ServerStatements::Id ServerStatements::add(const Fingerprint& print) {
  known_.push_front({print, next_id(), pipeline_, false});
  by_print_.insert_or_assign(print, known_.begin());
  return known_.front().id;
}

ServerStatements::Id ServerStatements::next_id() {
  const std::string seed = fmt::format("statement {} {}", seed_, ++count_);
  return std::max<Id>(key_.of(seed)[0], 1);
}

bool ServerStatements::has_unnamed(const Fingerprint& print) const noexcept {
  return unnamed_.id != 0 && unnamed_.print == print &&
         (unnamed_.is_confirmed || unnamed_.pipeline == pipeline_);
}

ServerStatements::Id ServerStatements::set_unnamed(const Fingerprint& print) {
  unnamed_ = {print, next_id(), pipeline_, false};
  return unnamed_.id;
}

void ServerStatements::confirm(Id id) noexcept {
  if (unnamed_.id == id) unnamed_.is_confirmed = true;
  const auto found = std::ranges::find(known_, id, &Known::id);
  if (found != known_.end()) found->is_confirmed = true;
}

void ServerStatements::forget(Id id) noexcept {
  if (unnamed_.id == id) forget_unnamed();
  const auto found = std::ranges::find(known_, id, &Known::id);
  if (found == known_.end()) return;
  by_print_.erase(found->print);
  known_.erase(found);
}

ServerStatements::Id ServerStatements::take_unclosed() noexcept {
  if (unclosed_.empty()) return 0;
  const Id id = unclosed_.back();
  unclosed_.pop_back();
  return id;
}

ServerStatements::Id ServerStatements::evict() noexcept {
  const Known& oldest = known_.back();
  if (oldest.pipeline == pipeline_ || !oldest.is_confirmed) return 0;
  const Id id = oldest.id;
  forget(id);
  return id;
}

void ServerStatements::distrust() {
  for (const Known& known : known_) unclosed_.push_back(known.id);
  known_.clear();
  by_print_.clear();
  forget_unnamed();
}

void ServerStatements::clear() noexcept {
  known_.clear();
  by_print_.clear();
  unclosed_.clear();
  forget_unnamed();
}

ServerStatements::Name::Name(Id id) noexcept {
  if (id == 0) return;
  size_ = static_cast<std::size_t>(
      fmt::format_to_n(text_.data(), text_.size(), "{}{:016x}", name_prefix, id).size);
}

}  // namespace sluice::dataplane
