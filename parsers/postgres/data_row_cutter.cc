#include "parsers/postgres/data_row_cutter.h"

#include <algorithm>

#include "parsers/postgres/byte_order.h"

namespace sluice::postgres {
namespace {

constexpr std::uint32_t null_length = 0xFFFFFFFF;  // -1

RowStep needs_more(std::size_t size_bytes) noexcept {
  RowStep step;
  step.size_bytes = size_bytes;
  return step;
}

}  // namespace

void DataRowCutter::start(std::uint32_t body_bytes) noexcept {
  *this = {};
  left_ = body_bytes;
  state_ = State::count;
}

RowStep DataRowCutter::decode(ByteView in) noexcept {
  if (state_ == State::failed) return refuse(fault_);
  in = in.first(std::min<std::size_t>(in.size(), left_));
  std::size_t at = 0;
  if (state_ == State::count) {
    if (!take_number(in, at, 2)) return wait_or_refuse(at, 2);
    columns_ = static_cast<std::uint16_t>(number_);
    if (columns_ > left_ / 4) return refuse(Fault::bad_count);
    state_ = State::length;
  }
  if (state_ == State::length && column_ == columns_) {
    if (left_ != 0) return refuse(Fault::trailing_bytes);
    state_ = State::done;
  }
  if (state_ == State::done) {
    RowStep step;
    step.kind = RowStep::Kind::end;
    step.size_bytes = at;
    return step;
  }
  if (state_ == State::length) {
    if (!take_number(in, at, 4)) return wait_or_refuse(at, 4);
    if (number_ == null_length) return null_value(at);
    if (number_ > 0x7FFFFFFF) return refuse(Fault::bad_value_length);
    if (number_ > left_) return refuse(Fault::truncated);
    value_bytes_ = value_left_ = number_;
    state_ = State::value;
  }
  if (value_left_ > 0 && at == in.size()) return needs_more(at);
  return piece_of_value(in, at);
}

/// Goes on with a number that a read may have split. True once it is whole, in `number_`.
bool DataRowCutter::take_number(ByteView in, std::size_t& at, std::uint32_t bytes) noexcept {
  if (number_bytes_ == 0) {
    if (bytes <= in.size() - at) {
      number_ = bytes == 2 ? load_u16(in.data() + at) : load_u32(in.data() + at);
      at += bytes;
      left_ -= bytes;
      return true;
    }
    number_ = 0;
  }
  for (; at < in.size() && number_bytes_ < bytes; ++number_bytes_) {
    number_ = number_ << 8 | in[at++];
    --left_;
  }
  if (number_bytes_ < bytes) return false;
  number_bytes_ = 0;
  return true;
}

/// A number of so many bytes is not there whole.
RowStep DataRowCutter::wait_or_refuse(std::size_t at, std::uint32_t bytes) noexcept {
  return left_ < bytes - number_bytes_ ? refuse(Fault::truncated) : needs_more(at);
}

RowStep DataRowCutter::null_value(std::size_t at) noexcept {
  RowStep step;
  step.kind = RowStep::Kind::value;
  step.size_bytes = at;
  step.column = column_++;
  step.is_first = step.is_last = true;
  return step;
}

RowStep DataRowCutter::piece_of_value(ByteView in, std::size_t at) noexcept {
  RowStep step;
  step.kind = RowStep::Kind::value;
  step.column = column_;
  step.value_bytes = value_bytes_;
  step.piece = in.subspan(at, std::min<std::size_t>(in.size() - at, value_left_));
  step.size_bytes = at + step.piece.size();
  step.is_first = value_left_ == value_bytes_;
  const auto taken = static_cast<std::uint32_t>(step.piece.size());
  left_ -= taken;
  value_left_ -= taken;
  step.is_last = value_left_ == 0;
  if (step.is_last) {
    ++column_;
    state_ = State::length;
  }
  return step;
}

RowStep DataRowCutter::refuse(Fault fault) noexcept {
  state_ = State::failed;
  fault_ = fault;
  RowStep step;
  step.kind = RowStep::Kind::malformed;
  step.fault = fault;
  return step;
}

}  // namespace sluice::postgres
