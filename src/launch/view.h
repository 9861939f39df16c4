// What the private view of a kept keeper shows, and the same in the form that the keeper's process
// reads. Values; nothing here makes a system call but for the caller's ids.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kernel/fd_table.h"
#include "kernel/private_view.h"
#include "plan/plan.h"

namespace nono::launch {

// Two plans with the same key can use one view: the same objects at the same places.
struct ViewKey {
  explicit ViewKey(const plan::View& view);

  bool user_namespace = false;
  bool fresh_proc = false;
  std::vector<std::pair<std::string, kernel::Identity>> writable;
  bool operator==(const ViewKey&) const = default;
};

// Must not move or change while the keeper makes its view.
class ViewSetup {
 public:
  explicit ViewSetup(const ViewKey& key);  // whose strings are used
  ViewSetup(const ViewSetup&) = delete;
  ViewSetup& operator=(const ViewSetup&) = delete;

  [[nodiscard]] const kernel::PrivateViewSetup& raw() const { return raw_; }

 private:
  std::vector<kernel::WritableRoot> writable_;
  std::string uid_map_;
  std::string gid_map_;
  kernel::PrivateViewSetup raw_;
};

}  // namespace nono::launch
