// GrantedPlaces: what is granted, held as the command sees it, by the thread that receives calls. A granted file is that
// file; what is opened from a granted directory by RESOLVE_BENEATH stays within it, whoever opens it and whatever the path
// says. So that thread may open it itself, although it is not confined as those that perform calls are.
// Its texts (a call's path, a working directory) are the child's and only say where to look.
// One thread. Resource; its descriptors are of that thread's table.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "capability/access_mode.h"
#include "capability/grant_list.h"
#include "supervise/name_call.h"
#include "supervise/origin.h"

namespace nono::supervise {

class GrantedPlaces {
 public:
  // By the root of `thread`, which must still wait after it. Left out: what is no longer the object that was granted,
  // and what may be slow (a network file system), for nobody's call is received meanwhile.
  GrantedPlaces(const capability::GrantList& grants, int thread);

  // Where such an open begins: in the innermost grant that covers its path and lets it be opened so. None: that has to be
  // found out by others. What it returns uses this object.
  [[nodiscard]] std::optional<Origin> origin_of(int thread, const Open& call) const;

 private:
  struct Place {
    std::string name;  // as calls have it
    std::string resolved;
    capability::AccessMode access;
    bool is_file;
    std::shared_ptr<const Fd> object;  // one, under both names

    [[nodiscard]] bool holds(std::string_view path) const {
      if (is_file) return path == name;
      return path.starts_with(name) && (name == "/" || path.size() == name.size() || path[name.size()] == '/');
    }
  };
  [[nodiscard]] bool is_still_there(const Place& file) const;

  Fd root_;  // the command's
  std::vector<Place> places_;  // innermost first
};

}  // namespace nono::supervise
