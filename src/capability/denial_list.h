// DenialList: the denials of one set: the user's own and those found for one plan, then the protected names that
// all sandboxes share. A value; copies share their content, for every command's request, plan and result
// carries the list.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "base/once.h"
#include "capability/denial.h"

namespace nono::capability {

class DenialList {
 public:
  using Denials = std::vector<Denial>;
  using Shared = std::shared_ptr<const Denials>;

  DenialList() = default;
  DenialList(Denials own) : own_(std::make_shared<Denials>(std::move(own))) {}  // NOLINT: it is one
  DenialList(Shared own, Shared built_in) : own_(std::move(own)), built_in_(std::move(built_in)) {}

  [[nodiscard]] const Denials& own() const { return own_ ? *own_ : none(); }
  [[nodiscard]] const Denials& built_in() const { return built_in_ ? *built_in_ : none(); }
  [[nodiscard]] const Shared& shared_built_in() const { return built_in_; }

  [[nodiscard]] std::size_t size() const { return own().size() + built_in().size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] const Denial& operator[](std::size_t i) const {
    return i < own().size() ? own()[i] : built_in()[i - own().size()];
  }

  class Iterator {
   public:
    using value_type = Denial;
    using difference_type = std::ptrdiff_t;
    using reference = const Denial&;
    using pointer = const Denial*;
    using iterator_category = std::forward_iterator_tag;
    Iterator() = default;
    Iterator(const Denial* at, const Denials& own, const Denials& built_in)
        : at_(at), own_end_(own.data() + own.size()), built_in_(built_in.data()) {
      step_over();
    }
    reference operator*() const { return *at_; }
    pointer operator->() const { return at_; }
    Iterator& operator++() {
      ++at_;
      step_over();
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator&) const = default;

   private:
    void step_over() {
      if (at_ == own_end_) at_ = built_in_;
    }
    // Pointers: each open that a supervisor decides goes through the whole list.
    const Denial* at_ = nullptr;
    const Denial* own_end_ = nullptr;
    const Denial* built_in_ = nullptr;
  };
  [[nodiscard]] Iterator begin() const { return {own().data(), own(), built_in()}; }
  [[nodiscard]] Iterator end() const { return {built_in().data() + built_in().size(), own(), built_in()}; }

  void add(Denial denial) {
    auto own_now = std::make_shared<Denials>(own());
    own_now->push_back(std::move(denial));
    own_ = std::move(own_now);
  }
  void set_built_in(Shared rules) { built_in_ = std::move(rules); }

 private:
  static const Denials& none() {
    static constinit Once<Denials> empty;
    return empty.get([] { return Denials(); });
  }
  Shared own_;       // null: none
  Shared built_in_;  // null: none
};

}  // namespace nono::capability
