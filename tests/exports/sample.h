// Records as an export reads them.
#pragma once

#include <vector>

#include "exports/exported_record.h"
#include "log_fixture.h"
#include "must.h"

namespace sluice::exports {

inline ExportedRecord exported(const audit::Record& record, std::uint64_t index = 41) {
  std::vector<std::uint8_t> bytes(audit::encoded_bytes_max(record));
  audit::Stamp stamp;
  stamp.epoch = 0xABC;
  stamp.worker = 2;
  stamp.sequence = 17;
  bytes.resize(audit::encode(record, stamp, bytes));
  return test::must(ExportedRecord::read(index, bytes));
}

}  // namespace sluice::exports
