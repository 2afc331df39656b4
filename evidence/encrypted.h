// A package that only its recipients can open: the zip file as one file of age.
#pragma once

#include <filesystem>
#include <span>

#include "audit/age_recipient.h"
#include "base/result.h"

namespace sluice::evidence {

/// to       must not exist; removed again after an error.
/// errors   one of the files cannot be read or written.
Result<void> encrypt_file(const std::filesystem::path& from, const std::filesystem::path& to,
                          std::span<const audit::AgeRecipient> recipients);

}  // namespace sluice::evidence
