#include "reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace sluice::dataplane::postgres_sim {
namespace {

std::string shown(const Message& message) {
  std::string text = fmt::format("{} ", message.tag);
  for (const char c : message.body.substr(0, 60)) {
    text += c >= ' ' && c <= '~' ? std::string(1, c)
                                 : fmt::format("<{:02x}>", static_cast<unsigned char>(c));
  }
  return text;
}

/// The messages around one.
std::string context_of(const std::string& sent, std::size_t cause) {
  Cutter cutter;
  cutter.add(sent);
  std::string text;
  constexpr std::size_t before = 12;
  constexpr std::size_t after = 8;
  for (std::size_t number = 1; number <= cause + after; ++number) {
    const auto message = cutter.next();
    if (!message) break;
    if (number + before > cause) text += fmt::format("\n  {}: {}", number, shown(*message));
  }
  return text;
}

}  // namespace

bool is_fatal(const Message& message) {
  return message.tag == 'E' && report_field(message.body, 'S') == "FATAL";
}

Reference::Reference(const Gateway& gateway, const Client& client)
    : gateway_(gateway), client_(client) {
  // The gateway looks at it even where an error before it keeps it from running.
  moved_path_ = client.sent().find("set search_path") != std::string::npos ||
                client.sent().find("discard all") != std::string::npos;
  backend_.start(fmt::format("{} via sluice: simulation", client.identity().user));
  Cutter messages;
  messages.add(client.sent());
  for (std::size_t number = 1; const auto message = messages.next(); ++number) {
    if (message->tag == 'Q') queries_.insert(number);
    if (std::string_view("dcf").find(message->tag) != std::string_view::npos) {
      copied_in_.insert(number);
    }
  }
  backend_.feed(client.sent());
  run();
}

void Reference::run() {
  for (;;) {
    backend_.run();
    if (backend_.running() == nullptr) return;
    backend_.finish(was_cancelled(backend_.running()->tag));
  }
}

Reference::Verdict Reference::judge() {
  const auto& told = client_.received();
  const auto& expected = backend_.replies();
  const auto fault = [&](std::size_t reply, const std::string& what) {
    const std::size_t cause = reply < expected.size() ? expected[reply].cause : backend_.messages();
    return Verdict{fmt::format("reply {} to message {}: {}, in{}", reply, cause, what,
                               context_of(client_.sent(), cause)),
                   false, false};
  };
  for (std::size_t i = 0; i < told.size(); ++i) {
    if (is_fatal(told[i])) {
      if (i + 1 < told.size()) return fault(i, "behind the last word came " + shown(told[i + 1]));
      if (!client_.rest().empty()) return fault(i, "a part of something came behind the last word");
      const bool is_due = i < expected.size() && is_fatal(expected[i].message);
      return is_due ? Verdict{} : Verdict{"told to go: " + shown(told[i]), false, true};
    }
    if (i == expected.size()) return fault(i, "nobody asked for " + shown(told[i]));
    const std::string difference = compare(expected[i], told[i]);
    if (!difference.empty()) return fault(i, difference);
  }
  if (!begins_next_reply()) return fault(told.size(), "a part of something else came");
  if (told.size() >= backend_.flushed()) return {{}, true, false};
  Verdict verdict = fault(told.size(), "missing " + shown(expected[told.size()].message));
  verdict.is_missing = true;
  return verdict;
}

/// What was cut off must be the beginning of what comes next.
bool Reference::begins_next_reply() const {
  const std::string_view rest = client_.rest();
  const std::size_t next = client_.received().size();
  if (rest.empty() || rest.front() == 'E' || rest.front() == 'N') return true;
  if (next >= backend_.replies().size()) return false;
  const Reply& reply = backend_.replies()[next];
  return std::ranges::any_of(
      std::initializer_list<Sight>{Sight::plain, Sight::first, Sight::second},
      [&](Sight sight) { return bytes_of(reply.as(sight)).starts_with(rest); });
}

std::string Reference::compare(const Reply& expected, const Message& told) const {
  const auto wrong = [&] {
    return fmt::format("expected {}, told {}", shown(expected.message), shown(told));
  };
  if (expected.message.tag != told.tag) return wrong();
  if (told.tag == 'E' || told.tag == 'N') {
    // The gateway words its own errors, and takes texts away that may quote a value.
    const std::string code = report_field(told.body, 'C');
    if (report_field(expected.message.body, 'C') == code) return {};
    if (code == "53400" && rated_.contains(expected.cause)) return {};
    if (unapproved_.contains(expected.cause)) return {};  // by a code that fitted
    // A shared connection has to learn the statement first, which no failed transaction lets it.
    const bool must_learn =
        gateway_.options().setup.is_pooled && expected.message.tag == told.tag && code == "25P02";
    if (must_learn && report_field(expected.message.body, 'C') == "08P01") return {};
    // The names of a pool's clients are the gateway's: it looks at them first.
    if (code == "42P05" && gateway_.options().setup.is_pooled) return {};
    // It is refused before the server can tell that there is no such portal.
    const bool is_refused_early = code == "42501" && told.tag == expected.message.tag &&
                                  gateway_.reloads().size() > 1 && !client_.identity().sees_all;
    return is_refused_early ? "" : wrong();
  }
  if (is_older_value(expected, told)) return {};
  if (client_.identity().sees_all) return expected.message.body == told.body ? "" : wrong();
  for (const Sight sight : {Sight::first, Sight::second}) {
    if (may_be_judged_by(sight, expected.cause) && expected.as(sight).body == told.body) return {};
  }
  return is_redacted_more(expected, told) ? "" : wrong();
}

