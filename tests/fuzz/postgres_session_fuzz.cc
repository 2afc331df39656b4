// A whole PostgreSQL session: the input decides what client and target send, in which
// pieces, and what else happens. Nothing that is denied may reach the target, what goes
// there must be messages, and buffers and operations must balance in the end.
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "audit/log.h"
#include "dataplane/session/postgres_session.h"
#include "must.h"
#include "snapshot_of.h"
#include "temporary_folder.h"
#include "wire.h"

namespace sluice::dataplane {
namespace {

using postgres_sim::Body;
using postgres_sim::bytes_of;
using postgres_sim::Cutter;
using postgres_sim::packet_of;
using test::must;

constexpr const char* configuration = R"(version: 1
listeners:
  - {name: ledger, address: "127.0.0.1:5432", protocol: postgres, target: db, postgres: {passwords_from_loopback: true}}
targets:
  - {name: db, addresses: ["127.0.0.1:9001"], credential: {user: app, password: file:secret}}
identity:
  api_keys: file:keys.yaml
audit:
  directory: audit
  signing_key: file:audit.key
policies:
  - {name: open, ruling: allow}
  - {name: no secrets, ruling: deny, operations: {sql: {relations: [secrets]}}}
masks:
  - {name: ssn, find: {columns: [customers.ssn]}, show: redact}
  - {name: pan, find: "builtin:payment-card", show: redact}
)";

constexpr std::string_view denied = "select a from secrets";

void require(bool holds) {
  if (!holds) std::abort();
}

std::string query(std::string_view text) {
  return bytes_of('Q', Body().text(text).take());
}
std::string parse(std::string_view name, std::string_view text) {
  return bytes_of('P', Body().text(name).text(text).u16(0).take());
}
std::string bind(std::string_view portal, std::string_view name) {
  return bytes_of('B', Body().text(portal).text(name).u16(0).u16(0).u16(0).take());
}
std::string execute(std::string_view portal) {
  return bytes_of('E', Body().text(portal).u32(0).take());
}

/// Whole messages, so that an input need not spell them out.
const std::array<std::string, 24>& client_messages() {
  static const std::array<std::string, 24> made{
      query("select id, ssn from customers"),
      query(denied),
      query("begin"),
      query("commit; select 1"),
      query("copy entries from stdin"),
      query(""),
      query("set search_path = a"),
      query("create table t (a int)"),
      parse("", "select ssn from customers"),
      parse("s", "insert into entries values (1)"),
      parse("s", denied),
      parse("", "copy entries from stdin"),
      bind("", ""),
      bind("p", "s"),
      execute(""),
      execute("p"),
      bytes_of('D', Body().bytes("P").text("").take()),
      bytes_of('D', Body().bytes("S").text("s").take()),
      bytes_of('C', Body().bytes("S").text("s").take()),
      bytes_of('S', {}),
      bytes_of('H', {}),
      bytes_of('d', "line\n"),
      bytes_of('c', {}),
      bytes_of('f', Body().text("no").take()),
  };
  return made;
}

const std::array<std::string, 24>& target_messages() {
  static const auto columns =
      Body().u16(1).text("ssn").u32(16400).u16(2).u32(25).u16(0xFFFF).u32(0xFFFFFFFF).u16(0).take();
  static const auto report = [](std::string_view severity, std::string_view code) {
    return Body()
        .bytes("S")
        .text(severity)
        .bytes("V")
        .text(severity)
        .bytes("C")
        .text(code)
        .bytes("M")
        .text("about 4111111111111111")
        .u8(0)
        .take();
  };
  static const std::array<std::string, 24> made{
      bytes_of('Z', "I"),
      bytes_of('Z', "T"),
      bytes_of('Z', "E"),
      bytes_of('1', {}),
      bytes_of('2', {}),
      bytes_of('3', {}),
      bytes_of('T', columns),
      bytes_of('n', {}),
      bytes_of('t', Body().u16(0).take()),
      bytes_of('D', Body().u16(1).value("123-45-6789").take()),
      bytes_of('D', Body().u16(1).value(std::string(20'000, 'x')).take()),
      bytes_of('C', Body().text("SELECT 1").take()),
      bytes_of('I', {}),
      bytes_of('s', {}),
      bytes_of('E', report("ERROR", "42601")),
      bytes_of('E', report("FATAL", "57P01")),
      bytes_of('N', report("NOTICE", "00000")),
      bytes_of('A', Body().u32(1).text("c").text("4111111111111111").take()),
      bytes_of('S', Body().text("application_name").text("4111111111111111").take()),
      bytes_of('G', Body().u8(0).u16(1).u16(0).take()),
      bytes_of('H', Body().u8(0).u16(1).u16(0).take()),
      bytes_of('d', "4111111111111111\n"),
      bytes_of('c', {}),
      bytes_of('D', Body().u16(1).u32(0xFFFFFFFF).take()),
  };
  return made;
}

/// What all inputs share.
struct World {
  World() {
    audit::LogOptions options;
    options.directory = folder.path() / "audit";
    options.signing_key = folder.path() / "audit.key";
    static_cast<void>(must(audit::create_signing_key(options.signing_key, "fuzz")));
    log = must(audit::Log::open(options, {}, [](std::uint32_t) {}));
    const std::array<std::uint8_t, 32> random{7};
    const auto key = identity::make_key("ann", {"staff"}, identity::never, random);
    password = key.secret;
    snapshot = test::snapshot_of(configuration, key.yaml_entry, "the target's password");
    const TargetPlan& target = snapshot->targets.front();
    upstreams = std::make_unique<UpstreamPool>(target.settings.name, target.endpoints,
                                               target.endpoint_texts);
    worker = std::make_unique<WorkerContext>(pool, log->worker(0), metrics);
    for (matcher::Scratch* scratch : {&worker->scratch, &worker->text_scratch}) {
      require(scratch->prepare(*snapshot->masks).has_value());
    }
  }

  test::TemporaryFolder folder;
  std::unique_ptr<audit::Log> log;
  BufferPool pool = must(BufferPool::make(std::size_t{2} << 20));
  WorkerMetrics metrics;
  std::string password;
  std::shared_ptr<const Snapshot> snapshot;
  std::unique_ptr<UpstreamPool> upstreams;
  std::unique_ptr<WorkerContext> worker;
};

World& world() {
  static World made;
  return made;
}

class Run {
 public:
  Run(World& world, std::string_view input)
      : world_(world), worker_(*world.worker), input_(input), is_secured_(input.size() % 2 != 0) {
    view_ = std::make_unique<SnapshotView>(
        world.snapshot,
        std::vector<TargetUse>{{world.upstreams.get(), std::make_shared<Histogram>()}});
    worker_.current = view_.get();
    session_ = std::make_unique<PostgresSession>(worker_, 0, must(parse_endpoint("127.0.0.1", 1)),
                                                 ++number_, channel());
  }

  void run() {
    if (byte() % 8 != 0) log_in();
    while (!input_.empty() && session_->client_end() != Session::ClientEnd::now) step();
    session_.reset();
    require(view_->operations == 0);
    worker_.statements.forget(*view_);
    require(world_.pool.free_count() == world_.pool.size());
  }

 private:
  std::optional<SecureChannel> channel() const {
    if (!is_secured_) return std::nullopt;
    return SecureChannel{std::vector<std::uint8_t>(32, 0xA5), false, nullptr};
  }
  std::uint8_t byte() {
    if (input_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(input_.front());
    input_.remove_prefix(1);
    return value;
  }
  std::string_view some_bytes() {
    const std::string_view bytes = input_.substr(0, byte());
    input_.remove_prefix(std::min(bytes.size(), input_.size()));
    return bytes;
  }

  void log_in() {
    client(packet_of(
        Body().u32(3U << 16).text("user").text("ann").text("database").text("shop").u8(0).take()));
    client(bytes_of('p', Body().text(world_.password).take()));
    take_wishes();
    target(bytes_of('R', Body().u32(0).take()) + bytes_of('K', Body().u32(9).bytes("key!").take()) +
           bytes_of('Z', "I"));
    answer_questions();
  }
  /// What the gateway asks the target itself.
  void answer_questions() {
    while (!question_.empty() && is_connected_) {
      const bool is_about_path = question_.find("current_schemas") != std::string::npos;
      question_.clear();
      std::string rows = row({"public"});
      if (!is_about_path) {
        rows = row({"c", "16400", "2", "public", "customers", "ssn", "public", "customers"}) +
               row({"r", "16400", "", "", "", "", "", ""});
      }
      target(bytes_of('3', {}) + bytes_of('1', {}) + bytes_of('2', {}) + rows +
             bytes_of('C', Body().text("SELECT 1").take()) + bytes_of('3', {}) + bytes_of('3', {}) +
             bytes_of('Z', "I"));
    }
  }
  static std::string row(std::initializer_list<std::string_view> values) {
    Body body;
    body.u16(static_cast<unsigned>(values.size()));
    for (const std::string_view value : values) body.value(value);
    return bytes_of('D', body.take());
  }

  void step() {
    switch (byte() % 12) {
      case 0:
      case 1:
        client(some_bytes());
        break;
      case 2:
      case 3:
        target(some_bytes());
        break;
      case 4:
      case 5:
      case 6:
        client(client_messages()[byte() % client_messages().size()]);
        break;
      case 7:
      case 8:
      case 9:
        target(target_messages()[byte() % target_messages().size()]);
        break;
      case 10:
        answer_questions();
        break;
      default:
        happen();
        break;
    }
    take_wishes();
    drain();
  }

  void happen() {
    switch (byte() % 8) {
      case 0:
        worker_.now.monotonic = worker_.now.monotonic + seconds(70);
        return session_->on_tick();
      case 1:
        return session_->on_client_end();
      case 2:
        if (is_connected_) session_->on_upstream_end();
        is_connected_ = false;
        return;
      case 3:
        if (is_connected_) session_->on_upstream_lost();
        is_connected_ = false;
        return;
      case 4:
        return session_->on_drain();
      case 5:
        return session_->on_log_room();
      case 6:
        slow_ = !slow_;
        return;
      default:
        return session_->on_tick();
    }
  }

  void take_wishes() {
    for (;;) {
      switch (session_->take_upstream_wish()) {
        case Session::UpstreamWish::none:
          return;
        case Session::UpstreamWish::acquire:
          is_connected_ = true;
          sent_ = {};
          has_greeted_ = false;
          session_->on_upstream_ready(0, false, nullptr, channel());
          break;
        case Session::UpstreamWish::keep:
        case Session::UpstreamWish::discard:
          static_cast<void>(session_->take_upstream_state());
          is_connected_ = false;
          break;
      }
    }
  }

  void client(std::string_view bytes) {
    give(bytes, [&](BufferId buffer, std::uint32_t size) {
      session_->on_client_bytes(buffer, size);
      return session_->client_end() != Session::ClientEnd::now;
    });
  }
  void target(std::string_view bytes) {
    give(bytes, [&](BufferId buffer, std::uint32_t size) {
      session_->on_upstream_bytes(buffer, size);
      return is_connected_;
    });
  }
  template <class To>
  void give(std::string_view bytes, To to) {
    while (!bytes.empty()) {
      if (session_->client_end() == Session::ClientEnd::now) return;
      const BufferId buffer = world_.pool.take();
      if (buffer == no_buffer) return;
      const std::string_view part = bytes.substr(0, buffer_data_bytes_max);
      std::memcpy(world_.pool.data(buffer), part.data(), part.size());
      bytes.remove_prefix(part.size());
      if (!to(buffer, static_cast<std::uint32_t>(part.size()))) return;
      take_wishes();
      drain();
    }
  }

  void drain() {
    if (!slow_) {
      drain(session_->to_client(), nullptr);
    }
    drain(session_->to_upstream(), &sent_);
    check_sent();
  }
  void drain(SliceQueue& queue, Cutter* cutter) {
    std::array<Slice, slices_per_send_max> slices;
    std::array<BufferId, slices_per_send_max> buffers;
    while (!queue.empty()) {
      const std::size_t count = queue.begin_send(slices, buffers, UINT64_MAX);
      if (cutter != nullptr && is_connected_) {
        for (std::size_t i = 0; i < count; ++i) {
          cutter->add(as_text({slices[i].data, slices[i].size_bytes}));
        }
      }
      cutter == nullptr ? session_->on_client_sent() : session_->on_upstream_sent();
      take_wishes();
      if (session_->client_end() == Session::ClientEnd::now) return;
    }
  }

  /// Messages that a client may send, and no statement that is denied.
  void check_sent() {
    if (!has_greeted_ && !sent_.rest().empty()) has_greeted_ = sent_.next_packet().has_value();
    if (!has_greeted_) return;
    while (const auto message = sent_.next()) {
      require(std::string_view("BCdcfDEHPpQSX").find(message->tag) != std::string_view::npos);
      if (message->tag != 'Q' && message->tag != 'P') continue;
      postgres_sim::Fields fields(message->body);
      const bool is_own = message->tag == 'P' && fields.text() == "question of the gateway";
      const std::string text = fields.text();
      require(text != denied);
      if (is_own) question_ = text;
    }
  }

  static inline std::uint64_t number_ = 0;
  World& world_;
  WorkerContext& worker_;
  std::string_view input_;
  bool is_secured_;  ///< Both sides.
  std::unique_ptr<SnapshotView> view_;
  std::unique_ptr<PostgresSession> session_;
  Cutter sent_;
  std::string question_;  ///< Of the gateway's, not yet answered.
  bool has_greeted_ = false;
  bool is_connected_ = false;
  bool slow_ = false;  ///< The client takes nothing.
};

}  // namespace
}  // namespace sluice::dataplane

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::dataplane;
  Run(world(), {reinterpret_cast<const char*>(data), size}).run();
  return 0;
}
