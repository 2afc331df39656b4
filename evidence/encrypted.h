// A package that only its recipients can open: the zip file as one file of age.
#pragma once

#include <span>

#include "audit/age_recipient.h"
#include "base/result.h"
#include "evidence/nameless_file.h"

namespace sluice::evidence {

/// errors   one of the files cannot be read or written.
Result<void> encrypt_file(const NamelessFile& from, NamelessFile& to,
                          std::span<const audit::AgeRecipient> recipients);

}  // namespace sluice::evidence
