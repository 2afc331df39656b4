// SHA-256 of a body that comes in pieces.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"

struct evp_md_ctx_st;

namespace sluice::load {

class BodyDigest {
 public:
  using Value = std::array<std::uint8_t, 32>;

  BodyDigest();
  void start() noexcept;
  void on_bytes(ByteView in) noexcept;
  [[nodiscard]] Value finish() noexcept;

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace sluice::load
