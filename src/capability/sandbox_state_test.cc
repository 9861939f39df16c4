#include "capability/sandbox_state.h"

#include <gtest/gtest.h>

#include "capability/test_directory.h"

namespace nono::capability {
namespace {

class SandboxStateTest : public testing::Test {
 protected:
  static std::string state_of(const std::string& fs_entry) {
    return R"({"fs": [)" + fs_entry + R"(], "net_blocked": false})";
  }
  static std::string entry(const std::string& path, const std::string& access, bool is_file) {
    return R"({"original": ")" + path + R"(", "resolved": "ignored", "access": ")" + access +
           R"(", "is_file": )" + (is_file ? "true" : "false") + "}";
  }
  static Error to_caps_error(const std::string& json) {
    return SandboxState::from_json(json).value().to_caps().error();
  }

  TestDirectory dir_;
  std::string real_ = dir_.directory("real");
  std::string link_ = dir_.link("link", "real");
  std::string file_ = dir_.file("file");
};

TEST_F(SandboxStateTest, WritesUpstreamsJson) {
  CapabilitySet set;
  ASSERT_TRUE(set.allow_path(link_, AccessMode::kReadWrite));
  ASSERT_TRUE(set.allow_file(file_, AccessMode::kRead));
  set.block_network();
  const auto state = SandboxState::from_caps(set);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->fs_count(), 2U);
  EXPECT_TRUE(state->net_blocked());
  EXPECT_EQ(state->to_json(), R"({
  "fs": [
    {
      "original": ")" + link_ + R"(",
      "resolved": ")" + real_ + R"(",
      "access": "read+write",
      "is_file": false
    },
    {
      "original": ")" + file_ + R"(",
      "resolved": ")" + file_ + R"(",
      "access": "read",
      "is_file": true
    }
  ],
  "net_blocked": true
})");
  EXPECT_EQ(SandboxState::from_caps(CapabilitySet()).value().to_json(),
            "{\n  \"fs\": [],\n  \"net_blocked\": false\n}");
}

TEST_F(SandboxStateTest, RoundTripKeepsGrantsAndNetwork) {
  CapabilitySet set;
  ASSERT_TRUE(set.allow_path(link_, AccessMode::kReadWrite, CapabilitySource::group("g")));
  ASSERT_TRUE(set.allow_file(file_, AccessMode::kWrite));
  set.block_network();
  const std::string json = SandboxState::from_caps(set).value().to_json();
  const auto restored = SandboxState::from_json(json).value().to_caps();
  ASSERT_TRUE(restored);
  ASSERT_EQ(restored->fs().size(), 2U);
  EXPECT_TRUE(restored->is_network_blocked());
  EXPECT_EQ(restored->fs()[0].original, link_);
  EXPECT_EQ(restored->fs()[0].resolved, real_);
  EXPECT_EQ(restored->fs()[0].access, AccessMode::kReadWrite);
  EXPECT_EQ(restored->fs()[0].source.to_string(), "user");
  EXPECT_NE(restored->fs()[0].handle, set.fs()[0].handle);
  EXPECT_TRUE(restored->fs()[1].is_file);
  EXPECT_EQ(SandboxState::from_caps(*restored).value().to_json(), json);
}

TEST_F(SandboxStateTest, ResourceLimitsTravelThroughTheSet) {
  for (const std::string limits : {R"("memory_bytes": 1073741824)", R"("max_processes": 0)", "",
                                   R"("memory_bytes": 18446744073709551615, "max_processes": 7)"}) {
    const std::string json = R"({"fs": [], "net_blocked": false, "resource_limits": {)" + limits + "}}";
    const auto state = SandboxState::from_json(json);
    ASSERT_TRUE(state) << json;
    const CapabilitySet set = state->to_caps().value();
    ASSERT_TRUE(set.resource_limits());
    const auto again = SandboxState::from_caps(set);
    EXPECT_EQ(again->to_json(), state->to_json());
    EXPECT_EQ(SandboxState::from_json(again->to_json()).value().to_json(), state->to_json());
  }
  const auto absent = SandboxState::from_json(R"({"resource_limits": null, "fs": [], "net_blocked": false})");
  EXPECT_EQ(absent->to_json(), "{\n  \"fs\": [],\n  \"net_blocked\": false\n}");
  EXPECT_EQ(SandboxState::from_json(R"({"fs": [], "net_blocked": false, "resource_limits": {"memory_bytes": null}})")
                .value().to_json(),
            "{\n  \"fs\": [],\n  \"net_blocked\": false,\n  \"resource_limits\": {}\n}");
}

