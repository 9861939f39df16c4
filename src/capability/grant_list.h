// GrantList: the grants of one set. A value whose copies share their content until one is changed: every
// command's request, plan and result carries the list, and copying it would cost more than a plan.
//
// Copies may be used by different threads; one copy by one thread at a time.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/once.h"
#include "capability/fs_capability.h"

namespace nono::capability {

class GrantList {
 public:
  using Grants = std::vector<FsCapability>;
  using Names = std::shared_ptr<const Grants>;

  GrantList() = default;
  GrantList(const GrantList& other) : content_(other.share()) {}
  GrantList& operator=(const GrantList& other) {
    content_ = other.share();
    return *this;
  }
  GrantList(GrantList&&) = default;
  GrantList& operator=(GrantList&&) = default;

  [[nodiscard]] const Grants& list() const { return content_->grants; }
  operator const Grants&() const { return list(); }  // NOLINT: it is one
  [[nodiscard]] auto begin() const { return list().begin(); }
  [[nodiscard]] auto end() const { return list().end(); }
  [[nodiscard]] std::size_t size() const { return list().size(); }
  [[nodiscard]] bool empty() const { return list().empty(); }
  [[nodiscard]] const FsCapability& operator[](std::size_t i) const { return list()[i]; }

  // For changing; copies made before keep what they have.
  [[nodiscard]] Grants& edit() {
    if (content_->is_shared.load()) {
      content_ = std::make_shared<Content>(content_->grants);
    } else {
      content_->names.take();
    }
    return content_->grants;
  }

  // The same for explanations only: their handles say what each object is, and hold none open.
  [[nodiscard]] Names names() const {
    return content_->names.get([&] {
      auto names = std::make_shared<Grants>(content_->grants);
      for (FsCapability& grant : *names) {
        auto handle = std::make_shared<GrantHandle>();
        handle->identity = grant.handle->identity;
        grant.handle = std::move(handle);
      }
      return Names(std::move(names));
    });
  }

 private:
  struct Content {
    Content() = default;
    explicit Content(const Grants& copied) : grants(copied) {}
    ~Content() { names.take(); }
    Grants grants;
    std::atomic<bool> is_shared{false};  // has been copied; that the copies are gone again is not noticed
    Once<Names> names;
  };

  [[nodiscard]] const std::shared_ptr<Content>& share() const {
    content_->is_shared.store(true);
    return content_;
  }

  std::shared_ptr<Content> content_ = std::make_shared<Content>();
};

}  // namespace nono::capability
