#include "audit/signer_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "base/crc32c.h"

namespace sluice::audit {
namespace {

constexpr std::string_view slot_magic = "sluice-signed-1\n";
constexpr off_t slot_bytes = 4096;  // no disk tears two of these at once
constexpr int slots = 2;
constexpr auto lock_pause = std::chrono::milliseconds(10);
constexpr int lock_attempts = 200;

/// One slot's content as it lies on disk. Its CRC is over all before it.
struct Slot {
  std::array<char, slot_magic.size()> magic{};
  std::array<std::uint8_t, 32> public_key{};
  std::uint64_t turn = 0;
  std::uint64_t kept_size = 0;
  Hash kept_root{};
  std::uint64_t last_size = 0;
  Hash last_root{};
  std::uint32_t zero = 0;
  std::uint32_t crc = 0;
};
static_assert(sizeof(Slot) == 144 && std::is_trivially_copyable_v<Slot>);

constexpr std::string_view seal_magic = "sluice-sealed-1\n";

/// The seal in force, in a slot of the same kind behind the two of the heads. The secret is
/// the next signature's, of which there is one.
struct SealSlot {
  std::array<char, seal_magic.size()> magic{};
  std::array<std::uint8_t, 32> public_key{};
  std::array<std::uint8_t, Seed::size> seed{};
  std::uint32_t note_bytes = 0;
  std::array<char, seal_bytes_max> note{};
  std::uint32_t crc = 0;

  SealSlot() = default;
  ~SealSlot() { OPENSSL_cleanse(seed.data(), seed.size()); }
  SealSlot(const SealSlot&) = delete;
  SealSlot& operator=(const SealSlot&) = delete;
};
static_assert(sizeof(SealSlot) == 88 + seal_bytes_max && sizeof(SealSlot) <= slot_bytes);

template <class Any>
std::uint32_t crc_of(const Any& slot) {
  return crc32c(ByteView(reinterpret_cast<const std::uint8_t*>(&slot), offsetof(Any, crc)));
}

tl::unexpected<Error> system_failure(std::string_view what) {
  return fail(fmt::format("cannot {} the signer's state file: {}", what, std::strerror(errno)));
}

/// The signer of a gateway that was just killed may be about to end.
bool lock(int fd) {
  for (int attempt = 0; ::flock(fd, LOCK_EX | LOCK_NB) != 0; ++attempt) {
    if (errno != EWOULDBLOCK || attempt == lock_attempts) return false;
    std::this_thread::sleep_for(lock_pause);
  }
  return true;
}

Result<void> sync_directory_of(const std::filesystem::path& path) {
  const std::filesystem::path directory = path.has_parent_path() ? path.parent_path() : ".";
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!is_synced) return system_failure("sync the directory of");
  return {};
}

}  // namespace

Result<SignerState> SignerState::open(const std::filesystem::path& path) {
  std::error_code ignored;  // the open tells
  std::filesystem::create_directories(path.parent_path(), ignored);
  SignerState state(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR), path);
  if (state.fd_ < 0) {
    return fail(fmt::format("cannot open the signer's state file {}: {}", path.string(),
                            std::strerror(errno)));
  }
  if (!lock(state.fd_)) {
    return fail(
        fmt::format("the signer's state file {} is in use by another gateway", path.string()));
  }
  if (auto done = sync_directory_of(path); !done) return tl::unexpected(done.error());
  return state;
}

Result<void> SignerState::recall(const Verifier& key) {
  std::ranges::copy(key.public_key(), public_key_.begin());
  struct ::stat info {};
  if (::fstat(fd_, &info) != 0) return system_failure("look at");
  return info.st_size == 0 ? make() : read();
}