TEST_F(SandboxStateTest, UnixSocketsTravel) {
  CapabilitySet set;
  ASSERT_TRUE(set.allow_unix_socket(link_ + "/s", SocketScope::kFile, SocketMode::kConnectBind));
  ASSERT_TRUE(set.allow_unix_socket(link_, SocketScope::kDirChildren));
  ASSERT_TRUE(set.allow_unix_socket(real_, SocketScope::kDirSubtree));
  const std::string json = SandboxState::from_caps(set).value().to_json();
  EXPECT_EQ(json, R"({
  "fs": [],
  "unix_sockets": [
    {
      "original": ")" + link_ + R"(/s",
      "resolved": ")" + real_ + R"(/s",
      "scope": "file",
      "mode": "connect+bind"
    },
    {
      "original": ")" + link_ + R"(",
      "resolved": ")" + real_ + R"(",
      "scope": "dir_children",
      "mode": "connect"
    },
    {
      "original": ")" + real_ + R"(",
      "resolved": ")" + real_ + R"(",
      "scope": "dir_subtree",
      "mode": "connect"
    }
  ],
  "net_blocked": false
})");
  EXPECT_EQ(SandboxState::from_json(json).value().to_caps().value().unix_sockets(), set.unix_sockets());
}

TEST_F(SandboxStateTest, UnixSocketsAreResolvedAgain) {
  const auto socket = [](const std::string& path, const std::string& rest) {
    return R"({"fs": [], "net_blocked": true, "unix_sockets": [{"original": ")" + path +
           R"(", "resolved": "ignored", )" + rest + "}]}";
  };
  const auto grant = [&](const std::string& path, const std::string& rest) {
    return SandboxState::from_json(socket(path, rest)).value().to_caps().value().unix_sockets().at(0);
  };
  EXPECT_EQ(grant(link_ + "/s", R"("mode": "connect")").resolved, real_ + "/s");
  EXPECT_EQ(grant(link_ + "/s", R"("mode": "connect", "is_directory": false)").scope, SocketScope::kFile);
  EXPECT_EQ(grant(link_, R"("mode": "connect", "is_directory": true)").scope, SocketScope::kDirChildren);
  EXPECT_EQ(grant(link_, R"("mode": "connect", "is_directory": true, "scope": "dir_subtree")").scope,
            SocketScope::kDirSubtree);
  EXPECT_EQ(to_caps_error(socket(real_ + "/no/s", R"("mode": "connect")")).kind, ErrorKind::kPathNotFound);
  EXPECT_EQ(to_caps_error(socket(file_, R"("mode": "connect")")).kind, ErrorKind::kExpectedUnixSocket);
  EXPECT_EQ(to_caps_error(socket("@x", R"("mode": "connect")")).kind, ErrorKind::kInvalidArgument);
  const Error error = to_caps_error(socket(real_ + "/s", R"("mode": "bind\u001b")"));
  EXPECT_EQ(error.kind, ErrorKind::kConfigParse);
  EXPECT_EQ(error.message, "Configuration parse error: invalid Unix socket mode in sandbox state: bind\\x1b");
  EXPECT_TRUE(SandboxState::from_json(R"({"fs": [], "unix_sockets": [], "net_blocked": true})").value().to_caps());
}

