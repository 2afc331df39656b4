#include "script.h"

#include <fmt/format.h>

#include <array>

#include "statement.h"
#include "wire.h"

namespace sluice::dataplane::postgres_sim {
namespace {

/// Each as often as it stands here.
constexpr auto kinds = std::to_array<Kind>({Kind::select,
                                            Kind::select,
                                            Kind::select,
                                            Kind::select,
                                            Kind::select,
                                            Kind::derived,
                                            Kind::derived,
                                            Kind::card,
                                            Kind::card,
                                            Kind::big,
                                            Kind::insert,
                                            Kind::insert,
                                            Kind::insert,
                                            Kind::insert,
                                            Kind::division,
                                            Kind::division,
                                            Kind::insert,
                                            Kind::missing_column,
                                            Kind::copy_in,
                                            Kind::copy_in,
                                            Kind::copy_out,
                                            Kind::copy_out,
                                            Kind::copy_customers,
                                            Kind::set_path,
                                            Kind::set_name,
                                            Kind::begin,
                                            Kind::begin,
                                            Kind::begin,
                                            Kind::commit,
                                            Kind::commit,
                                            Kind::rollback,
                                            Kind::rollback,
                                            Kind::savepoint,
                                            Kind::rollback_to,
                                            Kind::drop,
                                            Kind::listen,
                                            Kind::notify,
                                            Kind::notify,
                                            Kind::prepare,
                                            Kind::execute,
                                            Kind::execute,
                                            Kind::deallocate,
                                            Kind::secrets,
                                            Kind::secrets,
                                            Kind::secrets,
                                            Kind::reports,
                                            Kind::reports,
                                            Kind::reports,
                                            Kind::mass_delete,
                                            Kind::broken,
                                            Kind::length,
                                            Kind::length,
                                            Kind::common,
                                            Kind::common,
                                            Kind::declare,
                                            Kind::declare,
                                            Kind::fetch,
                                            Kind::fetch,
                                            Kind::fetch,
                                            Kind::close,
                                            Kind::declare_held,
                                            Kind::show_path,
                                            Kind::show_name,
                                            Kind::count_temporary,
                                            Kind::create_temporary,
                                            Kind::lock,
                                            Kind::unlock,
                                            Kind::leave,
                                            Kind::last_value});

bool keeps_state(Kind kind) {
  switch (kind) {
    case Kind::set_path:
    case Kind::set_name:
    case Kind::listen:
    case Kind::prepare:
    case Kind::execute:
    case Kind::declare_held:
    case Kind::create_temporary:
    case Kind::lock:
      return true;
    default:
      return false;
  }
}

class Writer {
 public:
  Writer(SimRandom& random, std::size_t client, const ScriptOptions& options)
      : random_(random), client_(client), options_(options) {}

  std::vector<Step> write() {
    for (std::size_t i = 0; i < options_.groups; ++i) {
      if (options_.cancels && random_.chance(300)) cancel();
      if (options_.dies && random_.chance(100)) {
        add({}).deed = random_.chance(500) ? Step::Deed::vanish : Step::Deed::hang_up;
        return std::move(steps_);
      }
      switch (options_.manner) {
        case Manner::simple:
          simple();
          break;
        case Manner::extended:
          if (random_.chance(150)) {
            random_.chance(500) ? halting_pipeline() : halting_portal();
          } else {
            wait_readies(extended(random_.up_to(2)));
          }
          break;
        case Manner::pipelined:
          pipelined();
          break;
        case Manner::soup:
          soup();
          break;
      }
    }
    return std::move(steps_);
  }

 private:
  std::string fresh_tag() { return fmt::format("c{}_{}", client_, ++tags_); }

