// The host as records show it, remembered: most requests of a worker name the same one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::dataplane {

class MaskedHost {
 public:
  /// Longer ones are masked anew each time.
  static constexpr std::size_t bytes_max = 256;

  /// How `host` looks under the masks of this configuration, if it was the last
  /// one. Lives until the next remember().
  [[nodiscard]] std::optional<std::string_view> find(std::string_view host,
                                                     std::uint64_t generation) const noexcept {
    if (generation != generation_ || host != std::string_view(host_.data(), host_size_)) {
      return std::nullopt;
    }
    return std::string_view(masked_.data(), masked_size_);
  }

  void remember(std::string_view host, std::uint64_t generation, std::string_view masked) noexcept {
    if (host.size() > bytes_max || masked.size() > bytes_max) return;
    generation_ = generation;
    host_size_ = host.copy(host_.data(), bytes_max);
    masked_size_ = masked.copy(masked_.data(), bytes_max);
  }

 private:
  std::uint64_t generation_ = 0;  ///< Of no configuration.
  std::size_t host_size_ = 0;
  std::size_t masked_size_ = 0;
  std::array<char, bytes_max> host_;
  std::array<char, bytes_max> masked_;
};

}  // namespace sluice::dataplane
