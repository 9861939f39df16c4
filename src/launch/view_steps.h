// How the root of a view that holds the grants only is made: directories that lead to grants, the
// grants themselves, links. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "capability/path_resolution.h"
#include "kernel/fd_table.h"
#include "kernel/private_view.h"

namespace nono::launch {

struct ViewGrant {
  std::string path;  // canonical, not "/"
  kernel::Identity identity;
  bool writable = false;
  bool operator==(const ViewGrant&) const = default;
};

// A grant that shows no more than one around it is left out, and so is a link that lies in a grant, below
// /proc, or where a directory has to be. A name may come more than once.
class ViewSteps {
 public:
  // Uses the strings of both.
  ViewSteps(const std::vector<ViewGrant>& grants, const std::vector<capability::Link>& links);
  ViewSteps(const ViewSteps&) = delete;
  ViewSteps& operator=(const ViewSteps&) = delete;

  [[nodiscard]] const std::vector<kernel::ViewStep>& list() const { return list_; }

 private:
  void lead_to(std::string_view path);

  std::set<std::string, std::less<>> directories_;
  std::vector<kernel::ViewStep> list_;
};

}  // namespace nono::launch
