#include "saml/xml_document.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <climits>

namespace sluice::saml {
namespace {

/// What the parser's callbacks found.
struct Findings {
  Fault fault = Fault::none;
  std::size_t elements = 0;
};

xmlParserCtxtPtr parser_of(void* context) {
  return static_cast<xmlParserCtxtPtr>(context);
}

void refuse(void* context, Fault fault) {
  auto& findings = *static_cast<Findings*>(parser_of(context)->_private);
  if (findings.fault == Fault::none) findings.fault = fault;
  xmlStopParser(parser_of(context));
}

void on_document_type(void* context, const xmlChar* /*name*/, const xmlChar* /*external*/,
                      const xmlChar* /*system*/) {
  refuse(context, Fault::document_type);
}
void on_instruction(void* context, const xmlChar* /*target*/, const xmlChar* /*data*/) {
  refuse(context, Fault::processing_instruction);
}
void on_comment(void* context, const xmlChar* /*text*/) {
  refuse(context, Fault::comment);
}
void on_character_data(void* context, const xmlChar* /*text*/, int /*size*/) {
  refuse(context, Fault::character_data);
}
void on_element(void* context, const xmlChar* name, const xmlChar* prefix, const xmlChar* uri,
                int namespaces, const xmlChar** namespace_list, int attributes, int defaulted,
                const xmlChar** attribute_list) {
  auto& findings = *static_cast<Findings*>(parser_of(context)->_private);
  if (parser_of(context)->nameNr >= xml_depth_max) return refuse(context, Fault::too_deep);
  if (++findings.elements > xml_elements_max || namespaces + attributes > xml_attributes_max) {
    return refuse(context, Fault::too_complex);
  }
  xmlSAX2StartElementNs(context, name, prefix, uri, namespaces, namespace_list, attributes,
                        defaulted, attribute_list);
}

struct FreeParser {
  void operator()(xmlParserCtxtPtr parser) const noexcept { xmlFreeParserCtxt(parser); }
};

std::string_view view(const xmlChar* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view without_space_around(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

void XmlDocument::Free::operator()(xmlDocPtr document) const noexcept {
  xmlFreeDoc(document);
}

xmlNodePtr XmlDocument::root() const noexcept {
  return xmlDocGetRootElement(document_.get());
}

Result<XmlDocument, Fault> XmlDocument::parse(std::string_view text) {
  const std::unique_ptr<xmlParserCtxt, FreeParser> parser(xmlNewParserCtxt());
  if (!parser || text.size() > INT_MAX) return tl::unexpected(Fault::bad_xml);
  Findings findings;
  parser->_private = &findings;
  parser->sax->internalSubset = on_document_type;
  parser->sax->processingInstruction = on_instruction;
  parser->sax->comment = on_comment;
  parser->sax->cdataBlock = on_character_data;
  parser->sax->startElementNs = on_element;
  XmlDocument document(
      xmlCtxtReadMemory(parser.get(), text.data(), static_cast<int>(text.size()), nullptr, "UTF-8",
                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
  if (findings.fault != Fault::none) return tl::unexpected(findings.fault);
  const bool is_good = document.get() != nullptr && document.root() != nullptr &&
                       parser->wellFormed != 0 && parser->nsWellFormed != 0;
  if (!is_good) return tl::unexpected(Fault::bad_xml);
  return document;
}

bool is_element(const xmlNode& node, std::string_view space, std::string_view name) noexcept {
  return node.type == XML_ELEMENT_NODE && node.ns != nullptr && view(node.ns->href) == space &&
         view(node.name) == name;
}

xmlNodePtr next_element(xmlNodePtr element) noexcept {
  xmlNodePtr child = xmlFirstElementChild(element);
  if (child != nullptr) return child;
  for (; element != nullptr && element->type == XML_ELEMENT_NODE; element = element->parent) {
    if (xmlNodePtr next = xmlNextElementSibling(element)) return next;
  }
  return nullptr;
}

std::vector<xmlNodePtr> children(const xmlNode& parent) {
  std::vector<xmlNodePtr> out;
  for (xmlNodePtr node = parent.children; node != nullptr; node = node->next) {
    if (node->type == XML_ELEMENT_NODE) out.push_back(node);
  }
  return out;
}

std::vector<xmlNodePtr> children(const xmlNode& parent, std::string_view space,
                                 std::string_view name) {
  std::vector<xmlNodePtr> out;
  for (xmlNodePtr child : children(parent)) {
    if (is_element(*child, space, name)) out.push_back(child);
  }
  return out;
}

std::string attribute(const xmlNode& element, const char* name) {
  struct Free {
    void operator()(xmlChar* text) const noexcept { xmlFree(text); }
  };
  const std::unique_ptr<xmlChar, Free> value(
      xmlGetNoNsProp(&element, reinterpret_cast<const xmlChar*>(name)));
  return std::string(view(value.get()));
}

Result<std::string, Fault> text_of(const xmlNode& element) {
  std::string text;
  for (const xmlNode* node = element.children; node != nullptr; node = node->next) {
    // Nothing may stand between two parts of a value: readers have differed about such ones.
    if (node->type != XML_TEXT_NODE) return tl::unexpected(Fault::mixed_content);
    text += view(node->content);
  }
  return std::string(without_space_around(text));
}

}  // namespace sluice::saml
