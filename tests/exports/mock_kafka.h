// A Kafka cluster of three brokers on loopback, librdkafka's own, and a consumer that reads one
// topic of it.
#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice::exports {

class MockKafka {
 public:
  struct Message {
    int partition = 0;
    std::string key;
    std::string value;
  };

  explicit MockKafka(const std::string& topic)
      : host_(handle(RD_KAFKA_PRODUCER, {})),
        cluster_(rd_kafka_mock_cluster_new(host_.get(), brokers_count)) {
    rd_kafka_mock_topic_create(cluster_.get(), topic.c_str(), partitions, brokers_count);
    reader_ = handle(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers()},
                                         {"group.id", "test"},
                                         {"reconnect.backoff.max.ms", "500"}});
    const std::unique_ptr<rd_kafka_topic_partition_list_t, Close> all(
        rd_kafka_topic_partition_list_new(partitions));
    for (int i = 0; i < partitions; ++i) {
      constexpr std::int64_t beginning = -2;
      rd_kafka_topic_partition_list_add(all.get(), topic.c_str(), i)->offset = beginning;
    }
    rd_kafka_assign(reader_.get(), all.get());
  }

  /// "127.0.0.1:1,127.0.0.1:2,127.0.0.1:3"
  [[nodiscard]] std::string brokers() const {
    return rd_kafka_mock_cluster_bootstraps(cluster_.get());
  }
  /// Brokers that are down close their connections and take none.
  void set_down(bool down) {
    for (int id = 1; id <= brokers_count; ++id) {
      down ? rd_kafka_mock_broker_set_down(cluster_.get(), id)
           : rd_kafka_mock_broker_set_up(cluster_.get(), id);
    }
  }
  /// What the next requests to produce are answered.
  void refuse(const std::vector<rd_kafka_resp_err_t>& errors) {
    constexpr std::int16_t produce = 0;
    rd_kafka_mock_push_request_errors_array(cluster_.get(), produce, errors.size(), errors.data());
  }
  std::optional<Message> next(int wait_ms) {
    const std::unique_ptr<rd_kafka_message_t, Close> found(
        rd_kafka_consumer_poll(reader_.get(), wait_ms));
    if (!found || found->err != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return Message{found->partition, text(found->key, found->key_len),
                   text(found->payload, found->len)};
  }

 private:
  struct Close {
    void operator()(rd_kafka_t* one) const noexcept { rd_kafka_destroy(one); }
    void operator()(rd_kafka_mock_cluster_t* one) const noexcept {
      rd_kafka_mock_cluster_destroy(one);
    }
    void operator()(rd_kafka_message_t* one) const noexcept { rd_kafka_message_destroy(one); }
    void operator()(rd_kafka_topic_partition_list_t* one) const noexcept {
      rd_kafka_topic_partition_list_destroy(one);
    }
  };
  using Handle = std::unique_ptr<rd_kafka_t, Close>;
  static constexpr int brokers_count = 3;
  static constexpr int partitions = 4;

  static std::string text(const void* bytes, std::size_t size) {
    return {static_cast<const char*>(bytes), size};
  }

  static Handle handle(rd_kafka_type_t type,
                       const std::vector<std::pair<std::string, std::string>>& settings) {
    std::array<char, 512> reason{};
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, nullptr);
    for (const auto& [name, value] : settings) {
      if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason.data(), reason.size()) !=
          RD_KAFKA_CONF_OK) {
        throw std::runtime_error(reason.data());
      }
    }
    Handle out(rd_kafka_new(type, conf, reason.data(), reason.size()));
    if (!out) throw std::runtime_error(reason.data());
    return out;
  }

  Handle host_;  ///< Whose thread the cluster runs on.
  std::unique_ptr<rd_kafka_mock_cluster_t, Close> cluster_;
  Handle reader_;
};

}  // namespace sluice::exports
