// Chains of seals: made, checked, and what a thief of all present keys makes of them.
#include "audit/seal.h"

#include <catch2/catch.hpp>

#include <ctime>
#include <functional>
#include <thread>

#include "audit/checkpoint.h"
#include "audit/log_signer.h"
#include "log_fixture.h"

namespace sluice::audit {
namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t hour = 3'600;

Hash hash_of(std::uint8_t value) {
  Hash out{};
  out.fill(value);
  return out;
}

TreeHead head_of(std::uint8_t size) {
  return {size, hash_of(size)};
}

/// Some seals, an hour each from second 1000 on.
struct Sealed {
  explicit Sealed(std::size_t count, std::uint8_t key_seed = 1)
      : log(std::move(*Signer::of_seed("seal.test/audit", hash_of(key_seed)))) {
    for (std::size_t i = 0; i < count; ++i) {
      auto next = next_seal(log, sealings.empty() ? nullptr : &sealings.back(),
                            head_of(static_cast<std::uint8_t>(10 * (i + 1))), 1000 + hour * i,
                            seconds(hour));
      REQUIRE(next);
      sealings.push_back(std::move(*next));
    }
  }
  [[nodiscard]] SealChain chain(SealChain::Begins begins = SealChain::Begins::at_the_first) const {
    return SealChain(log.verifier(), begins);
  }
  [[nodiscard]] const std::string& note(std::size_t number) const {
    return sealings[number - 1].note;
  }

  Signer log;
  std::vector<Sealing> sealings;
};

std::string fault_of(const Result<std::optional<Seal>>& added) {
  return added ? std::string("none") : added.error().message;
}

}  // namespace

TEST_CASE("Each seal of a chain is signed by the log's key and by the one before") {
  const Sealed sealed(4);
  SealChain chain = sealed.chain();
  for (std::uint64_t number = 1; number <= 4; ++number) {
    const auto seal = chain.add(sealed.note(number));
    INFO(fault_of(seal));
    REQUIRE((seal && *seal));
    CHECK(**seal == sealed.sealings[number - 1].seal);
    CHECK((*seal)->head == head_of(static_cast<std::uint8_t>(10 * number)));
    CHECK((*seal)->until - (*seal)->from == hour);
    CHECK(parse_seal(sealed.note(number)) == **seal);
    // A restart says it again.
    const auto again = chain.add(sealed.note(number));
    CHECK((again && !*again));
  }
  CHECK(chain.count() == 4);
  CHECK(chain.chains() == 1);
  // A signer whose memory was taken away begins another.
  const Sealed other(1);
  CHECK(chain.add(other.note(1)));
  CHECK(chain.chains() == 2);
}

TEST_CASE("A seal that does not follow is refused") {
  const Sealed sealed(4);
  const Sealed fork(4);
  const auto after = [&sealed](std::size_t count, const std::string& note) {
    SealChain chain = sealed.chain();
    for (std::size_t number = 1; number <= count; ++number) REQUIRE(chain.add(sealed.note(number)));
    return fault_of(chain.add(note));
  };
  CHECK(after(2, sealed.note(4)) == "seal 4 follows seal 2");
  CHECK(after(3, sealed.note(2)) == "seal 2 follows seal 3");
  CHECK(after(0, sealed.note(2)) == "seal 2 follows seal 0");
  // Made by who has the log's key and not the one that the seal before names.
  CHECK(after(2, fork.note(3)) == "seal 3 is not signed by the key that seal 2 names");
  const Sealed stranger(4, 2);
  CHECK(after(2, stranger.note(3)) == "the seal is not signed by the log's key");

  Sealed aged(2);
  auto older = next_seal(aged.log, &aged.sealings[1], head_of(5), 1000 + 2 * hour, seconds(1));
  SealChain chain = aged.chain();
  REQUIRE((chain.add(aged.note(1)) && chain.add(aged.note(2))));
  CHECK(fault_of(chain.add(older->note)) == "seal 3 is older than seal 2");
}

TEST_CASE("The times of a chain do not go back with the clock") {
  Sealed sealed(1);
  const auto next = next_seal(sealed.log, &sealed.sealings[0], head_of(20), 500, seconds(60));
  REQUIRE(next);
  CHECK(next->seal.from == 1000);
  CHECK(next->seal.until == 1060);
}

TEST_CASE("Every changed or missing byte of a seal is refused") {
  const Sealed sealed(2);
  const std::string& note = sealed.note(2);
  REQUIRE(note.size() <= seal_bytes_max);
  const auto is_taken = [&sealed](const std::string& changed) {
    SealChain chain = sealed.chain();
    REQUIRE(chain.add(sealed.note(1)));
    return chain.add(changed).has_value();
  };
  CHECK(is_taken(note));
  for (std::size_t i = 0; i < note.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string changed = note;
      changed[i] = static_cast<char>(static_cast<unsigned char>(changed[i]) ^ (1U << bit));
      CHECK_FALSE(is_taken(changed));
    }
    CHECK_FALSE(is_taken(note.substr(0, i)));
  }
  CHECK_FALSE(is_taken(note + "\n"));
  CHECK_FALSE(is_taken(note + sealed.note(1)));
  // It is no checkpoint, for those who take any.
  CHECK_FALSE(parse_checkpoint(note));
}

