#include "cli/why.h"

#include "cli/answer.h"
#include "cli/denial_facts.h"
#include "cli/grants.h"
#include "cli/known_sockets.h"
#include "cli/socket_answer.h"
#include "cli/terminal.h"
#include "launch/plan_here.h"

namespace nono::cli {
namespace {

Result<Answer> answer(const WhyArguments& arguments) {
  const auto capabilities = NONO_TRY(capabilities_of(arguments.grants));
  const plan::Plan plan = NONO_TRY(launch::startable_plan_here(capabilities, {}));
  DenialFacts facts(plan, NONO_TRY(capability::canonicalize(".")));
  if (arguments.host) return answer_for_host(*arguments.host, arguments.port, facts.network());
  if (arguments.unix_socket && arguments.unix_socket->starts_with('@')) {
    return answer_for_abstract_socket(*arguments.unix_socket);
  }
  if (arguments.unix_socket) {
    const auto place = capability::ancestry_of(*arguments.unix_socket);
    const auto said = plan::explain_unix_socket(plan, place, arguments.socket_use);
    return answer_for_socket(*arguments.unix_socket, arguments.socket_use, said,
                             {place.canonical, place.exists, danger_of_socket(place.canonical)});
  }
  const PathFacts path = facts.look_up(*arguments.path);
  const auto said = plan::explain_path(plan.grants, plan.denials,
                                       capability::ancestry_of(path.canonical), arguments.operation);
  return answer_for_path(*arguments.path, arguments.operation, said, path);
}

}  // namespace

int why(const WhyArguments& arguments) {
  const auto said = answer(arguments);
  if (!said) return report(said.error());
  print(arguments.json ? answer_json(*said) : answer_text(*said));
  return said->allowed ? 0 : 1;
}

}  // namespace nono::cli
