// The nono command: finds the subcommand and leaves the rest to it.
#include <fcntl.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "cli/args.h"
#include "cli/help.h"
#include "cli/run.h"
#include "cli/setup.h"
#include "cli/terminal.h"
#include "cli/why.h"

namespace {

using namespace nono::cli;

// A caller may leave 0, 1 or 2 closed; the next file opened would take its place.
bool open_standard_streams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    if (::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd) return false;
  }
  return true;
}

int stop(const Stop& stopped) {
  if (stopped.exit_code != 0) {
    print_error(stopped.text);
    return stopped.exit_code;
  }
  return print(stopped.text) ? 0 : 1;
}

template <class T, class Act>
int act_on(const Parsed<T>& parsed, Act act) {
  return parsed ? act(*parsed) : stop(parsed.error());
}

int dispatch(const std::vector<std::string>& words) {
  const std::string command = words.empty() ? "" : words.front();
  const std::vector<std::string> rest(words.begin() + (words.empty() ? 0 : 1), words.end());
  if (command == "run") return act_on(parse_run(rest), run);
  if (command == "why") return act_on(parse_why(rest), why);
  if (command == "setup") return act_on(parse_setup(rest), [](bool) { return setup(); });
  if (command == "--version" || command == "-V") return stop({0, "nono " NONO_VERSION "\n"});
  if (command == "--help" || command == "-h" || command == "help") return stop({0, kHelp});
  if (command.empty()) return stop({kExitUsage, kHelp});
  return stop({kExitUsage, nono::cat("nono: no such command: ", nono::escape(command), "\nSee nono --help\n")});
}

}  // namespace

int main(int argc, char** argv) {
  if (!open_standard_streams()) return kExitNoSandbox;
  return dispatch(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
