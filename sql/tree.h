// Reading a parse tree that is JSON: what is not there reads as nothing. Internal
// to sql.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::sql {

/// The member, or null.
const nlohmann::json& at(const nlohmann::json& tree, std::string_view key);
std::string text_at(const nlohmann::json& tree, std::string_view key);
bool flag_at(const nlohmann::json& tree, std::string_view key);
/// The String members of a list, in order; others are left out.
std::vector<std::string> names_at(const nlohmann::json& tree, std::string_view key);

/// A node is {"Tag": body}. Empty for anything else.
std::string_view tag_of(const nlohmann::json& tree);
const nlohmann::json& body_of(const nlohmann::json& tree);

/// Something in it is made TEMPORARY, or is named in the schema that each session has
/// for that.
bool is_temporary(const nlohmann::json& tree);

/// A ColumnRef that ends in a star.
bool is_star(const nlohmann::json& column_reference);

/// What an A_Const holds, or a cast of one, as text. Nothing for NULL and other nodes.
std::optional<std::string> constant_text(const nlohmann::json& tagged);

}  // namespace sluice::sql
