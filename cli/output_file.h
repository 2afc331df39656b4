// A file that is there under its name when it is whole, and not before.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::cli {

class OutputFile {
 public:
  /// errors   there is a file of that name; its folder cannot be written.
  static Result<OutputFile> begin(std::string path);
  OutputFile(OutputFile&&) noexcept = default;
  OutputFile& operator=(OutputFile&&) = delete;
  /// What is not finished goes.
  ~OutputFile();

  Result<void> append(ByteView bytes);
  /// On the disk, and under its name.
  /// errors   also when there is a file of that name by now.
  Result<void> finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  OutputFile(std::string path, std::string partial, std::FILE* file)
      : path_(std::move(path)), partial_(std::move(partial)), file_(file) {}

  std::string path_;
  std::string partial_;
  std::unique_ptr<std::FILE, Close> file_;  ///< Null: it is finished.
};

}  // namespace sluice::cli
