#include "cli/socket_answer.h"

#include <gtest/gtest.h>

#include "cli/known_sockets.h"

namespace nono::cli {
namespace {

using capability::SocketMode;
using capability::SocketScope;
using Reason = plan::SocketAnswer::Reason;

SocketFacts facts(const std::string& place) { return {place, true, danger_of_socket(place)}; }

std::string text(const std::string& place, plan::SocketUse use, const plan::SocketAnswer& said) {
  return answer_text(answer_for_socket(place, use, said, facts(place)));
}

plan::SocketAnswer by_grant(Reason reason, SocketScope scope, SocketMode mode) {
  plan::SocketAnswer said;
  said.reason = reason;
  said.grant = {"/run/db", "/run/db", scope, mode};
  return said;
}

TEST(SocketAnswer, NamesTheFlagThatWouldAllowIt) {
  EXPECT_EQ(text("/ws/db", plan::SocketUse::kConnect, {}),
            "Connecting to the Unix socket /ws/db is denied: no grant covers it. "
            "To allow it, add --allow-unix-socket /ws/db. What answers there runs outside the sandbox.\n");
  plan::SocketAnswer writable;
  writable.granted_path = "/ws";
  EXPECT_NE(text("/ws/db", plan::SocketUse::kConnect, writable)
                .find(" is denied, unless a process inside has made it: no grant covers it. To allow it, add "),
            std::string::npos);
  EXPECT_EQ(text("/ws/db", plan::SocketUse::kBind, {}),
            "Making the Unix socket /ws/db is denied: no grant covers it. "
            "To allow it, add --allow-unix-socket-bind /ws/db.\n");
}

TEST(SocketAnswer, NeverSuggestsAWayOut) {
  for (const char* place : {"/run/docker.sock", "/run/user/1000/bus", "/tmp/ssh-x/agent.1"}) {
    const Answer answer = answer_for_socket(place, plan::SocketUse::kConnect, {}, facts(place));
    EXPECT_FALSE(answer.allowed);
    EXPECT_EQ(answer.flag, "");
    EXPECT_EQ(answer.warning, danger_of_socket(place));
  }
}

TEST(SocketAnswer, SaysWhatAGrantComesTo) {
  plan::SocketAnswer said = by_grant(Reason::kGranted, SocketScope::kFile, SocketMode::kConnect);
  said.grant->resolved = "/run/docker.sock";
  const Answer answer = answer_for_socket("/var/run/docker.sock", plan::SocketUse::kConnect, said, facts("/run/docker.sock"));
  EXPECT_TRUE(answer.allowed);
  EXPECT_EQ(answer_text(answer),
            "Connecting to the Unix socket /var/run/docker.sock (which is /run/docker.sock) is allowed: "
            "--allow-unix-socket /run/docker.sock covers it. It belongs to a container engine: a grant of it is a grant of "
            "the whole machine.\n");
}

TEST(SocketAnswer, NamesTheGrantThatDecides) {
  const auto granted = [&](SocketScope scope, SocketMode mode) {
    return answer_for_socket("/run/db/s", plan::SocketUse::kBind, by_grant(Reason::kGranted, scope, mode), facts("/run/db/s"));
  };
  EXPECT_NE(granted(SocketScope::kDirChildren, SocketMode::kConnectBind).details.find("--allow-unix-socket-dir-bind /run/db "),
            std::string::npos);
  EXPECT_NE(granted(SocketScope::kDirSubtree, SocketMode::kConnectBind).details.find("--allow-unix-socket-subtree-bind "),
            std::string::npos);
  EXPECT_EQ(granted(SocketScope::kDirSubtree, SocketMode::kConnectBind).reason, "unix_socket_granted");
  const Answer only = answer_for_socket("/run/db/s", plan::SocketUse::kBind,
                                        by_grant(Reason::kConnectOnly, SocketScope::kDirSubtree, SocketMode::kConnect),
                                        facts("/run/db/s"));
  EXPECT_FALSE(only.allowed);
  EXPECT_EQ(only.reason, "insufficient_access");
  EXPECT_EQ(only.flag, "--allow-unix-socket-bind /run/db/s");
}

TEST(SocketAnswer, AbstractSocketsAreNotSuggested) {
  EXPECT_EQ(answer_text(answer_for_abstract_socket("@x")),
            "The abstract Unix socket @x is denied: abstract sockets outside cannot be granted. For a file of this name ask "
            "about ./@x.\n");
}

TEST(SocketAnswer, AProtectedNameSaysHow) {
  plan::SocketAnswer said;
  said.reason = Reason::kDeniedPath;
  said.denied_path = "**/.git/hooks";
  said.protected_by = "git";
  EXPECT_EQ(answer_for_socket("/ws/.git/hooks/s", plan::SocketUse::kBind, said, facts("/ws/.git/hooks/s")).flag,
            "--unprotect git");
}

TEST(SocketAnswer, ADenialHasNoFlag) {
  plan::SocketAnswer said;
  said.reason = Reason::kDeniedPath;
  said.denied_path = "/ws";
  EXPECT_EQ(text("/ws/db", plan::SocketUse::kConnect, said),
            "Connecting to the Unix socket /ws/db is denied: --deny /ws beats every grant around it.\n");
}

}  // namespace
}  // namespace nono::cli
