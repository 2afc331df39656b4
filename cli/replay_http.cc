// HTTP exchanges: their heads and bodies are what the items hold.
#include "cli/replay_event.h"

namespace sluice::cli {
namespace {

using recordings::ItemKind;
using Kind = ReplayEvent::Kind;

std::optional<Kind> kind_of(ItemKind kind) noexcept {
  switch (kind) {
    case ItemKind::request:
      return Kind::request;
    case ItemKind::request_body:
      return Kind::request_body;
    case ItemKind::response:
      return Kind::response;
    case ItemKind::response_body:
      return Kind::response_body;
    default:
      return std::nullopt;
  }
}

class HttpReplay final : public ReplayDecoder {
 public:
  bool add(const recordings::Item& item, const ReplaySink& sink) override {
    const auto kind = kind_of(item.kind);
    if (!kind) return false;
    ReplayEvent event;
    event.kind = *kind;
    event.time = {item.time_ns};
    event.operation = item.operation;
    event.text = as_text(item.content);
    sink(event);
    return true;
  }
};

}  // namespace

std::unique_ptr<ReplayDecoder> http_replay() {
  return std::make_unique<HttpReplay>();
}

}  // namespace sluice::cli
