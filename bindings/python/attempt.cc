#include "attempt.h"

#include <utility>

#include "errors.h"
#include "gil.h"
#include "start.h"

namespace nono::python {

Attempt attempt(Request request) {
  Attempt made;
  made.context = context_of(request);
  if (request.obstacle) {
    made.result = not_started(*request.obstacle, made.context);
    return made;
  }
  std::optional<Error> error;
  {
    const WithoutGil no_gil;
    if (auto child = start(std::move(request))) {
      made.child = *std::move(child);
    } else {
      error = std::move(child).error();
    }
  }
  if (error && error->kind == ErrorKind::kIo) raise(*error);
  if (error) made.result = refused(*error, made.context);
  return made;
}

}  // namespace nono::python
