// What would happen to an operation that nobody sends.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::control::api {

/// An operation of a listener's protocol: a request with a method, or a text of SQL.
struct PolicyQuestion {
  std::string listener;
  std::string subject;  ///< Empty: nobody is proved.
  std::vector<std::string> groups = {};
  std::string method = {};
  std::string path = {};  ///< With its query.
  std::string host = "localhost";
  std::vector<std::string> headers = {};  ///< "name: value"
  std::optional<std::string> body = {};   ///< Nothing: it is not known.
  std::string sql = {};
  std::vector<std::string> search_path = {"public"};
};

struct PolicyAnswer {
  std::string_view ruling;  ///< "allow", "deny", "hold"; "needs-body" where that alone can tell.
  std::string rule = {};
  std::string reason = {};
  std::string operation = {};  ///< As rules see it.
  bool is_recorded = false;    ///< In full.
  std::vector<std::string> masks = {};
};

/// A JSON object.
[[nodiscard]] std::string json_of(const PolicyAnswer& answer);

}  // namespace sluice::control::api
