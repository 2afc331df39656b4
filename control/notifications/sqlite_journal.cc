// The journal of deliveries in a file of this host.
#include <array>
#include <utility>

#include "control/notifications/journal.h"
#include "control/sqlite_file.h"

namespace sluice::control {
namespace {

constexpr std::array<std::string_view, 3> states{"pending", "delivered", "given-up"};

std::string_view text_of(DeliveryState state) {
  return states[static_cast<std::size_t>(state)];
}

class SqliteJournal final : public DeliveryJournal {
 public:
  explicit SqliteJournal(SqliteFile file) : file_(std::move(file)) {}

  Result<void> add(std::span<const Delivery> deliveries) override {
    if (auto begun = file_.run("BEGIN IMMEDIATE"); !begun) return begun;
    Statement add(file_.get(),
                  "INSERT INTO deliveries (webhook, request, event, body, made_ns, next_ns, "
                  "attempts, state, last_error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, '')");
    for (const Delivery& one : deliveries) {
      add.bind(1, one.webhook);
      add.bind(2, one.request);
      add.bind(3, one.event);
      add.bind(4, one.body);
      add.bind(5, one.made.ns);
      add.bind(6, one.next.ns);
      add.bind(7, text_of(DeliveryState::pending));
      if (add.step() != SQLITE_DONE) {
        auto why = file_.failure();
        static_cast<void>(file_.run("ROLLBACK"));
        return why;
      }
      add.reset();
    }
    auto done = file_.run("COMMIT");
    if (!done) static_cast<void>(file_.run("ROLLBACK"));
    return done;
  }

  Result<std::vector<Delivery>> heads() override {
    Statement query(file_.get(),
                    "SELECT min(id), webhook, request, event, body, made_ns, next_ns, attempts, "
                    "last_error FROM deliveries WHERE state = ?1 GROUP BY webhook");
    query.bind(1, text_of(DeliveryState::pending));
    std::vector<Delivery> out;
    int found = query.step();
    for (; found == SQLITE_ROW; found = query.step()) {
      out.push_back({static_cast<std::uint64_t>(query.number(0)), query.text(1), query.text(2),
                     query.text(3), query.text(4), WallTime{query.number(5)},
                     WallTime{query.number(6)}, static_cast<std::uint32_t>(query.number(7)),
                     query.text(8)});
    }
    if (found != SQLITE_DONE) return file_.failure();
    return out;
  }

  Result<PendingCounts> pending() override {
    Statement query(file_.get(),
                    "SELECT webhook, count(*) FROM deliveries WHERE state = ?1 GROUP BY webhook");
    query.bind(1, text_of(DeliveryState::pending));
    PendingCounts out;
    int found = query.step();
    for (; found == SQLITE_ROW; found = query.step()) {
      out.emplace(query.text(0), static_cast<std::size_t>(query.number(1)));
    }
    if (found != SQLITE_DONE) return file_.failure();
    return out;
  }

  Result<void> update(const Delivery& delivery, DeliveryState state) override {
    Statement update(file_.get(),
                     "UPDATE deliveries SET next_ns = ?2, attempts = ?3, state = ?4, "
                     "last_error = ?5 WHERE id = ?1");
    update.bind(1, static_cast<std::int64_t>(delivery.id));
    update.bind(2, delivery.next.ns);
    update.bind(3, std::int64_t{delivery.attempts});
    update.bind(4, text_of(state));
    update.bind(5, delivery.last_error);
    if (update.step() != SQLITE_DONE) return file_.failure();
    return {};
  }

  Result<void> prune(std::size_t kept_max) override {
    Statement remove(file_.get(),
                     "DELETE FROM deliveries WHERE state <> ?1 AND id IN (SELECT id FROM "
                     "deliveries WHERE state <> ?1 ORDER BY id DESC LIMIT -1 OFFSET ?2)");
    remove.bind(1, text_of(DeliveryState::pending));
    remove.bind(2, static_cast<std::int64_t>(kept_max));
    if (remove.step() != SQLITE_DONE) return file_.failure();
    return {};
  }

 private:
  SqliteFile file_;
};

}  // namespace

Result<std::unique_ptr<DeliveryJournal>> open_sqlite_journal(const std::string& path) {
  auto file = SqliteFile::open(path);
  if (!file) return tl::unexpected(file.error());
  return std::unique_ptr<DeliveryJournal>(std::make_unique<SqliteJournal>(std::move(*file)));
}

}  // namespace sluice::control