TEST_F(SandboxStateTest, UnknownKeysAreIgnored) {
  const auto state = SandboxState::from_json(
      R"({"new": [1], "fs": [{"x": 1, "original": "/", "resolved": "/", "access": "read", "is_file": false}],
          "net_blocked": true, "resource_limits": {"cpu": 1}, "dns_blocked": false})");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->to_caps().value().fs().size(), 1U);
}

TEST_F(SandboxStateTest, PortListsCannotBeCarried) {
  CapabilitySet connect;
  connect.allow_tcp_connect_port(443);
  CapabilitySet bind;
  bind.allow_bind_port(80);
  CapabilitySet localhost;
  localhost.allow_localhost_port(1);
  for (const CapabilitySet& set : {connect, bind, localhost}) {
    const auto state = SandboxState::from_caps(set);
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(state.error().message,
              "SandboxState cannot represent per-port TCP allowlists (allow_localhost_port / "
              "allow_tcp_connect_port / allow_bind_port); serializing would silently drop them and could "
              "widen the restored sandbox. Remove the port rules or transfer the CapabilitySet without "
              "SandboxState.");
  }
}

TEST_F(SandboxStateTest, APathThatIsNotUtf8CannotBeCarried) {
  CapabilitySet set;
  ASSERT_TRUE(set.allow_path(dir_.directory("caf\xe9"), AccessMode::kRead));
  const auto state = SandboxState::from_caps(set);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(state.error().message,
            "SandboxState cannot represent a path that is not UTF-8: " + (dir_ / "caf\\xe9"));
}

TEST_F(SandboxStateTest, OddButValidNamesSurvive) {
  const std::string odd = dir_.directory("q\"b\\n\n\x01\x7f\xc3\xa9");
  CapabilitySet set;
  ASSERT_TRUE(set.allow_path(odd, AccessMode::kRead));
  const std::string json = SandboxState::from_caps(set).value().to_json();
  EXPECT_EQ(SandboxState::from_json(json).value().to_caps().value().fs()[0].resolved, odd);
}

TEST_F(SandboxStateTest, ToCapsResolvesTheOriginalAnew) {
  EXPECT_EQ(to_caps_error(state_of(entry(dir_ / "missing", "read", false))).message,
            "Path does not exist: " + (dir_ / "missing"));
  EXPECT_EQ(to_caps_error(state_of(entry(file_, "read", false))).message,
            "Expected a directory but got a file: " + file_);
  EXPECT_EQ(to_caps_error(state_of(entry(real_, "read", true))).message,
            "Expected a file but got a directory: " + real_);
  const auto caps = SandboxState::from_json(state_of(entry(link_, "write", false))).value().to_caps();
  ASSERT_TRUE(caps);
  EXPECT_EQ(caps->fs()[0].resolved, real_);
}

TEST_F(SandboxStateTest, AnUnknownAccessIsAConfigurationError) {
  const Error error = to_caps_error(state_of(entry(real_, "read-write\\u001b", false)));
  EXPECT_EQ(error.kind, ErrorKind::kConfigParse);
  EXPECT_EQ(error.message,
            "Configuration parse error: invalid access mode in sandbox state: read-write\\x1b");
}

