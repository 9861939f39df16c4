// Result<T>: a T, or the Error that says why there is none. Never ignored silently.
//
// NONO_TRY(expr) yields the value of a Result or returns its Error from the enclosing function.
#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "base/error.h"

namespace nono {

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorKind kind, std::string message,
                                                std::string hint = {}) {
  return tl::unexpected<Error>(Error{kind, std::move(message), std::move(hint)});
}

}  // namespace nono

#define NONO_TRY(expr)                                                                  \
  ({                                                                                    \
    auto nono_try_result_ = (expr);                                                     \
    if (!nono_try_result_) {                                                            \
      return tl::unexpected<::nono::Error>(std::move(nono_try_result_).error());        \
    }                                                                                   \
    *std::move(nono_try_result_);                                                       \
  })
