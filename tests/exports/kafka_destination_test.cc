#include "exports/kafka_destination.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "mock_kafka.h"
#include "sample.h"

namespace sluice::exports {
namespace {

config::KafkaExport settings_for(const MockKafka& kafka, Duration timeout) {
  config::KafkaExport out;
  out.brokers = {kafka.brokers()};
  out.topic = "audit";
  out.timeout = timeout;
  return out;
}

/// So many records of each of the sessions 1 to 6, whose lines are their indices.
Batch batch_of(const KafkaDestination& destination, std::size_t records) {
  Batch out;
  for (; out.records < records; ++out.records) {
    audit::Record record = audit::sample_intent();
    record.session = 1 + out.records % 6;
    out.frames += destination.frame(exported(record), std::to_string(out.records));
  }
  return out;
}

/// All that comes until nothing does any more.
std::vector<MockKafka::Message> read_all(MockKafka& kafka, std::size_t at_least) {
  std::vector<MockKafka::Message> out;
  for (int silence = 0; silence < (out.size() < at_least ? 200 : 5);) {
    if (auto message = kafka.next(100)) {
      out.push_back(std::move(*message));
      silence = 0;
    } else {
      ++silence;
    }
  }
  return out;
}

/// But for repetitions, which begin again somewhere before.
bool is_in_order_by_key(const std::vector<MockKafka::Message>& messages) {
  std::map<std::string, std::size_t> next;
  for (const auto& message : messages) {
    const std::size_t number = std::stoul(message.value);
    auto [at, is_new] = next.try_emplace(message.key, number);
    if (number > at->second || (is_new && number >= 6)) return false;
    if (number == at->second) at->second += 6;
  }
  return true;
}

std::size_t different(const std::vector<MockKafka::Message>& messages) {
  std::set<std::string> values;
  for (const auto& message : messages) values.insert(message.value);
  return values.size();
}

}  // namespace

TEST_CASE("Records of a session arrive in one partition of Kafka, in order") {
  MockKafka kafka("audit");
  KafkaDestination destination(settings_for(kafka, seconds(30)));
  REQUIRE(destination.send(batch_of(destination, 600)).has_value());
  const auto messages = read_all(kafka, 600);
  CHECK(messages.size() == 600);
  CHECK(different(messages) == 600);
  CHECK(is_in_order_by_key(messages));
  std::map<std::string, std::set<int>> partitions;
  for (const auto& message : messages) partitions[message.key].insert(message.partition);
  REQUIRE(partitions.size() == 6);
  CHECK(partitions.begin()->first == "0000000000000abc-1");
  for (const auto& [key, of_key] : partitions) CHECK(of_key.size() == 1);
}

TEST_CASE("A record of no session has its process as key in Kafka") {
  KafkaDestination destination({});
  audit::Record record;
  record.phase = audit::Phase::heartbeat;
  CHECK(destination.frame(exported(record), "line") == "0000000000000abc line\n");
}

TEST_CASE("A login to Kafka inside of TLS is one that librdkafka can make") {
  config::KafkaExport settings;
  settings.brokers = {"127.0.0.1:1"};
  settings.topic = "audit";
  settings.tls = true;
  settings.timeout = seconds(1);
  using enum config::KafkaMechanism;
  for (const auto mechanism : {plain, scram_sha_256, scram_sha_512}) {
    settings.login = config::KafkaLogin{"gw", {"env:X", "secret"}, mechanism};
    KafkaDestination destination(settings);
    const auto failed = destination.send(batch_of(destination, 1));
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().message.starts_with("1 of 1 records have not arrived: "));
  }
  settings.ca_file = "/nowhere.pem";
  KafkaDestination destination(settings);
  const auto failed = destination.send(batch_of(destination, 1));
  REQUIRE_FALSE(failed.has_value());
  INFO(failed.error().message);
  CHECK(failed.error().message.find("ssl.ca.location") != std::string::npos);
}

TEST_CASE("A batch that Kafka did not take in its time fails, and arrives later") {
  MockKafka kafka("audit");
  KafkaDestination destination(settings_for(kafka, seconds(2)));
  const Batch batch = batch_of(destination, 60);
  kafka.set_down(true);
  const auto failed = destination.send(batch);
  REQUIRE_FALSE(failed.has_value());
  INFO(failed.error().message);
  CHECK(failed.error().message.starts_with("60 of 60 records have not arrived: "));
  CHECK_FALSE(failed.error().is_final);
  kafka.set_down(false);
  for (int attempt = 0; attempt < 10 && !destination.send(batch); ++attempt) {
  }
  const auto messages = read_all(kafka, 60);
  CHECK(different(messages) == 60);
  CHECK(is_in_order_by_key(messages));
}

TEST_CASE("What Kafka refuses for a while is sent again inside of the same batch") {
  MockKafka kafka("audit");
  KafkaDestination destination(settings_for(kafka, seconds(30)));
  kafka.refuse({RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT});
  REQUIRE(destination.send(batch_of(destination, 60)).has_value());
  const auto messages = read_all(kafka, 60);
  CHECK(different(messages) == 60);
  CHECK(is_in_order_by_key(messages));
}

TEST_CASE("What Kafka will never take fails for good, and nothing overtakes it") {
  MockKafka kafka("audit");
  KafkaDestination destination(settings_for(kafka, seconds(5)));
  SECTION("because a broker says so") {
    const Batch batch = batch_of(destination, 60);
    kafka.refuse({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
    const auto failed = destination.send(batch);
    REQUIRE_FALSE(failed.has_value());
    INFO(failed.error().message);
    CHECK(failed.error().is_final);
    CHECK(is_in_order_by_key(read_all(kafka, 0)));
  }
  SECTION("because it is larger than any message may be") {
    Batch batch = batch_of(destination, 6);
    batch.frames += "key " + std::string(2 << 20, 'x') + '\n';
    ++batch.records;
    const auto failed = destination.send(batch);
    REQUIRE_FALSE(failed.has_value());
    INFO(failed.error().message);
    CHECK(failed.error().is_final);
  }
}

}  // namespace sluice::exports
