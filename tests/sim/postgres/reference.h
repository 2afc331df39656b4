// What a client should have been told: its own messages, given to a server of its own,
// with the policy's refusals and the masks put in.
#pragma once

#include <map>
#include <set>
#include <string>

#include "gateway.h"

namespace sluice::dataplane::postgres_sim {

class Reference final : private Surroundings {
 public:
  Reference(const Gateway& gateway, const Client& client);

  struct Verdict {
    std::string fault{};      ///< Empty: as it should be.
    bool is_whole = false;    ///< It was told all.
    bool is_missing = false;  ///< All that is wrong is that it was not.
  };
  /// Compares what the client was told.
  [[nodiscard]] Verdict judge();
  /// Of the client's messages, the one that a reply answers.
  [[nodiscard]] std::size_t cause_of(std::size_t reply) const {
    return backend_.replies()[reply].cause;
  }
  [[nodiscard]] bool is_query(std::size_t message) const { return queries_.contains(message); }
  /// Of a COPY that an earlier message began.
  [[nodiscard]] bool is_copied_in(std::size_t message) const {
    return copied_in_.contains(message);
  }
  [[nodiscard]] std::size_t replies() const { return backend_.replies().size(); }
  /// Tags of what it inserted for good.
  [[nodiscard]] const std::vector<std::string>& committed() const { return committed_; }

 private:
  bool refuses(const std::string& text, bool is_execution) override;
  void on_commit(const std::vector<std::string>& inserted) override;
  bool has_forgotten_sequences() override;
  [[nodiscard]] std::size_t rows_max(const Statement& statement) const override;

  void run();
  [[nodiscard]] bool was_cancelled(const std::string& tag);
  /// Which configurations may be in force when a message's turn comes.
  [[nodiscard]] bool may_be_judged_by(Sight sight, std::size_t message) const;
  [[nodiscard]] bool begins_next_reply() const;
  /// The reply that comes next is the refusal of what people did not approve.
  [[nodiscard]] bool is_told_of_people() const;
  /// The reply that comes next is a refusal.
  [[nodiscard]] bool is_told_so(std::string_view code = "42501") const;
  /// Where connections are shared, what an earlier transaction drew may come up again.
  [[nodiscard]] bool is_older_value(const Reply& expected, const Message& told) const;
  /// Within a text of several statements, what a column is computed from is not told apart.
  [[nodiscard]] bool is_redacted_more(const Reply& expected, const Message& told) const;
  [[nodiscard]] std::string compare(const Reply& expected, const Message& told) const;

  const Gateway& gateway_;
  const Client& client_;
  Backend backend_{*this};
  std::map<std::string, std::size_t> executions_;
  std::vector<std::string> committed_;
  std::set<std::size_t> queries_;        ///< Messages that are a Query.
  std::set<std::size_t> copied_in_;      ///< CopyData, CopyDone and CopyFail.
  std::set<std::size_t> rated_;          ///< Messages that came too often.
  std::set<std::size_t> unapproved_;     ///< Messages that people did not want.
  std::map<std::size_t, bool> several_;  ///< Whether a message holds several statements.
  bool moved_path_ = false;              ///< It asked for another search path.
};

/// Told to end a session.
[[nodiscard]] bool is_fatal(const Message& message);

}  // namespace sluice::dataplane::postgres_sim
