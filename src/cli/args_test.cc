#include "cli/args.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cli/values.h"

namespace nono::cli {
namespace {

using capability::AccessMode;
using Words = std::vector<std::string>;
using namespace std::chrono_literals;

std::string usage_error(const Words& words) {
  const auto parsed = parse_run(words);
  if (parsed) return "parsed";
  EXPECT_EQ(parsed.error().exit_code, kExitUsage);
  return parsed.error().text.substr(0, parsed.error().text.find('\n'));
}

TEST(RunArguments, GrantsKeepTheirFlagAndAccess) {
  const auto run = parse_run({"-r", "/a", "--read=/b", "-w", "/c", "--allow", "/d", "--read-file", "/e", "--allow-file",
                              "/f", "--write-file", "/g", "--", "true"});
  ASSERT_TRUE(run);
  ASSERT_EQ(run->grants.paths.size(), 7U);
  const auto find = [&](const std::string& path) {
    return *std::ranges::find(run->grants.paths, path, &PathGrant::path);
  };
  EXPECT_EQ(find("/a").access, AccessMode::kRead);
  EXPECT_EQ(find("/b").flag, "--read");
  EXPECT_EQ(find("/c").access, AccessMode::kWrite);
  EXPECT_EQ(find("/d").access, AccessMode::kReadWrite);
  EXPECT_EQ(find("/e").kind, GrantKind::kFile);
  EXPECT_EQ(find("/f").access, AccessMode::kReadWrite);
  EXPECT_EQ(find("/g").access, AccessMode::kWrite);
  EXPECT_TRUE(run->grants.system);
  EXPECT_FALSE(run->grants.block_network);
}

TEST(RunArguments, UnixSockets) {
  const auto run = parse_run({"--allow-unix-socket", "/a", "--allow-unix-socket=/b", "--allow-unix-socket-bind", "/c",
                              "--allow-unix-socket-dir", "/d", "--allow-unix-socket-dir-bind", "/e",
                              "--allow-unix-socket-subtree", "/f", "--allow-unix-socket-subtree-bind", "/g", "--", "true"});
  ASSERT_TRUE(run) << run.error().text;
  using capability::SocketMode;
  using capability::SocketScope;
  const auto is = [&](std::size_t i, const std::string& path, SocketScope scope, SocketMode mode) {
    const SocketGrant& grant = run->grants.sockets.at(i);
    return grant.path == path && grant.scope == scope && grant.mode == mode;
  };
  EXPECT_TRUE(is(0, "/a", SocketScope::kFile, SocketMode::kConnect));
  EXPECT_TRUE(is(1, "/b", SocketScope::kFile, SocketMode::kConnect));
  EXPECT_TRUE(is(2, "/c", SocketScope::kFile, SocketMode::kConnectBind));
  EXPECT_TRUE(is(3, "/d", SocketScope::kDirChildren, SocketMode::kConnect));
  EXPECT_TRUE(is(4, "/e", SocketScope::kDirChildren, SocketMode::kConnectBind));
  EXPECT_TRUE(is(5, "/f", SocketScope::kDirSubtree, SocketMode::kConnect));
  EXPECT_TRUE(is(6, "/g", SocketScope::kDirSubtree, SocketMode::kConnectBind));
  EXPECT_EQ(run->grants.sockets[6].flag, "--allow-unix-socket-subtree-bind");
}

TEST(RunArguments, TheCommandIsItsOwn) {
  EXPECT_EQ(parse_run({"--", "ls", "--read", "x"})->command, (Words{"ls", "--read", "x"}));
  EXPECT_EQ(parse_run({"--read", "/", "ls", "-l", "--json"})->command, (Words{"ls", "-l", "--json"}));
  EXPECT_EQ(parse_run({"ls", "--", "-l"})->command, (Words{"ls", "--", "-l"}));
  EXPECT_EQ(parse_run({"--", "--", "x"})->command, (Words{"--", "x"}));
  EXPECT_EQ(parse_run({"--", "sh", "-c", "\xff"})->command.back(), "\xff");
}

TEST(RunArguments, Everything) {
  const auto run = parse_run({"--block-net", "--allow-connect", "443", "--allow-connect-port", "80", "--allow-bind", "0",
                              "--timeout", "1.5", "--memory", "2G", "--max-processes", "8", "--env", "A=1", "--env", "B",
                              "--workdir", "/w", "--isolation", "namespaces", "--no-system", "--dry-run", "--json", "--",
                              "true"});
  ASSERT_TRUE(run) << run.error().text;
  EXPECT_TRUE(run->grants.block_network);
  EXPECT_EQ(run->grants.connect_ports, (std::vector<std::uint16_t>{443, 80}));
  EXPECT_EQ(run->grants.bind_ports, (std::vector<std::uint16_t>{0}));
  EXPECT_EQ(run->timeout, 1500ms);
  EXPECT_EQ(run->limits.memory_bytes, 2ULL << 30);
  EXPECT_EQ(run->limits.processes, 8U);
  EXPECT_EQ(run->environment, (Words{"A=1", "B"}));
  EXPECT_EQ(run->directory, "/w");
  EXPECT_EQ(run->isolation, plan::Isolation::kNamespaces);
  EXPECT_EQ(parse_run({"--isolation", "strict", "--", "true"})->isolation, plan::Isolation::kStrict);
  EXPECT_FALSE(run->grants.system);
  EXPECT_TRUE(run->dry_run);
  EXPECT_TRUE(run->json);
}

TEST(RunArguments, Errors) {
  EXPECT_EQ(usage_error({}), "nono run: no command given; write it after --");
  EXPECT_EQ(usage_error({"--"}), "nono run: no command given; write it after --");
  EXPECT_EQ(usage_error({"--", ""}), "nono run: no command given; write it after --");
  EXPECT_EQ(usage_error({"--raed", "/x", "--", "true"}), "nono run: unknown option --raed");
  EXPECT_EQ(usage_error({"--\x1b[2J", "--", "true"}), "nono run: unknown option --\\x1b[2J");
  for (const Words& words : std::initializer_list<Words>{{"--timeout", "0"}, {"--timeout", "-1"}, {"--timeout", "nan"},
                                                         {"--timeout", "1s"}, {"--timeout", "1e9"}, {"--memory", "1K"},
                                                         {"--memory", "x"}, {"--allow-connect", "0"},
                                                         {"--allow-connect", "65536"}, {"--allow-connect", "http"},
                                                         {"--isolation", "docker"}, {"--max-processes", "0"},
                                                         {"--read"}, {"--uid", "-1"}}) {
    Words all = words;
    all.insert(all.end(), {"--", "true"});
    EXPECT_NE(usage_error(all), "parsed") << words.front() << " " << words.back();
  }
}

TEST(RunArguments, HelpIsNoError) {
  const auto parsed = parse_run({"--help"});
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().exit_code, 0);
  for (const char* word : {"--read-file PATH", "--block-net", "--timeout SECONDS", "Examples:", "--dry-run"}) {
    EXPECT_NE(parsed.error().text.find(word), std::string::npos) << word;
  }
  EXPECT_TRUE(parse_run({"--", "x", "--help"}));
}

TEST(WhyArguments, OneQuestion) {
  const auto path = parse_why({"--read", "/a", "--path", "/a/b", "--op", "readwrite"});
  ASSERT_TRUE(path);
  EXPECT_EQ(path->path, "/a/b");
  EXPECT_EQ(path->operation, AccessMode::kReadWrite);
  const auto host = parse_why({"--host", "example.com", "--port", "80", "--json"});
  ASSERT_TRUE(host);
  EXPECT_EQ(host->port, 80);
  EXPECT_TRUE(host->json);
  const auto socket = parse_why({"--allow-unix-socket", "/s", "--unix-socket", "/s", "--socket-op", "bind"});
  ASSERT_TRUE(socket);
  EXPECT_EQ(socket->unix_socket, "/s");
  EXPECT_EQ(socket->socket_use, plan::SocketUse::kBind);
  EXPECT_EQ(parse_why({"--unix-socket", "/s"})->socket_use, plan::SocketUse::kConnect);
  for (const Words& words : std::initializer_list<Words>{{}, {"--path", "/", "--host", "h"}, {"--op", "read"},
                                                         {"--path", "/", "--unix-socket", "/s"},
                                                         {"--host", "h", "--unix-socket", "/s"},
                                                         {"--path", "/", "--socket-op", "bind"},
                                                         {"--unix-socket", "/s", "--socket-op", "send"},
                                                         {"--path", "/", "--op", "chmod"}, {"--path", "/", "extra"},
                                                         {"--host", "h", "--port", "0"}}) {
    EXPECT_FALSE(parse_why(words));
  }
}

TEST(SetupArguments, CheckOnly) {
  EXPECT_TRUE(parse_setup({}));
  EXPECT_TRUE(parse_setup({"--check-only"}));
  EXPECT_FALSE(parse_setup({"--force"}));
}

TEST(Values, Sizes) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("1048576"), 1U << 20);
  EXPECT_EQ(parse_size("512M"), 512ULL << 20);
  EXPECT_EQ(parse_size("2GiB"), 2ULL << 30);
  EXPECT_EQ(parse_size("3kb"), 3072U);
  EXPECT_EQ(parse_size("18014398509481983K"), 18446744073709550592U);
  for (const char* bad : {"", "M", "-1", "1.5G", "1 G", "1P", "1MM", "1GiBB", "18014398509481984K",
                          "99999999999999999999"}) {
    EXPECT_FALSE(parse_size(bad)) << bad;
  }
}

TEST(Values, Seconds) {
  EXPECT_EQ(parse_seconds("30"), 30s);
  EXPECT_EQ(parse_seconds("0.25"), 250ms);
  EXPECT_EQ(parse_seconds("0.0000000001"), 1ns);
  for (const char* bad : {"", "0", "-1", "1s", "inf", "nan", "1e3", "0x10", "999999999999"}) {
    EXPECT_FALSE(parse_seconds(bad)) << bad;
  }
}

}  // namespace
}  // namespace nono::cli
