#include "evidence/manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text_codec.h"

namespace sluice::evidence {
namespace {

using Json = nlohmann::ordered_json;

constexpr int format = 1;

Json hashes_json(const std::vector<audit::Hash>& hashes) {
  Json out = Json::array();
  for (const audit::Hash& hash : hashes) out.push_back(to_hex(hash));
  return out;
}

Json seen_json(const SeenCheckpoint& seen) {
  return {{"log_records", seen.log_records}, {"after", hashes_json(seen.after)}};
}

/// Throws what nlohmann's library throws; parse_manifest() catches.
audit::Hash hash_of(const Json& text) {
  const auto bytes = from_hex(text.get<std::string>());
  audit::Hash out{};
  if (!bytes || bytes->size() != out.size()) throw std::invalid_argument("a hash is none");
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

std::vector<audit::Hash> hashes_of(const Json& list) {
  std::vector<audit::Hash> out;
  for (const Json& text : list) out.push_back(hash_of(text));
  return out;
}

SeenCheckpoint seen_of(const Json& seen) {
  return {seen.at("log_records").get<std::uint64_t>(), hashes_of(seen.at("after"))};
}

}  // namespace

std::string to_json(const Manifest& manifest) {
  Json filter = Json::object();
  for (const auto& [name, value] : manifest.filter) filter[name] = value;
  Json files = Json::object();
  for (const FileDigest& file : manifest.files) {
    files[file.name] = {{"bytes", file.bytes}, {"sha256", to_hex(file.sha256)}};
  }
  Json timestamps = Json::array();
  for (const SeenCheckpoint& stamped : manifest.timestamps) {
    timestamps.push_back(seen_json(stamped));
  }
  Json page{{"sluice_evidence", format},
            {"kind", manifest.is_filtered() ? "filtered" : "complete"},
            {"origin", manifest.origin},
            {"key", manifest.key},
            {"made", manifest.made},
            {"from", manifest.from},
            {"until", manifest.until},
            {"filter", std::move(filter)},
            {"first_record", manifest.first_record},
            {"end_record", manifest.end_record},
            {"records_shown", manifest.records_shown},
            {"log_records", manifest.log_records},
            {"log_root", to_hex(manifest.log_root)},
            {"left", hashes_json(manifest.left)},
            {"right", hashes_json(manifest.right)},
            {"timestamps", std::move(timestamps)},
            {"cosigned", manifest.cosigned ? seen_json(*manifest.cosigned) : Json()},
            {"files", std::move(files)}};
  // Only where there are any, so that packages of before are as they were.
  if (!manifest.removed_recordings.empty()) {
    page["removed_recordings"] = manifest.removed_recordings;
  }
  return page.dump(2) + '\n';
}

Result<Manifest> parse_manifest(std::string_view text) {
  Manifest out;
  try {
    const Json page = Json::parse(text);
    out.origin = page.at("origin").get<std::string>();
    out.key = page.at("key").get<std::string>();
    out.made = page.at("made").get<std::string>();
    out.from = page.at("from").get<std::string>();
    out.until = page.at("until").get<std::string>();
    for (const auto& [name, value] : page.at("filter").items()) {
      out.filter.emplace_back(name, value.get<std::string>());
    }
    out.first_record = page.at("first_record").get<std::uint64_t>();
    out.end_record = page.at("end_record").get<std::uint64_t>();
    out.records_shown = page.at("records_shown").get<std::uint64_t>();
    out.log_records = page.at("log_records").get<std::uint64_t>();
    out.log_root = hash_of(page.at("log_root"));
    out.left = hashes_of(page.at("left"));
    out.right = hashes_of(page.at("right"));
    for (const Json& stamped : page.at("timestamps")) out.timestamps.push_back(seen_of(stamped));
    if (!page.at("cosigned").is_null()) out.cosigned = seen_of(page.at("cosigned"));
    for (const auto& [name, file] : page.at("files").items()) {
      out.files.push_back(
          {name, file.at("bytes").get<std::uint64_t>(), hash_of(file.at("sha256"))});
    }
    if (const auto removed = page.find("removed_recordings"); removed != page.end()) {
      removed->get_to(out.removed_recordings);
    }
  } catch (const std::exception& fault) {
    return fail(std::string("the manifest cannot be read: ") + fault.what());
  }
  if (to_json(out) != text) return fail("the manifest is not written as this version writes it");
  return out;
}

}  // namespace sluice::evidence
