#include "cli/policy_question.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/rehearse.h"

namespace sluice::cli {
namespace {

using control::api::PolicyAnswer;
using control::api::PolicyQuestion;

Result<dataplane::RehearsedRequest> request_of(const PolicyQuestion& question) {
  dataplane::RehearsedRequest out;
  out.method = question.method;
  out.target = question.path;
  out.host = question.host;
  out.body = question.body;
  for (const std::string& header : question.headers) {
    const std::size_t colon = header.find(':');
    if (colon == header.npos) return fail(fmt::format("'{}' is no \"name: value\"", header));
    const std::size_t value = std::min(header.find_first_not_of(' ', colon + 1), header.size());
    out.fields.emplace_back(header.substr(0, colon), header.substr(value));
  }
  return out;
}

Result<dataplane::RehearsedRuling> judge(dataplane::Rehearsal& rehearsal, std::size_t listener,
                                         const PolicyQuestion& question) {
  config::Principal who;
  who.subject = question.subject;
  who.groups = question.groups;
  who.proof = config::Proof::oidc;
  if (question.sql.empty()) {
    const auto request = request_of(question);
    if (!request) return tl::unexpected(request.error());
    return rehearsal.judge(listener, question.subject.empty() ? nullptr : &who, *request);
  }
  if (question.subject.empty()) return fail("a database's client is always somebody: name it");
  const auto path = views_of(question.search_path);
  return rehearsal.judge(listener, who, question.sql, path);
}

}  // namespace

Result<PolicyAnswer> answer(dataplane::Rehearsal& rehearsal, const PolicyQuestion& question) {
  const auto listener = rehearsal.listener(question.listener);
  if (!listener) return fail(fmt::format("there is no listener '{}'", question.listener));
  if (question.method.empty() == question.sql.empty()) {
    return fail("name an operation: a request or a text of SQL");
  }
  const bool is_http = rehearsal.protocol(*listener) == config::Protocol::http;
  if (is_http != question.sql.empty()) {
    return fail("that is no operation of this listener's protocol");
  }
  auto ruling = judge(rehearsal, *listener, question);
  if (!ruling) return tl::unexpected(ruling.error());
  return PolicyAnswer{.ruling = text(ruling->kind),
                      .rule = std::move(ruling->rule),
                      .reason = std::move(ruling->reason),
                      .operation = std::move(ruling->operation),
                      .is_recorded = ruling->is_recorded,
                      .masks = std::move(ruling->masks)};
}

}  // namespace sluice::cli
