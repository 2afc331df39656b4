#include "exports/kafka_destination.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <map>

namespace sluice::exports {
namespace {

using Configuration = std::map<std::string, std::string>;
struct CloseConfiguration {
  void operator()(rd_kafka_conf_t* conf) const noexcept { rd_kafka_conf_destroy(conf); }
};
using OwnedConfiguration = std::unique_ptr<rd_kafka_conf_t, CloseConfiguration>;

/// Sent again, the broker would say the same.
bool is_final(rd_kafka_resp_err_t error) noexcept {
  return error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || error == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

std::string_view mechanism_of(config::KafkaMechanism mechanism) noexcept {
  switch (mechanism) {
    case config::KafkaMechanism::plain:
      return "PLAIN";
    case config::KafkaMechanism::scram_sha_256:
      return "SCRAM-SHA-256";
    case config::KafkaMechanism::scram_sha_512:
      return "SCRAM-SHA-512";
  }
  return {};
}

Configuration configuration_of(const config::KafkaExport& settings) {
  Configuration out{
      {"bootstrap.servers", fmt::format("{}", fmt::join(settings.brokers, ","))},
      {"client.id", "sluice"},
      {"acks", "all"},
      {"enable.idempotence", "true"},
      // No message overtakes another of its session: none times out by itself, and behind one
      // that fails nothing arrives.
      {"message.timeout.ms", "0"},
      {"enable.gapless.guarantee", "true"},
      {"topic.metadata.propagation.max.ms", "5000"},
      // As Java's producers, so that consumers may join topics by key.
      {"partitioner", "murmur2_random"},
      {"security.protocol", settings.tls ? (settings.login ? "sasl_ssl" : "ssl") : "plaintext"}};
  if (settings.tls) {
    out["enable.ssl.certificate.verification"] = "true";
    out["ssl.endpoint.identification.algorithm"] = "https";
    if (!settings.ca_file.empty()) out["ssl.ca.location"] = settings.ca_file;
  }
  if (settings.login) {
    out["sasl.mechanism"] = mechanism_of(settings.login->mechanism);
    out["sasl.username"] = settings.login->user;
    out["sasl.password"] = settings.login->password.value;
  }
  return out;
}

}  // namespace

KafkaDestination::~KafkaDestination() = default;

void KafkaDestination::CloseProducer::operator()(rd_kafka_s* producer) const noexcept {
  rd_kafka_destroy(producer);
}

void KafkaDestination::CloseTopic::operator()(rd_kafka_topic_s* topic) const noexcept {
  rd_kafka_topic_destroy(topic);
}

/// "KEY LINE\n"; neither has a line feed, and the key no blank.
std::string KafkaDestination::frame(const ExportedRecord& record, std::string line) const {
  const std::string session = record.text("session");
  return fmt::format("{}{}{} {}\n", record.text("epoch"), session.empty() ? "" : "-", session,
                     line);
}

Result<void, SendError> KafkaDestination::send(const Batch& batch) {
  if (auto done = open(); !done) return tl::unexpected(done.error());
  delivery_ = {};
  produce(batch.frames);
  const auto timeout_ms = static_cast<int>(settings_.timeout.ns / 1'000'000);
  rd_kafka_flush(producer_.get(), timeout_ms);
  if (delivery_.arrived == batch.records) return {};
  const std::string& reason = delivery_.error.empty() ? delivery_.trouble : delivery_.error;
  const std::string message =
      fmt::format("{} of {} records have not arrived: {}", batch.records - delivery_.arrived,
                  batch.records, reason.empty() ? "no answer in time" : reason);
  // With all that it still holds: nothing of this batch comes behind its repetition.
  topic_.reset();
  producer_.reset();
  if (delivery_.is_final) return fail_for_good(message);
  return fail(message);
}

Result<void> KafkaDestination::open() {
  if (producer_) return {};
  std::array<char, 512> reason{};
  OwnedConfiguration conf(rd_kafka_conf_new());
  for (const auto& [name, value] : configuration_of(settings_)) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), reason.data(), reason.size()) !=
        RD_KAFKA_CONF_OK) {
      return fail(reason.data());
    }
  }
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &KafkaDestination::on_delivery);
  rd_kafka_conf_set_error_cb(conf.get(), &KafkaDestination::on_error);
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);  // What matters comes as an error.
  producer_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), reason.data(), reason.size()));
  if (!producer_) return fail(reason.data());
  static_cast<void>(conf.release());  // The producer's now.
  topic_.reset(rd_kafka_topic_new(producer_.get(), settings_.topic.c_str(), nullptr));
  if (topic_) return {};
  producer_.reset();
  return fail(rd_kafka_err2str(rd_kafka_last_error()));
}

/// Hands all of it to librdkafka, whose queue is larger than any batch.
void KafkaDestination::produce(std::string_view frames) {
  constexpr std::int32_t any_partition = -1;
  std::string line;
  while (!frames.empty()) {
    const std::size_t blank = frames.find(' ');
    const std::size_t end = frames.find('\n');
    const std::string_view key = frames.substr(0, blank);
    line = frames.substr(blank + 1, end - blank - 1);
    frames.remove_prefix(end + 1);
    const int done = rd_kafka_produce(topic_.get(), any_partition, RD_KAFKA_MSG_F_COPY, line.data(),
                                      line.size(), key.data(), key.size(), nullptr);
    if (done == 0) continue;
    const rd_kafka_resp_err_t error = rd_kafka_last_error();
    delivery_.error = rd_kafka_err2str(error);
    delivery_.is_final = is_final(error);
    return;  // What stands behind it must not arrive before it.
  }
}

void KafkaDestination::note(const rd_kafka_message_s& message) {
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++delivery_.arrived;
    return;
  }
  delivery_.is_final = delivery_.is_final || is_final(message.err);
  if (delivery_.error.empty()) delivery_.error = rd_kafka_err2str(message.err);
}

// Both are called on the export's thread, out of rd_kafka_flush.

void KafkaDestination::on_delivery(rd_kafka_s* /*producer*/, const rd_kafka_message_s* message,
                                   void* self) {
  static_cast<KafkaDestination*>(self)->note(*message);
}

void KafkaDestination::on_error(rd_kafka_s* /*producer*/, int /*code*/, const char* reason,
                                void* self) {
  static_cast<KafkaDestination*>(self)->delivery_.trouble = reason;
}

}  // namespace sluice::exports
