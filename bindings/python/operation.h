// Operation: one call of a file tool, for whoever waits for it (with the GIL released) and for an event loop alike.
// What the tool has found is kept without Python, and becomes a Python value on the caller's side.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "bindings.h"
#include "files/budget.h"
#include "files/tools.h"

namespace nono::python {

struct Operation {
  files::Purpose purpose;
  files::Tools::Tool tool;             // without the GIL
  std::function<nb::object()> finish;  // with it, once, after the tool; throws the failure
  files::Cancelled cancelled;
};

// `run`: (Crew&, Reach&, const Cancelled&) -> a value. `convert`: that value -> nb::object. Neither holds a Python object, for
// they may end on a thread that Python does not know.
template <class Run, class Convert>
[[nodiscard]] Operation operation(files::Purpose purpose, Run run, Convert convert) {
  using Found = std::invoke_result_t<Run&, files::Crew&, files::Reach&, const files::Cancelled&>;
  const auto found = std::make_shared<std::optional<Found>>();
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  return {purpose,
          [found, cancelled, run = std::move(run)](files::Crew& crew, files::Reach& reach) { found->emplace(run(crew, reach, cancelled)); },
          [found, convert = std::move(convert)] { return convert(**found); }, cancelled};
}

}  // namespace nono::python
