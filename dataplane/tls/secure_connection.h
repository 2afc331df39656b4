// One secured connection between the transport below, which moves ciphertext, and whoever is
// above, who sees plaintext: the stream, and the buffers that lie on either side of it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/tls/tls_stream.h"
#include "dataplane/transport/backlog.h"
#include "dataplane/transport/buffer_pool.h"
#include "dataplane/transport/transport.h"

namespace sluice::dataplane {

/// What all secured connections of a worker share.
struct TlsRoom {
  explicit TlsRoom(BufferPool& buffers)
      : pool(buffers), backlogs(buffers.size()), output(slot_bytes), record(tls_record_bytes_max) {}

  BufferPool& pool;
  BacklogTable backlogs;             ///< Of what came.
  std::vector<std::uint8_t> output;  ///< What the protocol says by itself, during a call.
  std::vector<std::uint8_t> record;  ///< Plaintext of one record, gathered from small slices.
};

/// Ciphertext on its way out lies in slots of the pool: what one send below takes, and at most
/// one more with what the protocol itself has to say. Nothing is allocated per message.
class SecureConnection {
 public:
  /// See TlsStream.
  SecureConnection(TlsRoom& room, std::shared_ptr<const TlsContext> context,
                   const std::string& peer_name);
  SecureConnection(const SecureConnection&) = delete;
  SecureConnection& operator=(const SecureConnection&) = delete;
  /// Gives every buffer back: the transport below has said `closed`.
  ~SecureConnection();

  [[nodiscard]] TlsStream& stream() noexcept { return stream_; }
  [[nodiscard]] const TlsStream& stream() const noexcept { return stream_; }

  // What comes in.

  /// Ciphertext, or plaintext that the kernel has opened; takes over one hold.
  void push(BufferId buffer, std::uint32_t size_bytes) noexcept;
  /// There is ciphertext, or plaintext within the stream.
  [[nodiscard]] bool has_input() const noexcept;
  /// Goes on as far as what came allows.
  void shake_hands() noexcept;
  struct Plain {
    BufferId buffer = no_buffer;  ///< With one hold.
    std::uint32_t size_bytes = 0;
  };
  /// One buffer of plaintext, as full as what came makes it. None: it needs more, the stream
  /// ended or failed, or no buffer is free (is_starved).
  [[nodiscard]] Plain decrypt() noexcept;

  // What goes out.

  /// Plaintext; untouched until is_send_done.
  void begin_send(std::span<const Slice> slices) noexcept;
  [[nodiscard]] bool is_sending() const noexcept { return is_sending_; }
  /// All of it went out: told once.
  [[nodiscard]] bool take_send_done() noexcept;
  /// Says behind it that no more will come.
  void end() noexcept { wants_end_ = true; }
  /// Said, and taken by a send below: nothing may follow.
  [[nodiscard]] bool is_at_end() const noexcept { return has_said_end_ && parked_ == no_buffer; }

  struct Send {
    std::size_t count = 0;  ///< Of slices. 0: nothing, or no buffer is free (is_starved).
    /// Not 0: they are the content of one record of this type, which the kernel makes.
    std::uint8_t record_type = 0;
  };
  /// What the transport below is to send now; lent to it until sent_below().
  [[nodiscard]] Send begin_send_below(std::span<Slice, slices_per_send_max> slices) noexcept;
  [[nodiscard]] bool is_sending_below() const noexcept { return is_sending_below_; }
  void sent_below() noexcept;
  /// The stream has given its key away, and all that it encrypted itself has left.
  [[nodiscard]] bool may_place_key() const noexcept {
    return stream_.key_for_kernel() != nullptr && parked_ == no_buffer && !is_sending_below_;
  }

  /// The last call found no free buffer: try again when there may be one.
  [[nodiscard]] bool is_starved() const noexcept { return is_starved_; }

  /// Nobody is above any more: forgets what came and what was to be sent.
  void abandon() noexcept;
  /// The peer is being told why this ends, by an alert or a close_notify.
  [[nodiscard]] bool is_parting() const noexcept;

 private:
  static constexpr std::size_t slots_per_send = 4;

  [[nodiscard]] Plain next_plain() noexcept;
  [[nodiscard]] ByteView next_input() noexcept;
  void consume_input(std::size_t size_bytes) noexcept;
  void drop_input() noexcept;
  [[nodiscard]] TlsOutput own_output() noexcept;
  void park(const TlsOutput& output) noexcept;
  [[nodiscard]] bool has_plaintext() const noexcept { return slice_ < slice_count_; }
  [[nodiscard]] ByteView next_plaintext(std::size_t bytes_max) noexcept;
  void consume_plaintext(std::size_t size_bytes) noexcept;
  [[nodiscard]] std::size_t encrypt_into(ByteSpan slot) noexcept;
  void say_end() noexcept;
  [[nodiscard]] std::size_t begin_own_send(std::span<Slice> slices) noexcept;
  [[nodiscard]] Send begin_kernels_send(std::span<Slice> slices) noexcept;
  void lend(BufferId buffer, std::size_t size_bytes, std::span<Slice> slices) noexcept;

  TlsRoom& room_;
  TlsStream stream_;

  Backlog unread_;
  BufferId reading_ = no_buffer;  ///< The oldest of what came, and what is unread in it.
  std::uint32_t reading_at_ = 0;
  std::uint32_t reading_end_ = 0;

  std::array<Slice, slices_per_send_max> slices_{};
  std::uint8_t slice_ = 0;  ///< The first that is not encrypted whole.
  std::uint8_t slice_count_ = 0;
  std::uint32_t slice_at_ = 0;
  std::array<BufferId, slots_per_send> lent_{};
  std::uint8_t lent_count_ = 0;
  BufferId parked_ = no_buffer;  ///< What the protocol says by itself, until it can be sent.
  std::uint32_t parked_bytes_ = 0;
  std::uint8_t parked_type_ = 0;  ///< TlsOutput::record_type
  bool is_sending_below_ = false;
  bool is_lending_slices_ = false;  ///< What is sent below is what is to be sent, as it lies.
  bool is_sending_ = false;
  bool wants_end_ = false;
  bool has_said_end_ = false;
  bool is_starved_ = false;
};

}  // namespace sluice::dataplane
