// Objects in a bucket, one for each batch, locked against change for a time if wanted.
//
// source   Amazon S3 API Reference, "PutObject"; Signature Version 4.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/model/settings.h"
#include "exports/destination.h"
#include "exports/http_client.h"

namespace sluice::exports {

/// Has arrived what was answered with 200. Objects are called PREFIX00000000000000000000-1000.log,
/// by the index of the first record and their number.
class S3Destination final : public Destination {
 public:
  explicit S3Destination(config::S3Export settings) : settings_(std::move(settings)) {}

  [[nodiscard]] Batching batching() const override;
  [[nodiscard]] std::string frame(const ExportedRecord& record, std::string line) const override;
  [[nodiscard]] Result<void, SendError> send(const Batch& batch) override;

 private:
  [[nodiscard]] std::string url_of(const Batch& batch) const;
  [[nodiscard]] std::vector<std::string> fields_of(const Batch& batch) const;

  config::S3Export settings_;
  HttpClient client_;
};

}  // namespace sluice::exports