TEST_CASE("A log that goes on long after its sealing key ended is refused") {
  const Sealed sealed(2);
  SealChain chain = sealed.chain();
  REQUIRE(chain.see(999'999 * second));
  REQUIRE(chain.add(sealed.note(1)));
  const std::uint64_t end = 1000 + hour;
  CHECK(chain.see(end * second));
  // The gateway was away: what comes within the grace of the first is in order.
  CHECK(chain.see((end + 9 * hour) * second));
  CHECK(chain.see((end + 9 * hour + 600) * second));
  const auto late = chain.see((end + 9 * hour + 601) * second);
  REQUIRE_FALSE(late);
  CHECK(late.error().message == "seal 1 had ended, and the log went on without another");
  REQUIRE(chain.add(sealed.note(2)));
  CHECK(chain.see((end + 9 * hour + 601) * second));
}

TEST_CASE("Of a range the first seal is taken, and of one with gaps each") {
  const Sealed sealed(6);
  const Sealed fork(6);
  SealChain chain = sealed.chain(SealChain::Begins::anywhere);
  CHECK(chain.add(sealed.note(3)));
  CHECK(chain.add(sealed.note(4)));
  CHECK_FALSE(chain.add(fork.note(5)));
  CHECK_FALSE(chain.add(sealed.note(6)));
  chain.skip();
  CHECK(chain.add(sealed.note(6)));

  SealChain other = sealed.chain(SealChain::Begins::anywhere);
  CHECK(other.add(sealed.note(3)));
  other.skip();
  CHECK_FALSE(other.add(fork.note(4)));
}

namespace {

/// Signs whatever log it is shown, and gives it the seals that it is told to.
class Thief final : public LogSigner {
 public:
  explicit Thief(Signer key) : key_(std::move(key)) {}
  [[nodiscard]] const Verifier& verifier() const noexcept override { return key_.verifier(); }
  [[nodiscard]] const DerivedKeys& derived_keys() const noexcept override {
    return key_.derived_keys();
  }
  [[nodiscard]] const SignedHeads& heads() const noexcept override { return heads_; }
  [[nodiscard]] std::string_view seal() const override { return note; }
  [[nodiscard]] Result<Signature> sign(const Extension& next) override {
    heads_ = {next.before, next.now};
    return key_.sign(
        as_bytes(checkpoint_text(key_.verifier().origin(), next.now.size, next.now.root)));
  }
  Sealing make(const Sealing* before, const TreeHead& head) {
    const auto now = static_cast<std::uint64_t>(::time(nullptr));
    auto next = next_seal(key_, before, head, now, seconds(hour));
    REQUIRE(next);
    return std::move(*next);
  }

  std::string note;

 private:
  Signer key_;
  SignedHeads heads_;
};

/// A log with four seals, each of which `choose` may exchange.
VerifyReport sealed_log(
    const std::function<std::string(Thief&, const std::vector<Sealing>&, const Sealing&)>& choose) {
  LogFolder folder;
  Thief thief(std::move(*Signer::load(folder.options.signing_key)));
  folder.options.signer = &thief;
  {
    const auto log = folder.open();
    std::vector<Sealing> sealings;
    for (int i = 0; i < 4; ++i) {
      Sealing next = thief.make(sealings.empty() ? nullptr : &sealings.back(), thief.heads().kept);
      thief.note = choose(thief, sealings, next);
      sealings.push_back(std::move(next));
      for (int records = 0; records < 3; ++records) {
        const auto sequence = log->worker(0).append_single(sample_intent());
        REQUIRE(sequence);
        log->worker(0).request_flush();
        while (log->worker(0).durable_through() < *sequence) std::this_thread::yield();
      }
    }
  }
  return folder.verify_with_key();
}

}  // namespace

TEST_CASE("A log's seals are among its records and are verified with it") {
  const auto honest = sealed_log(
      [](Thief&, const std::vector<Sealing>&, const Sealing& next) { return next.note; });
  INFO(honest.fault);
  CHECK(honest.ok);
  CHECK(honest.seals == 4);
  CHECK(honest.seal_chains == 1);

  const auto left_out =
      sealed_log([](Thief&, const std::vector<Sealing>& made, const Sealing& next) {
        return made.size() == 2 ? made.back().note : next.note;
      });
  CHECK(left_out.fault == "seal 4 follows seal 2");
  CHECK(left_out.where.find("segment-00000001.log, byte ") == 0);

  const auto uncertified =
      sealed_log([](Thief& thief, const std::vector<Sealing>& made, const Sealing& next) {
        if (made.size() != 2) return next.note;
        Sealing own = thief.make(&made[0], next.seal.head);
        return thief.make(&own, next.seal.head).note;
      });
  CHECK(uncertified.fault == "seal 3 is not signed by the key that seal 2 names");

  const auto of_another =
      sealed_log([](Thief& thief, const std::vector<Sealing>& made, const Sealing& next) {
        if (made.size() != 2) return next.note;
        TreeHead other = next.seal.head;
        other.root[0] ^= 1U;
        return thief.make(&made[1], other).note;
      });
  CHECK(of_another.fault.find("seal 3 is of another log: of ") == 0);
}

}  // namespace sluice::audit
