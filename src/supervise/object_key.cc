#include "supervise/object_key.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace nono::supervise {
namespace {

constexpr std::size_t kMaxOwn = 4096;

}  // namespace

std::optional<ObjectKey> key_of(int directory, const std::string& name) {
  struct statx st {};
  const unsigned wanted = STATX_INO | STATX_BTIME;
  const int flags = AT_SYMLINK_NOFOLLOW | (name.empty() ? AT_EMPTY_PATH : 0);
  if (::statx(directory, name.c_str(), flags, wanted, &st) != 0 || (st.stx_mask & wanted) != wanted) return std::nullopt;
  return ObjectKey{st.stx_dev_major, st.stx_dev_minor, st.stx_ino, st.stx_btime.tv_sec, st.stx_btime.tv_nsec};
}

void OwnObjects::add(const std::optional<ObjectKey>& key) {
  const std::lock_guard lock(mutex_);
  if (key && keys_.size() < kMaxOwn) keys_.insert(*key);
}

bool OwnObjects::contains(const std::optional<ObjectKey>& key) const {
  const std::lock_guard lock(mutex_);
  return key && keys_.contains(*key);
}

}  // namespace nono::supervise
