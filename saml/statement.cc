#include "saml/statement.h"

#include <optional>

#include "saml/response_shape.h"
#include "saml/xml_document.h"

namespace sluice::saml {
namespace {

/// Keeps the first fault; what is read behind it is not looked at.
class Reading {
 public:
  explicit Reading(const StatementRequest& request) : request_(request) {}

  Fault read(const xmlNode& element, Assertion& out) {
    out.id = attribute(element, "ID");
    out.issuer = text_of_only(element, "Issuer", Fault::incomplete);
    if (const xmlNode* subject = only(element, "Subject", Fault::no_subject)) {
      read_subject(*subject, out);
    }
    if (const xmlNode* conditions = only(element, "Conditions", Fault::incomplete)) {
      read_conditions(*conditions, out);
    }
    const auto sessions = children(element, ns::assertion, "AuthnStatement");
    // Core §4.1.4.2: what is to sign somebody in says that they were authenticated.
    if (sessions.empty()) refuse(Fault::incomplete);
    for (const xmlNode* session : sessions) {
      out.sessions_end.push_back(attribute(*session, "SessionNotOnOrAfter"));
    }
    for (const xmlNode* list : children(element, ns::assertion, "AttributeStatement")) {
      for (const xmlNode* one : children(*list, ns::assertion, "Attribute")) {
        read_attribute(*one, request_.subject_attribute, out.subject);
        read_attribute(*one, request_.groups_attribute, out.groups);
      }
    }
    return fault_;
  }

 private:
  void refuse(Fault fault) {
    if (fault_ == Fault::none) fault_ = fault;
  }

  const xmlNode* only(const xmlNode& parent, std::string_view name, Fault otherwise) {
    const auto found = children(parent, ns::assertion, name);
    if (found.size() == 1) return found.front();
    refuse(otherwise);
    return nullptr;
  }

  std::string text(const xmlNode& element) {
    auto read = text_of(element);
    if (read) return std::move(*read);
    refuse(read.error());
    return {};
  }
  std::string text_of_only(const xmlNode& parent, std::string_view name, Fault otherwise) {
    const xmlNode* const element = only(parent, name, otherwise);
    return element == nullptr ? std::string() : text(*element);
  }

  void read_subject(const xmlNode& subject, Assertion& out) {
    const auto names = children(subject, ns::assertion, "NameID");
    if (names.size() > 1) refuse(Fault::bad_subject);
    if (names.size() == 1) {
      out.name_id = text(*names.front());
      out.name_id_format = attribute(*names.front(), "Format");
    }
    for (const xmlNode* one : children(subject, ns::assertion, "SubjectConfirmation")) {
      Confirmation& confirmation = out.confirmations.emplace_back();
      confirmation.method = attribute(*one, "Method");
      const auto data = children(*one, ns::assertion, "SubjectConfirmationData");
      if (data.size() > 1) refuse(Fault::incomplete);
      if (data.size() != 1) continue;
      confirmation.recipient = attribute(*data.front(), "Recipient");
      confirmation.in_response_to = attribute(*data.front(), "InResponseTo");
      confirmation.not_before = attribute(*data.front(), "NotBefore");
      confirmation.not_on_or_after = attribute(*data.front(), "NotOnOrAfter");
    }
  }

  void read_conditions(const xmlNode& conditions, Assertion& out) {
    out.not_before = attribute(conditions, "NotBefore");
    out.not_on_or_after = attribute(conditions, "NotOnOrAfter");
    for (const xmlNode* condition : children(conditions)) {
      if (is_element(*condition, ns::assertion, "AudienceRestriction")) {
        auto& audiences = out.audiences.emplace_back();
        for (const xmlNode* audience : children(*condition, ns::assertion, "Audience")) {
          audiences.push_back(text(*audience));
        }
        continue;
      }
      // OneTimeUse is what each assertion is here; ProxyRestriction is for who issues others.
      const bool is_met = is_element(*condition, ns::assertion, "OneTimeUse") ||
                          is_element(*condition, ns::assertion, "ProxyRestriction");
      if (!is_met) refuse(Fault::unknown_condition);
    }
  }

  void read_attribute(const xmlNode& element, const std::string& wanted, Attribute& out) {
    if (wanted.empty() || attribute(element, "Name") != wanted) return;
    if (out.is_there) refuse(Fault::repeated_attribute);
    out.is_there = true;
    for (const xmlNode* value : children(element, ns::assertion, "AttributeValue")) {
      out.values.push_back(text(*value));
    }
  }

  const StatementRequest& request_;
  Fault fault_ = Fault::none;
};

}  // namespace

Result<Statement, Fault> read_statement(const StatementRequest& request) {
  const auto document = XmlDocument::parse(request.element);
  if (!document) return tl::unexpected(document.error());
  const auto shape = signed_shape(*document);
  if (!shape) return tl::unexpected(shape.error());
  Statement out;
  if (shape->response != nullptr) {
    auto envelope = envelope_of(*shape->response);
    if (!envelope) return tl::unexpected(envelope.error());
    out.has_envelope = true;
    out.envelope = std::move(*envelope);
  }
  const Fault fault = Reading(request).read(*shape->assertion, out.assertion);
  if (fault != Fault::none) return tl::unexpected(fault);
  return out;
}

}  // namespace sluice::saml
