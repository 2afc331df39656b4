// Fills the structs of config/model/settings.h from a tree, by the table.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/load/load.h"
#include "config/load/schema.h"
#include "config/load/yaml_tree.h"

namespace sluice::config {

/// Where values and sections were written, by the address they were stored at.
/// Valid while the settings are not moved.
class Places {
 public:
  void note(const void* value, const Place& place) { values_.insert_or_assign(value, place); }
  /// Apart from values: a section and its first value share an address.
  void note_section(const void* owner, const Place& place) {
    sections_.insert_or_assign(owner, place);
  }
  /// `fallback` when the value was not written.
  [[nodiscard]] Place of(const void* value, const Place& fallback) const {
    const auto found = values_.find(value);
    return found == values_.end() ? fallback : found->second;
  }
  [[nodiscard]] Place of_section(const void* owner, const Place& fallback) const {
    const auto found = sections_.find(owner);
    return found == sections_.end() ? fallback : found->second;
  }
  [[nodiscard]] bool has_section(const void* owner) const { return sections_.contains(owner); }
  [[nodiscard]] bool has(const void* value) const { return values_.contains(value); }

 private:
  std::unordered_map<const void*, Place> values_;
  std::unordered_map<const void*, Place> sections_;
};

class Reader {
 public:
  /// base_directory  what relative paths are relative to.
  Reader(const World& world, std::string base_directory, std::vector<Problem>& problems)
      : world_(world), base_directory_(std::move(base_directory)), problems_(problems) {}

  void read_section(const YamlNode& node, const Table& table, void* owner);
  [[nodiscard]] const Places& places() const noexcept { return places_; }
  /// Of the environment, as they were filled in.
  [[nodiscard]] const std::map<std::string, std::string>& variables() const noexcept {
    return variables_;
  }

 private:
  void read_field(const YamlNode& node, const Field& field, void* owner);
  void read_number(const YamlNode& node, const Field& field, void* owner);
  void read_rate(const YamlNode& node, const Field& field, Rate& value);
  void read_choice(const YamlNode& node, const Field& field, void* owner);
  void read_text(const YamlNode& node, const Field& field, std::string& value);
  void read_texts(const YamlNode& node, const Field& field, std::vector<std::string>& values);
  void read_listen_address(const YamlNode& node, const Field& field, void* owner);
  void read_target_addresses(const YamlNode& node, const Field& field,
                             std::vector<SocketAddress>& values);
  void read_secret(const YamlNode& node, const Field& field, void* owner);
  void read_file(const YamlNode& node, const Field& field, std::string& value);
  void read_file_text(const YamlNode& node, const Field& field, FileText& value);
  void read_signing_key(const YamlNode& node, const Field& field, void* owner);
  void read_sections(const YamlNode& node, const Field& field, void* owner);
  void read_builtins_or_section(const YamlNode& node, const Field& field, void* owner);
  void read_choice_or_section(const YamlNode& node, const Field& field, void* owner);
  void read_word_or_section(const YamlNode& node, const Field& field, void* owner);
  void report_unknown_key(const YamlEntry& entry, const Table& table);

  /// The scalar with its `${env:NAME}` filled in.
  std::optional<std::string> text_of(const YamlNode& node, std::string_view wanted);
  std::optional<std::string> expanded(const YamlNode& node);
  /// The path that a reference file:… or cred:… names.
  std::optional<std::string> path_of(std::string_view reference, const Place& place);
  std::optional<std::string> read_path(const YamlNode& node, const Field& field);
  [[nodiscard]] std::string absolute(std::string_view path) const;
  bool is_list(const YamlNode& node, const Field& field);
  void report(const Place& place, std::string message, std::string suggestion = {});

  const World& world_;
  std::string base_directory_;
  std::vector<Problem>& problems_;
  Places places_;
  std::map<std::string, std::string> variables_;
};

}  // namespace sluice::config
