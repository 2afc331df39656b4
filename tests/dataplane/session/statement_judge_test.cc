#include "dataplane/session/statement_judge.h"

#include <catch2/catch.hpp>

#include <array>

#include "dataplane/upstream/pool.h"
#include "identity/api_keys.h"
#include "matcher/scratch.h"
#include "snapshot_of.h"

namespace sluice::dataplane {
namespace {

/// What is found out about a text.
std::shared_ptr<const StatementInfo> info_of(std::string_view text) {
  const auto key =
      identity::make_key("ann", {}, {INT64_MAX}, std::array<std::uint8_t, 32>{1, 2, 3});
  const auto snapshot = test::snapshot_of(test::open_gateway({}), key.yaml_entry);
  const TargetPlan& target = snapshot->targets.front();
  UpstreamPool pool(target.settings.name, target.endpoints, target.endpoint_texts);
  SnapshotView view(snapshot, {{&pool, std::make_shared<Histogram>()}});
  matcher::Scratch scratch;
  const FingerprintKey secret = FingerprintKey::random();
  return StatementJudge(secret).judge(text, {&view, 0, 0, {}}, scratch).info;
}

TEST_CASE("A text that is not understood may have changed all that later ones are judged by") {
  for (const char* text : {"SELEC 1", "SET search_path = (", "'", "SELECT 1 SELECT 2"}) {
    CAPTURE(text);
    const auto info = info_of(text);
    CHECK_FALSE(info->is_parsed);
    CHECK(info->may_change_search_path);
    CHECK(info->may_change_schema);
    CHECK(info->is_opaque);
    CHECK(info->prepares);
    CHECK(info->names_ours);
    CHECK(info->trace == sql::SessionTrace::indelible);
  }
}

TEST_CASE("A plain SELECT changes nothing") {
  const auto info = info_of("SELECT a FROM t WHERE b = 1");
  CHECK(info->is_parsed);
  CHECK_FALSE(info->may_change_search_path);
  CHECK_FALSE(info->may_change_schema);
  CHECK_FALSE(info->is_opaque);
  CHECK_FALSE(info->prepares);
  CHECK_FALSE(info->names_ours);
  CHECK(info->trace == sql::SessionTrace::none);
}

}  // namespace
}  // namespace sluice::dataplane
