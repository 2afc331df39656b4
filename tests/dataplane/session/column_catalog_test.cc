#include "dataplane/session/column_catalog.h"

#include <catch2/catch.hpp>

#include "parsers/postgres/backend.h"

namespace sluice::dataplane {
namespace {

/// A DataRow's body of eight texts.
std::string row_of(const std::array<std::string, 8>& values) {
  std::string body = {0, 8};
  for (const std::string& value : values) {
    body +=
        std::string{0, 0, static_cast<char>(value.size() >> 8), static_cast<char>(value.size())};
    body += value;
  }
  return body;
}

class Database {
 public:
  explicit Database(std::vector<ColumnMask> masks) : masks_(std::move(masks)) {}

  Database& relation(std::string oid) { return add({"r", std::move(oid), "", "", "", "", "", ""}); }
  Database& column(std::string oid, std::string number, std::string schema, std::string relation,
                   std::string name, std::string root) {
    return add({"c", std::move(oid), std::move(number), schema, std::move(relation),
                std::move(name), schema, std::move(root)});
  }
  Database& view(std::string oid, std::string name, std::string definition) {
    relation(oid);
    return add({"v", std::move(oid), "", "public", std::move(name), std::move(definition), "", ""});
  }
  ColumnCatalog& catalog() {
    catalog_.finish(masks_);
    return catalog_;
  }

 private:
  Database& add(const std::array<std::string, 8>& values) {
    const std::string body = row_of(values);
    const auto row = postgres::decode_data_row(as_bytes(body));
    REQUIRE(row.has_value());
    REQUIRE(catalog_.add(*row));
    return *this;
  }
  std::vector<ColumnMask> masks_;
  ColumnCatalog catalog_;
};

Database customers() {
  Database database({{"", "customers", "ssn", 3}});
  database.relation("100").relation("101").relation("200");
  database.column("100", "2", "public", "customers", "ssn", "customers");
  database.column("101", "5", "public", "customers_2026", "ssn", "customers");
  return database;
}

sql::Column named(std::string relation, std::string column) {
  return {{"", std::move(relation)}, std::move(column), true};
}

bool masks(const std::optional<ColumnRules>& rules) {
  REQUIRE(rules.has_value());
  return rules->rules.test(3);
}

}  // namespace

TEST_CASE("A masked column is known by its relation and number, in heirs too") {
  Database database = customers();
  const ColumnCatalog& catalog = database.catalog();
  CHECK(masks(catalog.rules_of(100, 2)));
  CHECK_FALSE(catalog.rules_of(100, 2)->is_derived);
  CHECK_FALSE(masks(catalog.rules_of(100, 1)));
  CHECK(masks(catalog.rules_of(101, 5)));
  CHECK_FALSE(masks(catalog.rules_of(200, 2)));
  CHECK(catalog.rules_of(300, 1) == std::nullopt);
}

TEST_CASE("A whole row holds its masked columns, and no part of it may be shown") {
  Database database = customers();
  const auto rules = database.catalog().rules_of(100, 0);
  CHECK(masks(rules));
  CHECK(rules->is_derived);
}

TEST_CASE("A name stands for all columns that it could mean") {
  Database database = customers();
  const ColumnCatalog& catalog = database.catalog();
  CHECK(masks(catalog.rules_of(named("customers", "ssn"))));
  CHECK(masks(catalog.rules_of(named("Customers", "SSN"))));
  CHECK(masks(catalog.rules_of(named("customers_2026", "ssn"))));
  CHECK(masks(catalog.rules_of(named("", "ssn"))));
  CHECK(masks(catalog.rules_of(named("customers", "*"))));
  CHECK_FALSE(masks(catalog.rules_of(named("customers", "name"))));
  CHECK_FALSE(masks(catalog.rules_of(named("orders", "ssn"))));
  // The mask names no schema; and what it names may be younger than the catalog.
  CHECK(masks(catalog.rules_of(sql::Column{{"other", "customers"}, "ssn", true})));
}

TEST_CASE("A view's columns are masked as what they show, through views upon views") {
  Database database = customers();
  // Found in an order that needs a second look.
  database.view("501", "upon", "SELECT shown.s || '!'::text AS t, shown.i FROM shown");
  database.view("500", "shown", "SELECT customers.id AS i, customers.ssn AS s FROM customers");
  const ColumnCatalog& catalog = database.catalog();
  CHECK_FALSE(masks(catalog.rules_of(500, 1)));
  CHECK(masks(catalog.rules_of(500, 2)));
  CHECK_FALSE(catalog.rules_of(500, 2)->is_derived);
  CHECK(masks(catalog.rules_of(501, 1)));
  CHECK(catalog.rules_of(501, 1)->is_derived);
  CHECK_FALSE(masks(catalog.rules_of(501, 2)));
  CHECK(masks(catalog.rules_of(named("upon", "t"))));
}

TEST_CASE("A view that is not understood shows nothing") {
  Database database = customers();
  database.view("500", "odd", "SELEKT ssn FROM customers");
  const ColumnCatalog& catalog = database.catalog();
  CHECK(masks(catalog.rules_of(500, 1)));
  CHECK(catalog.rules_of(500, 1)->is_derived);
}

TEST_CASE("What comes as no catalog row is refused") {
  ColumnCatalog catalog;
  for (const auto& values : {std::array<std::string, 8>{"x", "1", "", "", "", "", "", ""},
                             std::array<std::string, 8>{"r", "one", "", "", "", "", "", ""},
                             std::array<std::string, 8>{"c", "1", "", "", "", "", "", ""}}) {
    const std::string body = row_of(values);
    const auto row = postgres::decode_data_row(as_bytes(body));
    REQUIRE(row.has_value());
    CHECK_FALSE(catalog.add(*row));
  }
}

TEST_CASE("The names of masks reach the database as what they are") {
  const std::vector<ColumnMask> masks = {{"", "cust*", "it's_50%", 0}};
  const std::string query = ColumnCatalog::query(masks);
  CHECK(query.find("ILIKE '%' AND r.relname ILIKE 'cust%' AND ra.attname ILIKE 'it''s\\_50\\%'") !=
        std::string::npos);
}

TEST_CASE("A catalog is believed for a while, and until the database is changed") {
  CatalogCache cache;
  const CatalogCache::Key key{1, 0, "db"};
  const Instant start{};
  const auto catalog = std::make_shared<const ColumnCatalog>();
  CHECK(cache.find(key, start) == nullptr);
  cache.put(key, catalog, start);
  CHECK(cache.find(key, start + seconds(59)) == catalog);
  CHECK(cache.find(key, start + seconds(60)) == nullptr);
  CHECK(cache.find({2, 0, "db"}, start) == nullptr);
  CHECK(cache.find({1, 0, "other"}, start) == nullptr);
  cache.forget(key);
  CHECK(cache.find(key, start) == nullptr);
}

}  // namespace sluice::dataplane
