// A document of XML without what SAML has no use for: no document type and so no entities, no
// comments, no processing instructions, no CDATA. Only in the reader process; private to this room.
//
// source   XML 1.0, Namespaces in XML 1.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "saml/fault.h"

// As libxml2 declares them.
struct _xmlDoc;
struct _xmlNode;
using xmlDoc = _xmlDoc;
using xmlDocPtr = xmlDoc*;
using xmlNode = _xmlNode;
using xmlNodePtr = xmlNode*;

namespace sluice::saml {

inline constexpr int xml_depth_max = 32;
inline constexpr std::size_t xml_elements_max = 4096;
/// Of one element; namespaces count as well.
inline constexpr int xml_attributes_max = 32;

namespace ns {
inline constexpr std::string_view protocol = "urn:oasis:names:tc:SAML:2.0:protocol";
inline constexpr std::string_view assertion = "urn:oasis:names:tc:SAML:2.0:assertion";
inline constexpr std::string_view signature = "http://www.w3.org/2000/09/xmldsig#";
}  // namespace ns

class XmlDocument {
 public:
  /// text  UTF-8, whatever it says of itself.
  static Result<XmlDocument, Fault> parse(std::string_view text);

  [[nodiscard]] xmlDocPtr get() const noexcept { return document_.get(); }
  [[nodiscard]] xmlNodePtr root() const noexcept;

 private:
  struct Free {
    void operator()(xmlDocPtr document) const noexcept;
  };
  explicit XmlDocument(xmlDocPtr document) : document_(document) {}

  std::unique_ptr<xmlDoc, Free> document_;
};

[[nodiscard]] bool is_element(const xmlNode& node, std::string_view space,
                              std::string_view name) noexcept;
/// The element behind this one in the document's order; null at the end.
[[nodiscard]] xmlNodePtr next_element(xmlNodePtr element) noexcept;
/// Child elements, in order.
[[nodiscard]] std::vector<xmlNodePtr> children(const xmlNode& parent);
[[nodiscard]] std::vector<xmlNodePtr> children(const xmlNode& parent, std::string_view space,
                                               std::string_view name);
/// Empty: it has none, of no namespace, of that name.
[[nodiscard]] std::string attribute(const xmlNode& element, const char* name);
/// What is between its tags, without spaces around it. errors  mixed_content
[[nodiscard]] Result<std::string, Fault> text_of(const xmlNode& element);

}  // namespace sluice::saml