  std::string some_text(Kind kind) {
    if (kind == Kind::prepare) {
      sql_names_.push_back(fresh_tag());
      return text_of(kind, sql_names_.back(), 1 + random_.up_to(3));
    }
    if (kind == Kind::declare || kind == Kind::declare_held) {
      cursors_.push_back(fresh_tag());
      return text_of(kind, cursors_.back(), random_.up_to(6));
    }
    if ((kind == Kind::fetch || kind == Kind::close) && !cursors_.empty()) {
      const std::size_t any = random_.up_to(cursors_.size() - 1);
      // Mostly the last: others went with their transactions.
      return text_of(kind, random_.chance(700) ? cursors_.back() : cursors_[any],
                     1 + random_.up_to(3));
    }
    if ((kind == Kind::execute || kind == Kind::deallocate) && !sql_names_.empty()) {
      return text_of(kind, sql_names_[random_.up_to(sql_names_.size() - 1)], 1);
    }
    const std::size_t count = kind == Kind::big ? some_size() : random_.up_to(6);
    return text_of(kind, fresh_tag(), count);
  }
  /// Mostly small; sometimes more than a buffer holds.
  std::size_t some_size() { return random_.up_to(random_.chance(700) ? 500 : 40'000); }
  Kind some_kind() {
    constexpr auto limits = std::to_array<Kind>({Kind::limited, Kind::weighed, Kind::rated});
    if (options_.meets_limits && random_.chance(300)) {
      return limits[random_.up_to(limits.size() - 1)];
    }
    if (options_.meets_people && random_.chance(200)) return Kind::held;
    Kind kind = kinds[random_.up_to(kinds.size() - 1)];
    while (!options_.keeps_state && keeps_state(kind)) {
      kind = kinds[random_.up_to(kinds.size() - 1)];
    }
    return kind;
  }

  Step& add(std::string bytes) {
    steps_.push_back({});
    steps_.back().bytes = std::move(bytes);
    return steps_.back();
  }
  void wait_readies(std::size_t count) {
    Step& step = add({});
    step.awaits = Step::Awaits::readies;
    step.readies = count;
    step.patience = options_.patience;
    step.marks = true;
  }
  void cancel() {
    // In the midst of what was sent before.
    Step& step = add({});
    step.deed = random_.chance(700) ? Step::Deed::cancel : Step::Deed::cancel_wrongly;
    step.awaits = Step::Awaits::nothing;
    step.patience = Duration{static_cast<std::int64_t>(1 + random_.up_to(3'000'000))};
  }

  static std::string query(const std::string& text) {
    return bytes_of('Q', Body().text(text).take());
  }
  static std::string parse(const std::string& name, const std::string& text) {
    return bytes_of('P', Body().text(name).text(text).u16(0).take());
  }
  std::string bind(const std::string& portal, const std::string& name, bool has_parameter) {
    Body body;
    body.text(portal).text(name).u16(0).u16(has_parameter ? 1 : 0);
    if (has_parameter) {
      // Long ones pass the gateway piece by piece.
      body.value(std::string(random_.chance(800) ? random_.up_to(40) : 70'000, 'v'));
    }
    const bool is_binary = random_.chance(300);
    body.u16(is_binary ? 1 : 0);
    if (is_binary) body.u16(1);
    return bytes_of('B', body.take());
  }
  static std::string describe(char kind, const std::string& name) {
    return bytes_of('D', Body().bytes({&kind, 1}).text(name).take());
  }
  static std::string close(char kind, const std::string& name) {
    return bytes_of('C', Body().bytes({&kind, 1}).text(name).take());
  }
  static std::string execute(const std::string& portal, std::size_t limit) {
    return bytes_of('E', Body().text(portal).u32(static_cast<std::uint32_t>(limit)).take());
  }
  static std::string sync() { return bytes_of('S', {}); }
  static std::string flush() { return bytes_of('H', {}); }

  std::string copy_lines() {
    std::string bytes;
    for (std::size_t i = random_.up_to(4); i > 0; --i) {
      bytes += bytes_of('d', random_.chance(100) ? "bad\n" : std::string(some_size(), 'l') + "\n");
    }
    return bytes +
           (random_.chance(800) ? bytes_of('c', {}) : bytes_of('f', Body().text("gave up").take()));
  }

  std::string query_text() {
    if (random_.chance(50)) return random_.chance(500) ? "" : " ; -- nothing";
    const Kind kind = some_kind();
    std::string text = some_text(kind);
    // A limit counts what the whole text brings: that of the one statement.
    if (has_limit(kind)) return text;
    // Several statements in one text stand and fall together.
    for (int i = 0; i < 3 && random_.chance(150); ++i) {
      const Kind next = some_kind();
      if (!has_limit(next)) text += "; " + some_text(next);
    }
    return text;
  }
  static std::size_t copies_in(const std::string& text) {
    std::size_t count = 0;
    for (const Statement& statement : statements_of(text)) {
      if (statement.kind == Kind::copy_in) ++count;
    }
    return count;
  }

  void simple() {
    const std::string text = random_.chance(30) ? text_of(Kind::discard, {}, 0) : query_text();
    add(query(text));
    for (std::size_t copies = copies_in(text); copies > 0; --copies) {
      Step& data = add(copy_lines());
      data.awaits = Step::Awaits::copy;
      data.patience = options_.patience;
      data.only_in_copy = true;
    }
    wait_readies(1);
  }

  /// One group as a driver sends it; how many ReadyForQuery come of it.
  std::size_t extended(std::size_t statements) {
    for (std::size_t i = 0; i < statements; ++i) {
      const Kind kind = some_kind();
      if (kind == Kind::copy_in) continue;  // alone in its group
      one_extended(kind);
    }
    const bool copies = random_.chance(80);
    if (copies) one_extended(Kind::copy_in);
    add(sync());
    if (copies) {
      Step& data = add(copy_lines() + sync());
      data.awaits = Step::Awaits::copy;
      data.patience = options_.patience;
      data.only_in_copy = true;
    }
    return 1;
  }

  /// So long that whatever was answered has come.
  void pause() {
    Step& step = add({});
    step.patience = milliseconds(50);
  }
  /// Answered in the midst of its implicit transaction.
  void halting_pipeline() {
    one_extended(Kind::insert);
    one_extended(options_.keeps_state ? Kind::set_path : Kind::insert);
    add(flush());
    pause();
    one_extended(random_.chance(500) ? Kind::division : Kind::secrets);
    add(sync());
    wait_readies(1);
  }
  /// Described long before it is executed.
  void halting_portal() {
    add(query(text_of(Kind::rollback, {}, 0)) + query(text_of(Kind::begin, {}, 0)));
    add(parse("", text_of(Kind::select, fresh_tag(), 2)) + bind("p", "", false) +
        describe('P', "p") + sync());
    wait_readies(3);
    pause();
    add(execute("p", 0) + sync() + query(text_of(Kind::rollback, {}, 0)));
    wait_readies(2);
  }

  void one_extended(Kind kind) {
    const std::string name = random_.chance(600) ? "" : fmt::format("s{}", random_.up_to(3));
    std::string bytes;
    if (!name.empty() && random_.chance(700)) bytes += close('S', name);
    bytes += parse(name, some_text(kind));
    if (random_.chance(200)) bytes += describe('S', name);
    const std::string portal = random_.chance(800) ? "" : fmt::format("p{}", random_.up_to(2));
    if (!portal.empty() && random_.chance(700)) bytes += close('P', portal);
    bytes += bind(portal, name, kind == Kind::length);
    if (random_.chance(600)) bytes += describe('P', portal);
    const bool is_cut = random_.chance(200);
    bytes += execute(portal, is_cut ? 1 + random_.up_to(2) : 0);
    if (is_cut && kind != Kind::copy_in && random_.chance(500)) bytes += execute(portal, 0);
    add(std::move(bytes));
  }

  void pipelined() {
    std::size_t readies = 0;
    for (std::size_t i = random_.up_to(4); i > 0; --i) {
      if (random_.chance(200)) {
        std::string text = query_text();
        if (copies_in(text) == 0) {
          add(query(text));
          ++readies;
        }
        continue;
      }
      for (std::size_t k = random_.up_to(2); k > 0; --k) {
        const Kind kind = some_kind();
        if (kind != Kind::copy_in) one_extended(kind);
        if (random_.chance(100)) add(flush());
      }
      add(sync());
      ++readies;
    }
    wait_readies(readies);
  }

  void soup() {
    const std::string name = random_.chance(400) ? "" : fmt::format("s{}", random_.up_to(2));
    const std::string portal = random_.chance(500) ? "" : fmt::format("p{}", random_.up_to(1));
    std::string bytes;
    const std::size_t dice = random_.up_to(99);
    if (dice < 22) {
      bytes = parse(name, some_text(some_kind()));
    } else if (dice < 40) {
      bytes = bind(portal, name, random_.chance(50));
    } else if (dice < 50) {
      bytes = random_.chance(500) ? describe('P', portal) : describe('S', name);
    } else if (dice < 68) {
      bytes = execute(portal, random_.up_to(2));
    } else if (dice < 73) {
      bytes = random_.chance(500) ? close('P', portal) : close('S', name);
    } else if (dice < 78) {
      bytes = flush();
    } else if (dice < 90) {
      bytes = sync();
    } else if (dice < 96) {
      bytes = query(query_text());
    } else if (dice < 98) {
      bytes = copy_lines();
    } else if (dice < 99) {
      bytes = bytes_of('F', Body().u32(1).u16(0).u16(0).u16(0).take());
    } else {
      one_extended(some_kind());
      return;
    }
    Step& step = add(std::move(bytes));
    step.marks = true;
    if (random_.chance(200)) {
      step.awaits = Step::Awaits::any;
      step.patience = Duration{static_cast<std::int64_t>(1 + random_.up_to(20'000'000))};
    }
  }

  SimRandom& random_;
  std::size_t client_;
  ScriptOptions options_;
  std::size_t tags_ = 0;
  std::vector<std::string> sql_names_;
  std::vector<std::string> cursors_;
  std::vector<Step> steps_;
};

}  // namespace

std::vector<Step> random_script(SimRandom& random, std::size_t client,
                                const ScriptOptions& options) {
  return Writer(random, client, options).write();
}

}  // namespace sluice::dataplane::postgres_sim
