#include "files/statuses.h"

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "kernel/raw.h"

namespace nono::files {
namespace {

// Longer than it takes to open a cached directory and read it, also where a processor slept deep.
constexpr std::chrono::microseconds kLookOut{50};

// So many take no longer than what two threads tell each other.
constexpr std::size_t kFew = 8;
// So many take several times as long as to wake another thread.
constexpr std::size_t kMany = 256;

}  // namespace

FileStatus Statuses::find(const std::string& name) const {
  struct stat st {};
  if (::fstatat(directory_.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return {};
  return status_of(st);
}

bool Statuses::help() {
  const auto until = std::chrono::steady_clock::now() + kLookOut;
  if (is_helped_.exchange(true)) return false;
  while (stage_.load(std::memory_order_acquire) == Stage::kNoNames) {
    if (std::chrono::steady_clock::now() > until) {
      is_helped_ = false;
      return false;
    }
    kernel::raw::relax();
  }
  std::size_t known = 0;
  while (known < helpers_.size() && stage_.load(std::memory_order_relaxed) == Stage::kNames) {
    helpers_[known] = find(names_[names_.size() - 1 - known]);
    helped_.store(++known, std::memory_order_release);
  }
  return known > 0;
}

void Statuses::begin(Fd directory, std::vector<std::string> names) {
  directory_ = std::move(directory);
  names_ = std::move(names);
  if (names_.size() > kFew) helpers_.resize(names_.size());
  stage_.store(Stage::kNames, std::memory_order_release);
}

bool Statuses::wants_help() const { return names_.size() >= kMany && !is_helped_.load(); }

std::vector<FileStatus> Statuses::finish() {
  std::vector<FileStatus> found;
  found.reserve(names_.size());
  std::size_t helped = 0;
  while (found.size() + helped < names_.size()) {
    found.push_back(find(names_[found.size()]));
    helped = std::min(helped_.load(std::memory_order_acquire), names_.size() - found.size());
  }
  stage_.store(Stage::kAllKnown, std::memory_order_relaxed);
  while (helped > 0) found.push_back(helpers_[--helped]);
  return found;
}

}  // namespace nono::files