SignerState::SignerState(SignerState&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      public_key_(other.public_key_),
      turn_(other.turn_),
      heads_(other.heads_),
      sealing_(std::move(other.sealing_)) {}

SignerState::~SignerState() {
  if (fd_ >= 0) ::close(fd_);
}

/// Both slots, so that the file has its size for ever and a full disk does not matter.
Result<void> SignerState::make() {
  for (int i = 0; i < slots; ++i) {
    if (auto done = store({}); !done) return done;
  }
  return sync();
}

Result<void> SignerState::read() {
  std::optional<Slot> newest;
  for (int i = 0; i < slots; ++i) {
    Slot slot;
    if (::pread(fd_, &slot, sizeof slot, i * slot_bytes) != sizeof slot) continue;
    if (std::string_view(slot.magic.data(), slot.magic.size()) != slot_magic) continue;
    if (slot.crc != crc_of(slot)) continue;
    if (!newest || slot.turn > newest->turn) newest = slot;
  }
  // What it has signed it must not forget: without it, it would sign anything.
  if (!newest) {
    return fail(fmt::format(
        "the signer's state file {} cannot be read; restore it, or move it away: the log then says "
        "that the signer began anew",
        path_.string()));
  }
  if (newest->public_key != public_key_) {
    return fail(
        fmt::format("the signer's state file {} is that of another key; name another file in "
                    "audit.signer.state",
                    path_.string()));
  }
  turn_ = newest->turn;
  heads_ = {{newest->kept_size, newest->kept_root}, {newest->last_size, newest->last_root}};
  read_sealing();
  // A kill between the two writes left the key before in one.
  return sealing_ ? keep(std::move(*sealing_)) : Result<void>();
}

/// A slot that cannot be read is one that a kill tore: the other one has the seal before,
/// whose signature did not leave.
void SignerState::read_sealing() {
  for (int i = 0; i < slots; ++i) {
    SealSlot slot;
    if (::pread(fd_, &slot, sizeof slot, (slots + i) * slot_bytes) != sizeof slot) continue;
    if (std::string_view(slot.magic.data(), slot.magic.size()) != seal_magic) continue;
    if (slot.crc != crc_of(slot) || slot.public_key != public_key_) continue;
    if (slot.note_bytes > slot.note.size()) continue;
    Sealing found;
    found.note.assign(slot.note.data(), slot.note_bytes);
    const auto seal = parse_seal(found.note);
    if (!seal || (sealing_ && sealing_->seal.number >= seal->number)) continue;
    found.seal = *seal;
    std::ranges::copy(slot.seed, found.seed.bytes().begin());
    sealing_ = std::move(found);
  }
}

Result<void> SignerState::keep(Sealing sealing) {
  ASSERT(sealing.note.size() <= seal_bytes_max);
  SealSlot slot;
  std::ranges::copy(seal_magic, slot.magic.begin());
  slot.public_key = public_key_;
  std::ranges::copy(sealing.seed.bytes(), slot.seed.begin());
  slot.note_bytes = static_cast<std::uint32_t>(sealing.note.size());
  std::ranges::copy(sealing.note, slot.note.begin());
  slot.crc = crc_of(slot);
  // One after the other, so that at every instant one of them is whole.
  for (int i = 0; i < slots; ++i) {
    if (::pwrite(fd_, &slot, sizeof slot, (slots + i) * slot_bytes) != sizeof slot) {
      return system_failure("write a seal into");
    }
    if (auto done = sync(); !done) return done;
  }
  sealing_ = std::move(sealing);
  return {};
}

Result<void> SignerState::retire(const std::filesystem::path& aside) {
  constexpr std::array<std::uint8_t, static_cast<std::size_t>(slots * slot_bytes)> nothing{};
  if (::pwrite(fd_, nothing.data(), nothing.size(), slots * slot_bytes) !=
      static_cast<ssize_t>(nothing.size())) {
    return system_failure("erase the key in");
  }
  if (auto done = sync(); !done) return done;
  sealing_.reset();
  if (::rename(path_.c_str(), aside.c_str()) != 0) return system_failure("move away");
  return sync_directory_of(aside);
}

Result<void> SignerState::store(const SignedHeads& heads) {
  Slot slot;
  std::ranges::copy(slot_magic, slot.magic.begin());
  slot.public_key = public_key_;
  slot.turn = turn_ + 1;
  slot.kept_size = heads.kept.size;
  slot.kept_root = heads.kept.root;
  slot.last_size = heads.last.size;
  slot.last_root = heads.last.root;
  slot.crc = crc_of(slot);
  const off_t at = static_cast<off_t>(slot.turn % slots) * slot_bytes;
  if (::pwrite(fd_, &slot, sizeof slot, at) != sizeof slot) return system_failure("write");
  turn_ = slot.turn;
  heads_ = heads;
  return {};
}

Result<void> SignerState::sync() {
  if (::fdatasync(fd_) != 0) return system_failure("sync");
  return {};
}

}  // namespace sluice::audit
