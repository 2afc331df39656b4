// Messages in a topic of Kafka, one for each record. The only place that knows librdkafka.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "config/model/settings.h"
#include "exports/destination.h"

struct rd_kafka_s;
struct rd_kafka_topic_s;
struct rd_kafka_message_s;

namespace sluice::exports {

/// Has arrived what the topic's in-sync replicas have (acks=all), as delivery reports say.
/// Records of a session have one key, so they are in one partition, in order.
class KafkaDestination final : public Destination {
 public:
  explicit KafkaDestination(config::KafkaExport settings) : settings_(std::move(settings)) {}
  ~KafkaDestination() override;
  KafkaDestination(const KafkaDestination&) = delete;
  KafkaDestination& operator=(const KafkaDestination&) = delete;

  [[nodiscard]] std::string frame(const ExportedRecord& record, std::string line) const override;
  [[nodiscard]] Result<void, SendError> send(const Batch& batch) override;

 private:
  struct CloseProducer {
    void operator()(rd_kafka_s* producer) const noexcept;
  };
  struct CloseTopic {
    void operator()(rd_kafka_topic_s* topic) const noexcept;
  };
  /// What became of the batch under way.
  struct Delivery {
    std::size_t arrived = 0;
    std::string error;      ///< Of the first message that failed.
    std::string trouble;    ///< What was last heard of brokers.
    bool is_final = false;  ///< Some message will never be taken.
  };

  Result<void> open();
  void produce(std::string_view frames);
  void note(const rd_kafka_message_s& message);
  static void on_delivery(rd_kafka_s* producer, const rd_kafka_message_s* message, void* self);
  static void on_error(rd_kafka_s* producer, int code, const char* reason, void* self);

  config::KafkaExport settings_;
  Delivery delivery_;
  std::unique_ptr<rd_kafka_s, CloseProducer> producer_;
  std::unique_ptr<rd_kafka_topic_s, CloseTopic> topic_;  ///< Goes before its producer.
};

}  // namespace sluice::exports