TEST_F(SandboxStateTest, MalformedDocumentsAreInvalidJson) {
  const std::string item = R"("original": "/", "resolved": "/", "access": "read", "is_file": false)";
  const std::string socket = R"({"fs": [], "net_blocked": true, "unix_sockets": [{"original": "", "resolved": "")";
  const std::string limits = R"({"fs": [], "net_blocked": true, "resource_limits": )";
  const std::vector<std::string> documents = {
      "", " ", "nope", "{", "[]", "null", "1", "\"fs\"", "{}", "{} {}", "{\"fs\": []}",
      "{\"net_blocked\": true}",
      R"({"fs": {}, "net_blocked": true})",
      R"({"fs": null, "net_blocked": true})",
      R"({"fs": [], "net_blocked": 1})",
      R"({"fs": [], "net_blocked": null})",
      R"({"fs": [], "net_blocked": "true"})",
      R"({"fs": [], "fs": [], "net_blocked": true})",
      R"({"fs": [], "net_blocked": true, "net_blocked": false})",
      R"({"fs": [1], "net_blocked": true})",
      R"({"fs": [{}], "net_blocked": true})",
      state_of(R"({"original": "/", "resolved": "/", "access": "read"})"),
      state_of(R"({"original": "/", "resolved": "/", "is_file": false})"),
      state_of(R"({"original": "/", "access": "read", "is_file": false})"),
      state_of(R"({"resolved": "/", "access": "read", "is_file": false})"),
      state_of(R"({"original": 1, "resolved": "/", "access": "read", "is_file": false})"),
      state_of(R"({"original": "/", "resolved": "/", "access": "read", "is_file": 0})"),
      state_of("{" + item + ", \"access\": \"write\"}"),
      state_of("{" + item + "},"),
      state_of("{\"original\": \"\\ud800\"}"),
      state_of("{\"original\": \"\xff\"}"),
      socket + "}]}",
      socket + R"(, "mode": 1}]})",
      socket + R"(, "mode": "connect", "scope": "all"}]})",
      socket + R"(, "mode": "connect", "scope": 1}]})",
      socket + R"(, "mode": "connect", "is_directory": "yes"}]})",
      R"({"fs": [], "net_blocked": true, "unix_sockets": {}})",
      limits + "[]}", limits + "1}",
      limits + R"({"memory_bytes": -1}})",
      limits + R"({"memory_bytes": 1.0}})",
      limits + R"({"memory_bytes": "1"}})",
      limits + R"({"max_processes": 18446744073709551616}})",
      std::string(100'000, '['),
      R"({"fs": [], "net_blocked": true, "x": )" + std::string(1000, '[') + std::string(1000, ']') + "}",
      "{\"fs\": [], \"net_blocked\": true" + std::string(std::size_t{8} << 20, ' ') + "}",
  };
  for (const std::string& document : documents) {
    const auto state = SandboxState::from_json(document);
    ASSERT_FALSE(state) << document.substr(0, 200);
    EXPECT_EQ(state.error().kind, ErrorKind::kInvalidJson);
    EXPECT_TRUE(state.error().message.starts_with("Invalid JSON: ")) << state.error().message;
    EXPECT_LT(state.error().message.size(), 300U);
  }
  EXPECT_EQ(SandboxState::from_json("{}").error().message, "Invalid JSON: missing field `fs`");
}

// Every cut and a few thousand damaged bytes: an error or a state, never a crash, and what is
// accepted can be written and read again.
TEST_F(SandboxStateTest, DamagedDocumentsNeverDoMoreThanFail) {
  const std::string whole = R"({"fs":[{"original":"/a\u00e9","resolved":"/b","access":"read","is_file":false}],)"
                            R"("unix_sockets":[{"original":"/s","resolved":"/s","scope":"file","mode":"connect"}],)"
                            R"("net_blocked":true,"resource_limits":{"memory_bytes":12,"max_processes":3}})";
  ASSERT_TRUE(SandboxState::from_json(whole));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(SandboxState::from_json(std::string_view(whole).substr(0, length))) << length;
  }
  std::uint32_t random = 1;
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = whole;
    for (int i = 0; i <= round % 3; ++i) {
      random = random * 1664525U + 1013904223U;
      damaged[(random >> 8) % damaged.size()] = static_cast<char>(random >> 24);
    }
    const auto state = SandboxState::from_json(damaged);
    if (!state) {
      ASSERT_TRUE(state.error().message.starts_with("Invalid JSON: "));
      continue;
    }
    const auto again = SandboxState::from_json(state->to_json());
    ASSERT_TRUE(again) << damaged;
    ASSERT_EQ(again->to_json(), state->to_json());
  }
}

}  // namespace
}  // namespace nono::capability
