// What rules mean for SQL statements (docs/policy.md).
#include <catch2/catch.hpp>

#include "config/model/policy.h"
#include "must.h"

namespace sluice::config {
namespace {

using test::must;

const Principal ann{.subject = "ann",
                    .issuer = "api_keys",
                    .groups = {"dba"},
                    .proof = Proof::api_key,
                    .target = {},
                    .bound_certificate = {},
                    .bound_key = {},
                    .credential_id = "1",
                    .actors = {}};

PolicyRule rule(std::string name, RulingKind ruling, std::optional<SqlMatch> sql = std::nullopt) {
  PolicyRule made;
  made.name = std::move(name);
  made.ruling = ruling;
  made.sql = std::move(sql);
  return made;
}

PolicyRule allow(std::string name, std::optional<SqlMatch> sql = std::nullopt) {
  return rule(std::move(name), RulingKind::allow, std::move(sql));
}
PolicyRule deny(std::string name, std::optional<SqlMatch> sql = std::nullopt) {
  return rule(std::move(name), RulingKind::deny, std::move(sql));
}

PolicyRule hold(std::string name, std::optional<SqlMatch> sql = std::nullopt) {
  PolicyRule made = rule(std::move(name), RulingKind::hold, std::move(sql));
  made.approval = Approval{.by_groups = {"dba"}};
  return made;
}

/// One statement, or several.
struct Text {
  std::vector<std::string_view> classes = {"select"};
  std::vector<SqlName> relations = {};
  std::vector<SqlName> functions = {};
  bool without_where = false;
  bool is_opaque = false;
  std::vector<SqlColumn> columns = {};
  bool takes_data = false;
};

class Judge {
 public:
  explicit Judge(std::vector<PolicyRule> rules) {
    Settings settings;
    settings.targets.resize(1);
    settings.targets[0].name = "db";
    settings.policies = std::move(rules);
    Listener listener;
    listener.protocol = Protocol::postgres;
    listener.target = "db";
    policy_ = must(Policy::compile(settings, listener));
  }

  std::string_view rule_for(const std::vector<Text>& texts,
                            std::vector<std::string_view> search_path = {"public"}) const {
    return ruling_for(texts, std::move(search_path)).rule;
  }
  Ruling ruling_for(const std::vector<Text>& texts,
                    std::vector<std::string_view> search_path = {"public"}) const {
    std::vector<SqlFacts> facts;
    for (const Text& text : texts) {
      SqlFacts one;
      for (const std::string_view word : text.classes) one.classes |= *sql_classes(word);
      one.relations = text.relations;
      one.functions = text.functions;
      one.without_where = text.without_where;
      one.is_opaque = text.is_opaque;
      one.columns = text.columns;
      one.takes_data = text.takes_data;
      facts.push_back(one);
    }
    return judge({.is_parsed = true, .statements = facts, .search_path = search_path});
  }
  /// A SELECT whose text, or a parameter, holds the first pattern.
  std::string_view rule_for_hits(bool in_text, bool in_parameter, bool takes_data = false) const {
    SqlFacts facts;
    facts.classes = *sql_classes("select");
    facts.takes_data = takes_data;
    const std::uint32_t first = 0;
    const std::span<const std::uint32_t> hit(&first, 1);
    SqlAction action{.is_parsed = true, .statements = {&facts, 1}};
    if (in_text) action.pattern_hits = hit;
    if (in_parameter) action.parameter_hits = hit;
    return judge(action).rule;
  }
  bool looks_at_parameters() const { return policy_.view_of(ann).looks_at_parameters(); }
  std::string_view rule_for_unparsed() const { return judge({.is_parsed = false}).rule; }
  const Policy& policy() const { return policy_; }

