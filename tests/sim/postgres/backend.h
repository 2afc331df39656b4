// A PostgreSQL server's side of one session after its login, as far as its protocol
// goes: what is answered to each message, and when it is sent. Written from the manual
// and the server's source, for the target of a simulation and as its reference.
//
// source   PostgreSQL manual, "Message Flow", "Pipelining"; tcop/postgres.c.
#pragma once

#include <cstddef>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "statement.h"
#include "wire.h"

namespace sluice::dataplane::postgres_sim {

inline constexpr std::string_view secret_ssn = "123-45-6789";
inline constexpr std::string_view secret_card = "4111111111111111";

/// Before the tag of what drew a value from a sequence.
inline constexpr std::string_view drawn_by = "drawn by ";

/// What may be seen of a message: all of it, or what one of two configurations shows.
enum class Sight : std::uint8_t { plain, first, second };

struct Reply {
  Message message;
  Message first{};  ///< As Sight::first shows it; without a tag: as it is.
  Message second{};
  std::size_t cause = 0;  ///< The number of the client's message that it answers.

  [[nodiscard]] const Message& as(Sight sight) const {
    const Message& shown = sight == Sight::first ? first : second;
    return sight == Sight::plain || shown.tag == 0 ? message : shown;
  }
};

/// What a backend lives in.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  /// Policy, in a reference: not a word of it reaches a server.
  virtual bool refuses(const std::string& /*text*/, bool /*is_execution*/) { return false; }
  /// A text that was not refused, whatever comes of it.
  virtual void on_text(const std::string& /*text*/) {}
  virtual void on_execution(const Statement& /*statement*/) {}
  virtual void on_commit(const std::vector<std::string>& /*inserted*/) {}
  /// More rows than these are not shown.
  [[nodiscard]] virtual std::size_t rows_max(const Statement& /*statement*/) const {
    return std::numeric_limits<std::size_t>::max();
  }
  /// What an earlier transaction drew from a sequence may be another's to know by now.
  virtual bool has_forgotten_sequences() { return false; }
};

class Backend {
 public:
  explicit Backend(Surroundings& surroundings) : surroundings_(surroundings) {}

  void feed(std::string_view bytes) { in_.add(bytes); }
  /// Until it needs more bytes, runs a statement that takes its time, or is over.
  void run();
  [[nodiscard]] const Statement* running() const { return running_ ? &*running_ : nullptr; }
  /// The statement that is running ends, perhaps because somebody cancelled it.
  void finish(bool is_cancelled);

  [[nodiscard]] const std::deque<Reply>& replies() const { return replies_; }
  /// So many of them have been sent; the others wait for a Flush or a Sync.
  [[nodiscard]] std::size_t flushed() const { return flushed_; }
  [[nodiscard]] bool is_over() const { return is_over_; }
  [[nodiscard]] std::size_t messages() const { return messages_; }
  /// A message that a client may send nobody: all that follows is lost.
  [[nodiscard]] bool is_confused() const { return is_confused_; }

  /// What the session begins with, and DISCARD ALL goes back to.
  void start(const std::string& application);
  [[nodiscard]] const std::string& application() const { return session_.application; }
  /// What another session that begins here would find; empty: nothing.
  [[nodiscard]] std::string left_over() const;
  [[nodiscard]] bool is_in_block() const { return in_block_; }

 private:
  struct Portal {
    Statement statement;
    bool binary_id = false;
    std::size_t rows_sent = 0;
    bool has_run = false;
    bool in_savepoint = false;
    std::size_t parameter_bytes = 0;
    std::optional<std::string> answer = {};  ///< Of one that tells of the session.
    std::size_t rows_end = 0;
    bool has_rows = false;
  };
  struct CopyIn {
    Statement statement;
    std::size_t lines = 0;
    bool is_query = false;
  };
  struct Cursor {
    Statement statement;
    std::size_t rows_sent = 0;
    bool is_held = false;
  };
  /// What outlives a transaction.
  struct Session {
    std::string search_path = "public";
    std::string application{};
    bool listens = false;
    bool has_temporary = false;
    bool is_touched = false;  ///< A function left something.
    std::size_t locks = 0;
    std::string last_value{};
    std::map<std::string, Statement> prepared{};  ///< By SQL.
    std::map<std::string, Cursor> cursors{};
  };

  void on_message(const Message& message);
  void on_query(Fields fields);
  void on_parse(Fields fields);
  void on_bind(Fields fields);
  void on_describe(Fields fields);
  void on_execute(Fields fields);
  void on_close(Fields fields);
  void on_function_call();
  void on_sync();
  void on_copy_message(const Message& message);

  void continue_query();
  void end_query();
  void begin(const Statement& statement);
  void execute_query(const Statement& statement);
  void execute_portal();
  void end_portal_run(const std::string& tag);
  /// The command's tag; nothing: it failed.
  std::optional<std::string> command(const Statement& statement);
  std::optional<std::string> declare(const Statement& statement);
  void discard();
  void name_application(const std::string& name);
  /// Nothing: it failed.
  std::optional<std::string> answer_of_session(const Statement& statement);
  [[nodiscard]] bool is_missing_relation(const Statement& statement) const;
  void copy_out(const Statement& statement);
  void begin_copy(const Statement& statement, bool is_query);
  void end_copy();

  void describe_rows(const Statement& statement, bool binary_id);
  void row(const Statement& statement, std::size_t number, bool binary_id,
           std::size_t parameter_bytes);
  [[nodiscard]] std::size_t rows_of(const Statement& statement) const;
  /// Of a cursor, those that FETCH asks for.
  [[nodiscard]] std::pair<std::size_t, std::size_t> rows_shown(const Statement& statement,
                                                               const Statement& source);
  [[nodiscard]] const Statement* analysed(const Statement& statement) const;

  void reply(char tag, std::string body = {});
  void reply_masked(char tag, std::string plain, std::string first, std::string second);
  void report(char tag, std::string_view severity, std::string_view code, std::string_view text);
  void fail(std::string_view code, std::string_view text);
  void fail_unknown(const Statement& statement);
  void die(std::string_view code, std::string_view text);
  void ready();
  void flush() { flushed_ = replies_.size(); }
  void commit();
  void abort();
  void drop_portals();
  [[nodiscard]] bool is_failed(const Statement& statement) const {
    return failed_ && !is_transaction_exit(statement.kind);
  }

  Surroundings& surroundings_;
  Cutter in_;
  std::size_t messages_ = 0;
  std::deque<Reply> replies_;
  std::size_t flushed_ = 0;
  bool is_over_ = false;
  bool is_confused_ = false;

  std::optional<Statement> running_;
  std::deque<Statement> query_;  ///< What is left of the Query that is answered.
  bool in_query_ = false;
  bool runs_portal_ = false;
  std::string portal_name_;
  std::size_t row_limit_ = 0;
  bool skips_ = false;
  bool is_extended_ = false;  ///< What is answered now; it decides what an error does.
  std::optional<CopyIn> copy_;

  bool in_block_ = false;
  bool failed_ = false;
  bool has_savepoint_ = false;
  std::vector<std::string> inserted_;
  std::size_t inserted_at_savepoint_ = 0;
  std::map<std::string, Statement> statements_;
  std::map<std::string, Portal> portals_;
  Session session_;
  std::string first_application_;
  std::size_t transactions_ = 0;
  std::size_t last_value_since_ = 0;  ///< Drawn in this transaction.
  std::vector<std::pair<std::string, std::string>> changed_settings_;
  std::size_t notified_ = 0;
  std::size_t notifies_ = 0;  ///< Of the transaction.
};

}  // namespace sluice::dataplane::postgres_sim
