#include "dataplane/session/postgres_outbox.h"

#include <algorithm>
#include <cstring>

namespace sluice::dataplane {

PostgresOutbox::~PostgresOutbox() {
  drop_buffer();
}

bool PostgresOutbox::copy(ByteView bytes) {
  std::size_t taken = 0;
  if (spill_.empty() && !pour(bytes, taken)) return false;
  const ByteView rest = bytes.subspan(taken);
  spill_.insert(spill_.end(), rest.begin(), rest.end());
  if (tap_ != nullptr) tap_->add(bytes);
  return true;
}

bool PostgresOutbox::reserve(std::size_t bytes_min) noexcept {
  if (buffer_ != no_buffer && buffer_data_bytes_max - used_ >= bytes_min) return true;
  drop_buffer();
  buffer_ = worker_.pool.take();
  return buffer_ != no_buffer;
}

ByteSpan PostgresOutbox::room() const noexcept {
  return {worker_.pool.data(buffer_) + used_, buffer_data_bytes_max - used_};
}

void PostgresOutbox::commit(std::size_t size_bytes) noexcept {
  if (tap_ != nullptr) tap_->add(room().first(size_bytes));
  push_used(size_bytes);
}

void PostgresOutbox::push_used(std::size_t size_bytes) noexcept {
  queue_.push(worker_.pool, buffer_, room().first(size_bytes));
  used_ += size_bytes;
}

void PostgresOutbox::on_sent() {
  queue_.sent(worker_.pool);
  pour_spill();
  if (queue_.empty()) drop_buffer();
}

void PostgresOutbox::pour_spill() {
  if (!spill_.empty()) {
    std::size_t taken = 0;
    // Without a free buffer it waits for the next time.
    static_cast<void>(pour(ByteView(spill_).subspan(spilled_), taken));
    spilled_ += taken;
    if (spilled_ == spill_.size()) {
      spill_ = {};
      spilled_ = 0;
    }
  }
}

void PostgresOutbox::clear() noexcept {
  queue_.clear(worker_.pool);
  drop_buffer();
  spill_ = {};
  spilled_ = 0;
}

void PostgresOutbox::drop_buffer() noexcept {
  if (buffer_ != no_buffer) worker_.pool.release(buffer_);
  buffer_ = no_buffer;
  used_ = 0;
}

bool PostgresOutbox::pour(ByteView bytes, std::size_t& taken) noexcept {
  while (taken < bytes.size() && queue_.free_slices() > 2) {
    if (!reserve(1)) return false;
    const ByteSpan to = room();
    const std::size_t n = std::min(to.size(), bytes.size() - taken);
    std::memcpy(to.data(), bytes.data() + taken, n);
    push_used(n);
    taken += n;
  }
  return true;
}

}  // namespace sluice::dataplane