 private:
  Ruling judge(const SqlAction& action) const {
    return policy_.judge(policy_.view_of(ann), action);
  }
  Policy policy_;
};

SqlMatch on(std::vector<std::string> relations) {
  SqlMatch match;
  match.relations = std::move(relations);
  return match;
}

SqlMatch of(std::vector<std::string> classes) {
  SqlMatch match;
  match.classes = std::move(classes);
  return match;
}

}  // namespace

TEST_CASE("Without a rule no statement is allowed") {
  CHECK(Judge({}).rule_for({{}}) == default_deny);
  CHECK(Judge({deny("no")}).rule_for({{}}) == "no");
}

TEST_CASE("An allow rule covers all that a statement does, or does not cover it") {
  SqlMatch match = on({"public.orders", "audit_*"});
  match.classes = {"select", "transaction"};
  const Judge judge({allow("orders", match)});
  CHECK(judge.rule_for({{.relations = {{"public", "orders"}}}}) == "orders");
  CHECK(judge.rule_for({{.relations = {{"x", "audit_1"}, {"public", "orders"}}}}) == "orders");
  CHECK(judge.rule_for({{.relations = {{"public", "orders"}, {"public", "customers"}}}}) ==
        default_deny);
  CHECK(judge.rule_for({{.classes = {"select", "delete"}, .relations = {{"public", "orders"}}}}) ==
        default_deny);
  CHECK(judge.rule_for({{.classes = {"begin"}}}) == "orders");
}

TEST_CASE("A name without a schema is covered when every schema it could be in is") {
  const Judge judge({allow("orders", on({"public.orders"}))});
  const std::vector<Text> text = {{.relations = {{"", "orders"}}}};
  CHECK(judge.rule_for(text, {"public"}) == "orders");
  CHECK(judge.rule_for(text, {"other", "public"}) == default_deny);
  CHECK(judge.rule_for(text, {}) == default_deny);  // the path is not known
  const Judge catalog({allow("pg", on({"public.*"}))});
  CHECK(catalog.rule_for({{.relations = {{"", "pg_authid"}}}}) == default_deny);
}

TEST_CASE("A deny rule matches whatever touches what it names, however that is written") {
  const Judge judge({allow("all"), deny("secrets", on({"public.secrets"}))});
  CHECK(judge.rule_for({{.relations = {{"public", "secrets"}}}}) == "secrets");
  CHECK(judge.rule_for({{.relations = {{"public", "Secrets"}}}}) == "secrets");
  CHECK(judge.rule_for({{.relations = {{"", "secrets"}}}}, {}) == "secrets");
  CHECK(judge.rule_for({{.relations = {{"", "orders"}, {"", "secrets"}}}}) == "secrets");
  CHECK(judge.rule_for({{.relations = {{"", "orders"}}}}) == "all");
  CHECK(judge.rule_for({{.classes = {"do"}, .is_opaque = true}}) == "secrets");
}

TEST_CASE("One refused statement refuses the whole text") {
  const Judge judge({allow("reads", of({"select"})), deny("drops", of({"drop"}))});
  const Text read;
  CHECK(judge.rule_for({read, read}) == "reads");
  CHECK(judge.rule_for({read, {.classes = {"drop"}}}) == "drops");
  CHECK(judge.rule_for({read, {.classes = {"insert"}}}) == default_deny);
  SqlMatch several;
  several.multi = true;
  const Judge single({allow("all"), deny("one at a time", several)});
  CHECK(single.rule_for({read}) == "all");
  CHECK(single.rule_for({read, read}) == "one at a time");
}

TEST_CASE("Functions that reach beyond the named relations must be named themselves") {
  const std::vector<Text> reads_file = {{.functions = {{"pg_catalog", "pg_read_file"}}}};
  const std::vector<Text> counts = {{.functions = {{"", "count"}}}};
  const Judge judge({allow("reads", of({"select"}))});
  CHECK(judge.rule_for(counts) == "reads");
  CHECK(judge.rule_for(reads_file) == default_deny);
  SqlMatch match;
  match.functions = {"pg_read_file"};
  CHECK(Judge({allow("files", match)}).rule_for(reads_file) == "files");
  CHECK(Judge({allow("files", match)}).rule_for(counts) == default_deny);
  CHECK(Judge({allow("all")}).rule_for(reads_file) == "all");
}

TEST_CASE("What runs what it does not show is covered by no rule about relations") {
  const std::vector<Text> text = {{.classes = {"do"}, .is_opaque = true}};
  CHECK(Judge({allow("orders", on({"orders"}))}).rule_for(text) == default_deny);
  CHECK(Judge({allow("blocks", of({"do"}))}).rule_for(text) == "blocks");
}

TEST_CASE("A mass change is one without a condition") {
  SqlMatch match = of({"delete", "update"});
  match.without_where = true;
  const Judge judge({allow("all"), deny("mass", match)});
  CHECK(judge.rule_for({{.classes = {"delete"}, .without_where = true}}) == "mass");
  CHECK(judge.rule_for({{.classes = {"delete"}}}) == "all");
}

TEST_CASE("A text that is not understood is refused unless a rule is about just that") {
  CHECK(Judge({allow("all")}).rule_for_unparsed() == default_deny);
  CHECK(Judge({allow("all"), deny("drops", of({"drop"}))}).rule_for_unparsed() == "drops");
  SqlMatch match;
  match.unparsed = true;
  CHECK(Judge({allow("odd", match)}).rule_for_unparsed() == "odd");
  CHECK(Judge({allow("odd", match)}).rule_for({{}}) == default_deny);
}

TEST_CASE("Columns: an allow rule covers all that are touched, a deny rule matches one") {
  SqlMatch match;
  match.columns = {"public.customers.name", "customers.id", "orders.*"};
  const Judge allowed({allow("some", match)});
  const auto touching = [](std::vector<SqlColumn> columns) {
    return std::vector<Text>{{.columns = std::move(columns)}};
  };
  const SqlName customers{"public", "customers"};
  const SqlName orders{"", "orders"};
  CHECK(allowed.rule_for(touching({{customers, "name"}, {customers, "id"}})) == "some");
  CHECK(allowed.rule_for(touching({{{"", "customers"}, "name"}})) == "some");
  CHECK(allowed.rule_for(touching({{{"", "customers"}, "name"}}), {}) == default_deny);
  CHECK(allowed.rule_for(touching({{{"other", "customers"}, "name"}})) == default_deny);
  CHECK(allowed.rule_for(touching({{customers, "id"}, {customers, "ssn"}})) == default_deny);
  CHECK(allowed.rule_for(touching({{customers, "*"}})) == default_deny);
  CHECK(allowed.rule_for(touching({{customers, ""}})) == "some");  // count(*)
  CHECK(allowed.rule_for(touching({{{"", "secrets"}, ""}})) == default_deny);
  CHECK(allowed.rule_for(touching({{orders, "*"}, {orders, "x"}})) == "some");
  CHECK(allowed.rule_for(touching({{{"", ""}, "name"}})) == default_deny);  // of no relation
  CHECK(allowed.rule_for({{.is_opaque = true}}) == default_deny);

  SqlMatch secret;
  secret.columns = {"customers.ssn"};
  const Judge denied({allow("all"), deny("secret", secret)});
  CHECK(denied.rule_for(touching({{customers, "name"}, {orders, "*"}})) == "all");
  CHECK(denied.rule_for(touching({{customers, ""}})) == "all");
  CHECK(denied.rule_for(touching({{customers, "name"}, {customers, "SSN"}})) == "secret");
  CHECK(denied.rule_for(touching({{customers, "*"}})) == "secret");
  CHECK(denied.rule_for(touching({{{"", ""}, "ssn"}})) == "secret");
  CHECK(denied.rule_for(touching({{{"", ""}, "*"}})) == "secret");
  CHECK(denied.rule_for({{.is_opaque = true}}) == "secret");
}

TEST_CASE("A parameter can make a rule refuse, and never make one allow") {
  SqlMatch match;
  match.patterns = {"x"};
  const Judge denied({allow("all"), deny("no x", match)});
  CHECK(denied.looks_at_parameters());
  CHECK(denied.rule_for_hits(false, false) == "all");
  CHECK(denied.rule_for_hits(true, false) == "no x");
  CHECK(denied.rule_for_hits(false, true) == "no x");
  // What COPY takes from the client is not looked through.
  CHECK(denied.rule_for_hits(false, false, true) == "no x");

  const Judge allowed({allow("only x", match)});
  CHECK_FALSE(allowed.looks_at_parameters());
  CHECK(allowed.rule_for_hits(true, false) == "only x");
  CHECK(allowed.rule_for_hits(false, true) == default_deny);
  CHECK(allowed.rule_for_hits(false, false, true) == default_deny);

  match.classes = {"update"};
  CHECK(Judge({allow("all"), deny("no x", match)}).rule_for_hits(false, true) == "all");
}

TEST_CASE("Of the rules that allow a statement the strictest limit of each kind counts") {
  PolicyRule wide = allow("wide");
  wide.limits = {.rows_max = 1000, .bytes_max = 10, .rate = {10, seconds(1)}, .burst = 20};
  PolicyRule narrow = allow("narrow", of({"select"}));
  narrow.limits = {.rows_max = 100, .bytes_max = 0, .rate = {3, seconds(1)}, .burst = 0};
  const Judge judge({allow("free"), wide, narrow});
  const Policy& policy = judge.policy();

  const Ruling read = judge.ruling_for({{}});
  CHECK(read.rule == "free");
  CHECK(policy.rows_bound(read.limits).max == 100);
  CHECK(policy.rows_bound(read.limits).rule == "narrow");
  CHECK(policy.bytes_bound(read.limits).max == 10);
  CHECK(policy.bytes_bound(read.limits).rule == "wide");
  CHECK(read.limits.rates == 3);

  const Ruling change = judge.ruling_for({{.classes = {"update"}}});
  CHECK(policy.rows_bound(change.limits).max == 1000);
  CHECK(change.limits.rates == 1);
  // One text is one execution, whatever of its statements is limited.
  CHECK(policy.rows_bound(judge.ruling_for({{.classes = {"update"}}, {}}).limits).max == 100);

  REQUIRE(policy.rates().size() == 2);
  CHECK(policy.rates()[0].interval == milliseconds(100));
  CHECK(policy.rates()[0].tolerance == milliseconds(2000));
  CHECK(policy.rates()[1].interval.ns == 333'333'334);  // never more than three in a second
  CHECK(policy.rates()[1].tolerance.ns == 3 * 333'333'334LL);
}

TEST_CASE("What is refused has no limits, nor has what no limited rule allows") {
  PolicyRule narrow = allow("narrow", of({"select"}));
  narrow.limits = {.rows_max = 100, .bytes_max = 0, .rate = {}, .burst = 0};
  const Judge judge({narrow, allow("all", of({"select", "update"})), deny("drops", of({"drop"}))});
  CHECK_FALSE(judge.ruling_for({{.classes = {"update"}}}).limits.bounds_result());
  CHECK_FALSE(judge.ruling_for({{}, {.classes = {"drop"}}}).limits.bounds_result());
  CHECK(judge.ruling_for({{}}).limits.bounds_result());
  CHECK(judge.policy().rows_bound(Limiting{}).max == UINT64_MAX);
}

TEST_CASE("Limits that a listener cannot keep stop the configuration") {
  Settings settings;
  settings.targets.resize(1);
  settings.targets[0].name = "api";
  settings.policies = {allow("all")};
  settings.policies[0].limits = {.rows_max = 1, .bytes_max = 0, .rate = {}, .burst = 0};
  Listener listener;
  listener.target = "api";
  const auto policy = Policy::compile(settings, listener);
  REQUIRE_FALSE(policy.has_value());
  CHECK(policy.error().message ==
        "rule 'all': its limits are about SQL statements, which target 'api' does not take; give "
        "the rule 'targets' or 'operations'");
  settings.policies[0].http.emplace();
  settings.policies[0].sql.emplace();
  CHECK(Policy::compile(settings, listener).has_value());

  listener.protocol = Protocol::postgres;
  settings.policies[0].limits->rate = {1, seconds(1)};
  settings.policies.assign(65, settings.policies[0]);
  CHECK(Policy::compile(settings, listener).error().message ==
        "rule 'all': more than 64 rules with a rate");
  settings.policies.resize(64);
  CHECK(Policy::compile(settings, listener).has_value());
}

TEST_CASE("A rule of another protocol concerns no statement, and may not name this target") {
  PolicyRule http = allow("web");
  http.http.emplace();
  CHECK(Judge({http}).rule_for({{}}) == default_deny);

  Settings settings;
  settings.targets.resize(1);
  settings.targets[0].name = "db";
  http.targets = {"db"};
  settings.policies = {http};
  Listener listener;
  listener.protocol = Protocol::postgres;
  listener.target = "db";
  const auto policy = Policy::compile(settings, listener);
  REQUIRE_FALSE(policy.has_value());
  CHECK(policy.error().message ==
        "rule 'web': its operations can't occur at target 'db', which speaks PostgreSQL");
}

TEST_CASE("A mask that a PostgreSQL listener cannot apply stops the configuration") {
  Settings settings;
  settings.targets.resize(1);
  settings.targets[0].name = "db";
  settings.masks.resize(1);
  settings.masks[0].name = "m";
  Listener listener;
  listener.protocol = Protocol::postgres;
  listener.target = "db";
  settings.masks[0].find.builtins = {"email"};
  CHECK(Policy::compile(settings, listener).has_value());
  settings.masks[0].on = MaskDirection::both;
  CHECK(Policy::compile(settings, listener).error().message ==
        "mask 'm': statements to target 'db' cannot be masked; give the mask 'targets'");
}

TEST_CASE("A rule that holds gives nothing: what it holds must be allowed, too") {
  const Judge judge({hold("careful", of({"delete"})), allow("reads", of({"select"})),
                     hold("big", of({"delete", "update"}))});
  CHECK(judge.ruling_for({{.classes = {"select"}}}).kind == Ruling::Kind::allow);
  CHECK(judge.rule_for({{.classes = {"delete"}}}) == default_deny);

  const Judge wide({hold("careful", of({"delete"})), allow("all"), deny("no drop", of({"drop"})),
                    hold("big", of({"delete", "update"}))});
  const Ruling held = wide.ruling_for({{.classes = {"delete"}}});
  CHECK(held.kind == Ruling::Kind::hold);
  CHECK(held.rule == "careful");
  CHECK(held.holds == 0b11);
  CHECK(wide.policy().holds()[1].rule == "big");
  CHECK(wide.ruling_for({{.classes = {"update"}}}).holds == 0b10);
  CHECK(wide.ruling_for({{.classes = {"select"}}}).holds == 0);
}

TEST_CASE("Of a text's statements a denial counts more than a hold, and each must be allowed") {
  const Judge judge({hold("careful", of({"delete"})), deny("no drop", of({"drop"})),
                     allow("most", of({"delete", "drop", "select"}))});
  const Text reads{.classes = {"select"}};
  const Text deletes{.classes = {"delete"}};
  CHECK(judge.ruling_for({reads, deletes}).kind == Ruling::Kind::hold);
  CHECK(judge.ruling_for({deletes, {.classes = {"drop"}}}).kind == Ruling::Kind::deny);
  CHECK(judge.rule_for({deletes, {.classes = {"update"}}}) == default_deny);
}

TEST_CASE("A rule that holds is about what is opaque, or not understood, as one that denies") {
  SqlMatch unparsed;
  unparsed.unparsed = true;
  const Judge judge({hold("careful", on({"accounts"})), allow("all"), allow("odd", unparsed)});
  CHECK(judge.ruling_for({{.classes = {"do"}, .is_opaque = true}}).kind == Ruling::Kind::hold);
  CHECK(judge.rule_for_unparsed() == "careful");
}

}  // namespace sluice::config
