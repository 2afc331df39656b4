// A simulated transport whose kernel makes the records of what is sent, and opens those of TLS 1.2.
#pragma once

#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "dataplane/transport/sim_transport.h"
#include "played_kernel.h"

namespace sluice::test {

class ProtectingTransport : public dataplane::SimTransport {
 public:
  using SimTransport::SimTransport;

  const dataplane::KernelTls* kernel_tls(dataplane::ConnId /*id*/) { return &everything_; }
  int protect(dataplane::ConnId id, const dataplane::KernelTlsKeys& keys) {
    sealing_.insert_or_assign(id, Sealing{PlayedKernel(keys), {}});
    return 0;
  }
  void send(dataplane::ConnId id, std::span<const dataplane::Slice> slices) {
    const auto found = sealing_.find(id);
    if (found == sealing_.end()) return SimTransport::send(id, slices);
    std::string plain;
    for (const auto& slice : slices) plain += as_text({slice.data, slice.size_bytes});
    Sealing& sealing = found->second;
    sealing.sealed.clear();
    for (std::size_t at = 0; at < plain.size(); at += record_bytes_max) {
      const auto part = std::string_view(plain).substr(at, record_bytes_max);
      sealing.sealed += sealing.kernel.seal(PlayedKernel::application_data, as_bytes(part));
    }
    send_sealed(id, sealing);
  }
  void send_record(dataplane::ConnId id, std::uint8_t type, dataplane::Slice content) {
    Sealing& sealing = sealing_.at(id);
    sealing.sealed = sealing.kernel.seal(type, {content.data, content.size_bytes});
    ++records_of_other_types;
    send_sealed(id, sealing);
  }

  int receive_protected(dataplane::ConnId id, const dataplane::KernelTlsKeys& keys) {
    if (refuses_to_open != 0) return refuses_to_open;
    if (turns_away != 0) {
      --turns_away;
      return EAGAIN;
    }
    opening_.insert_or_assign(id, Opening{PlayedKernel(keys)});
    return 0;
  }
  dataplane::KernelTlsRecord take_record(dataplane::ConnId id, ByteSpan content) {
    const auto record = std::exchange(opening_.at(id).waiting, std::nullopt);
    if (!record) return {};
    const std::size_t size = std::min(content.size(), record->content.size());
    std::memcpy(content.data(), record->content.data(), size);
    return {record->type, size};
  }
  void receive(dataplane::ConnId id) {
    wanted_.insert(id);
    SimTransport::receive(id);
  }
  void pause(dataplane::ConnId id) {
    wanted_.erase(id);
    SimTransport::pause(id);
  }
  void close(dataplane::ConnId id) {
    wanted_.erase(id);
    opening_.erase(id);
    SimTransport::close(id);
  }
  std::size_t poll(std::span<dataplane::Completion> done, Duration wait) {
    const std::size_t before = tell_opened(done.first(done.size() / 2));
    const std::size_t polled =
        SimTransport::poll(done.subspan(before), before == 0 ? wait : Duration{});
    std::size_t count = before;
    for (std::size_t i = before; i < before + polled; ++i) {
      if (!take_in(done[i])) done[count++] = done[i];
    }
    return count + tell_opened(done.subspan(count));
  }

  /// As if the peer had sent it, behind what it has sent.
  void bring_record(dataplane::ConnId id, std::uint8_t type, std::string content) {
    opening_.at(id).brought = PlayedKernel::Record{type, std::move(content)};
  }

  std::size_t records_of_other_types = 0;
  std::size_t turns_away = 0;  ///< Times that it is asked too early for a key of what is received.
  int refuses_to_open = 0;     ///< Or an errno.

 private:
  static constexpr std::size_t record_bytes_max = 16 * 1024;
  /// A poll tells twice.
  static constexpr unsigned told_at_once_max = dataplane::receives_per_turn_max / 2;
  struct Sealing {
    PlayedKernel kernel;
    std::string sealed;  ///< What is being sent.
  };
  struct Opening {
    PlayedKernel kernel;
    std::string ciphertext = {};
    std::optional<PlayedKernel::Record> waiting = {};  ///< Of another type: to be taken.
    std::optional<PlayedKernel::Record> brought = {};
    bool has_ended = false;
    bool is_over = false;  ///< The end was told, or that it is broken.
  };

  void send_sealed(dataplane::ConnId id, const Sealing& sealing) {
    const dataplane::Slice slice{as_bytes(sealing.sealed).data(),
                                 static_cast<std::uint32_t>(sealing.sealed.size())};
    SimTransport::send(id, {&slice, 1});
  }

  /// True when it is ciphertext for the kernel, or its end.
  bool take_in(const dataplane::Completion& news) {
    using Kind = dataplane::Completion::Kind;
    const auto found = opening_.find(news.conn);
    if (found == opening_.end()) return false;
    if (news.kind == Kind::received) {
      found->second.ciphertext += as_text({pool().data(news.buffer), news.size_bytes});
      pool().release(news.buffer);
      return true;
    }
    if (news.kind == Kind::failed) found->second.is_over = true;
    if (news.kind != Kind::peer_closed) return false;
    found->second.has_ended = true;
    return true;
  }

  std::size_t tell_opened(std::span<dataplane::Completion> done) {
    std::size_t count = 0;
    for (auto& [id, opening] : opening_) {
      for (unsigned told = 0; told < told_at_once_max && count < done.size(); ++told) {
        if (wanted_.count(id) == 0 || !tell(id, opening, done[count])) break;
        ++count;
      }
    }
    return count;
  }

  bool tell(dataplane::ConnId id, Opening& opening, dataplane::Completion& out) {
    using Kind = dataplane::Completion::Kind;
    if (opening.is_over || opening.waiting) return false;
    const dataplane::BufferId buffer = pool().take_to_receive();
    if (buffer == dataplane::no_buffer) return false;
    out = {};
    out.conn = id;
    auto record = opening.kernel.open(opening.ciphertext);
    if (!record) record = std::exchange(opening.brought, std::nullopt);
    if (record && record->type == PlayedKernel::application_data) {
      std::memcpy(pool().data(buffer), record->content.data(), record->content.size());
      out.kind = Kind::received;
      out.buffer = buffer;
      out.size_bytes = static_cast<std::uint32_t>(record->content.size());
      return true;
    }
    pool().release(buffer);
    if (record && record->type != 0) {
      opening.waiting = record;
      out.kind = Kind::record;
    } else if (record) {
      opening.is_over = true;
      out.kind = Kind::failed;
      out.error = EBADMSG;
    } else if (opening.has_ended) {
      opening.is_over = true;
      out.kind = Kind::peer_closed;
    } else {
      return false;
    }
    return true;
  }

  const dataplane::KernelTls everything_ = dataplane::KernelTls::everything();
  std::map<dataplane::ConnId, Sealing> sealing_;
  std::map<dataplane::ConnId, Opening> opening_;
  std::set<dataplane::ConnId> wanted_;
};
static_assert(dataplane::KernelTlsTransport<ProtectingTransport>);

}  // namespace sluice::test
