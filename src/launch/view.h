// What the private view of a kept keeper shows, and the same in the form that the keeper's process
// reads. Values.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "kernel/fd_table.h"
#include "kernel/private_view.h"
#include "launch/view_steps.h"
#include "plan/plan.h"

namespace nono::launch {

// Two plans with the same key can use one view: the same objects at the same places.
struct ViewKey {
  using Entries = std::vector<std::pair<std::string, kernel::Identity>>;

  // Looks at what is denied and what leads there, as it is now. kSandboxInit, naming it, when it cannot
  // be covered: it does not exist, or has more names.
  [[nodiscard]] static Result<ViewKey> of(const plan::View& view);

  bool user_namespace = false;
  bool fresh_proc = false;
  bool only_grants = false;
  std::vector<ViewGrant> granted;       // with only_grants; else `writable`
  std::vector<capability::Link> links;  // with only_grants
  Entries writable;
  Entries pinned;
  Entries covered;
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
  std::vector<kernel::ViewEntry> writable_;
  std::vector<kernel::ViewEntry> pinned_;
  std::vector<kernel::ViewEntry> covered_;
  ViewSteps steps_;
  std::string uid_map_;
  std::string gid_map_;
  kernel::PrivateViewSetup raw_;
};

}  // namespace nono::launch
