#include "launch/view.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"

namespace nono::launch {

// A writable grant inside another one is in the same mount copy.
ViewKey::ViewKey(const plan::View& view)
    : user_namespace(view.user_namespace), fresh_proc(!view.in_proc.empty()) {
  for (const auto& rule : view.writable) {
    const auto& identity = rule.handle->identity;
    const bool covered = std::ranges::any_of(
        writable, [&](const auto& root) { return capability::is_within(root.first, rule.path); });
    if (!covered && !S_ISCHR(identity.mode) && !S_ISBLK(identity.mode)) {
      writable.emplace_back(rule.path, identity);
    }
  }
}

ViewSetup::ViewSetup(const ViewKey& key)
    : uid_map_(cat(::geteuid(), " ", ::geteuid(), " 1")), gid_map_(cat(::getegid(), " ", ::getegid(), " 1")) {
  for (const auto& [path, identity] : key.writable) {
    writable_.push_back({path.c_str(), identity.device, identity.inode});
  }
  raw_ = {key.user_namespace, uid_map_.data(), uid_map_.size(), gid_map_.data(),
          gid_map_.size(),    writable_.data(), writable_.size()};
}

}  // namespace nono::launch