bool Reference::is_older_value(const Reply& expected, const Message& told) const {
  if (!gateway_.options().setup.is_pooled || told.tag != 'D') return false;
  const auto drawer_of = [](const Message& message) -> std::optional<std::size_t> {
    Fields fields(message.body);
    if (fields.u16() != 1) return std::nullopt;
    const std::string value = fields.bytes(fields.u32());
    if (!value.starts_with(drawn_by)) return std::nullopt;
    return client_of(value.substr(drawn_by.size()));
  };
  const auto drawer = drawer_of(told);
  return drawer && drawer == drawer_of(expected.message);
}

bool Reference::is_redacted_more(const Reply& expected, const Message& told) const {
  const auto later = several_.upper_bound(expected.cause);
  if (told.tag != 'D' || later == several_.begin() || !std::prev(later)->second) return false;
  Fields wanted(expected.as(Sight::first).body);
  Fields shown(told.body);
  std::uint32_t columns = wanted.u16();
  if (columns != shown.u16()) return false;
  for (; columns > 0; --columns) {
    const std::string value = wanted.bytes(wanted.u32());
    const std::string told_value = shown.bytes(shown.u32());
    if (told_value != value && told_value != "[redacted]") return false;
  }
  return true;
}

bool Reference::may_be_judged_by(Sight sight, std::size_t message) const {
  const auto& reloads = gateway_.reloads();
  const Instant sent = client_.sent_at(message);
  for (std::size_t i = 0; i < reloads.size(); ++i) {
    const bool is_over = i + 1 < reloads.size() && reloads[i + 1] <= sent;
    if (!is_over && (i % 2 == 0) == (sight == Sight::first)) return true;
  }
  return false;
}

std::size_t Reference::rows_max(const Statement& statement) const {
  return has_limit(statement.kind) ? limited_rows_max : Surroundings::rows_max(statement);
}

bool Reference::refuses(const std::string& text, bool is_execution) {
  const std::size_t message = backend_.messages();
  bool is_denied = false;
  bool may_be_denied = false;
  const auto statements = statements_of(text);
  bool reads_masked = false;
  several_[message] = statements.size() > 1;
  for (const Statement& statement : statements) {
    switch (statement.kind) {
      case Kind::secrets:
      case Kind::mass_delete:
      case Kind::broken:
        is_denied = true;
        break;
      case Kind::reports:
        may_be_denied = may_be_denied || may_be_judged_by(Sight::second, message);
        is_denied = is_denied || !may_be_judged_by(Sight::first, message);
        break;
      case Kind::copy_customers:
        is_denied = is_denied || !client_.identity().sees_all;
        break;
      case Kind::select:
      case Kind::derived:
      case Kind::prepare:
      case Kind::declare:
      case Kind::declare_held:
        reads_masked = !client_.identity().sees_all;
        break;
      case Kind::rated:
        if (is_execution && is_told_so("53400")) {
          rated_.insert(message);
          return true;
        }
        break;
      case Kind::held:
        if (is_execution && is_told_of_people()) {
          unapproved_.insert(message);
          return true;
        }
        break;
      case Kind::execute:
        // It would run under another search path than it was allowed for.
        may_be_denied = may_be_denied || moved_path_;
        break;
      default:
        break;
    }
  }
  // What one statement of a text reads, another might write elsewhere.
  may_be_denied = may_be_denied || (reads_masked && statements.size() > 1);
  // Masks by column wait for the answer to what they are about.
  const bool has_reloads = gateway_.reloads().size() > 1;
  may_be_denied = may_be_denied || (has_reloads && !client_.identity().sees_all);
  return is_denied || (may_be_denied && is_told_so());
}

bool Reference::has_forgotten_sequences() {
  return gateway_.options().setup.is_pooled && is_told_so("55000");
}

bool Reference::is_told_of_people() const {
  constexpr auto codes = std::to_array<std::string_view>({"42501", "53400", "57014", "58000"});
  return std::ranges::any_of(codes, [this](auto code) { return is_told_so(code); });
}

bool Reference::is_told_so(std::string_view code) const {
  const auto& told = client_.received();
  const std::size_t next = backend_.replies().size();
  return next < told.size() && told[next].tag == 'E' && report_field(told[next].body, 'C') == code;
}

void Reference::on_commit(const std::vector<std::string>& inserted) {
  committed_.insert(committed_.end(), inserted.begin(), inserted.end());
}

/// As it went at the server, the same time that it ran there.
bool Reference::was_cancelled(const std::string& tag) {
  std::size_t before = executions_[tag]++;
  for (const Database::Execution& execution : gateway_.database().executions) {
    if (execution.tag == tag && before-- == 0) return execution.is_cancelled;
  }
  return false;
}

}  // namespace sluice::dataplane::postgres_sim
