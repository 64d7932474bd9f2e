// yz as an operator uses it: the demonstration as ./run drives it, twice on the same data, then the
// commands against a serving installation, and its end.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/base/ids.h"
#include "common/db/bootstrap.h"
#include "services/yz/client.h"
#include "services/yz/files.h"
#include "services/yz/process.h"

namespace yuezhan::tests {
namespace {

constexpr char kResult[] =
    R"({"flow":"complete","paid":5,"refused":3,"amount_paid":"400000.00","ledger_balanced":true,)"
    R"("journal_verified":true})";

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) {
    std::fprintf(stderr, "%s must be set: run ./test, which starts what the tests need.\n", name);
    std::exit(1);
  }
  return value;
}

class CommandLine : public testing::Test {
 protected:
  struct Output {
    int code = -1;
    std::string out;
    std::string err;
    std::string LastLine() const {
      const std::vector<std::string> lines = absl::StrSplit(absl::StripSuffix(out, "\n"), '\n');
      return lines.back();
    }
  };

  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override {
    const auto administrator = db::ParseUrl(Environment("YUEZHAN_MYSQL"));
    for (std::string_view service : yz::kServices) {
      db::Drop(*administrator,
               db::AccountsFor(absl::StrCat("yuezhan_", prefix_, std::string(service)), "", ""))
          .IgnoreError();
    }
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<yz::Process> Start(const std::string& words) {
    auto process =
        yz::Process::Start("/bin/sh",
                           {"-c", absl::StrCat("exec ", Environment("YUEZHAN_BIN"), "/yz ", words,
                                               " >", folder_, "/out 2>", folder_, "/err")},
                           "/dev/null");
    EXPECT_TRUE(process.ok()) << process.status();
    return *std::move(process);
  }
  Output Finish(yz::Process& process) {
    return {process.Wait(absl::Minutes(2)).value_or(-1000),
            yz::ReadFile(folder_ + "/out").value_or(""),
            yz::ReadFile(folder_ + "/err").value_or("")};
  }
  Output Yz(const std::string& words) {
    const auto process = Start(words);
    return Finish(*process);
  }
  std::string Up() const {
    return absl::StrCat("up --state=", folder_, "/state --schema_prefix=", prefix_, " ");
  }
  std::string Profile() const { return absl::StrCat(" --profile=", folder_, "/state/yz.json"); }

  const std::string id_ = NewUuid();
  const std::string prefix_ = absl::StrCat(id_.substr(id_.size() - 8), "_");
  const std::string folder_ =
      absl::StrCat(std::filesystem::temp_directory_path().string(), "/yuezhan-yz-", id_);
};

TEST_F(CommandLine, DrivesTheDemonstrationAndServes) {
  const Output first = Yz(Up() + "--demo --once");
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(first.LastLine(), kResult) << first.err;
  EXPECT_TRUE(absl::StrContains(first.out, "2026年9月29日至2026年10月10日")) << first.out;
  EXPECT_TRUE(absl::StrContains(first.out, "请于2026年11月2日（含）以后申报")) << first.out;
  const Output second = Yz(Up() + "--demo --once");
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_EQ(second.LastLine(), kResult) << second.err;

  const auto serving = Start(Up());
  const std::string out = folder_ + "/out";
  while (serving->Running() && !absl::StrContains(yz::ReadFile(out).value_or(""), "Ctrl-C")) {
    absl::SleepFor(absl::Milliseconds(10));
  }
  ASSERT_TRUE(serving->Running()) << Finish(*serving).err;
  std::filesystem::rename(out, folder_ + "/serving");  // the commands below write their own

  const Output list = Yz("call registry/ListStations '{\"page_size\":1}'" + Profile());
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_TRUE(absl::StrContains(list.out, "nextPageToken")) << list.out;
  const Output missing =
      Yz("call registry/GetStation "
         "'{\"name\":\"stations/01a20898-0000-7000-8000-000000000000\"}'" +
         Profile());
  EXPECT_EQ(missing.code, 5) << missing.err;
  EXPECT_TRUE(absl::StrContains(missing.err, "zh-CN")) << missing.err;
  ASSERT_TRUE(yz::WriteFile(folder_ + "/request.json", "{\"page_size\":1}").ok());
  EXPECT_EQ(Yz("call registry/ListStations @" + folder_ + "/request.json" + Profile()).out, list.out);
  EXPECT_EQ(Yz("call registry/ListStations @/none" + Profile()).code, 5);
  EXPECT_EQ(Yz("call registry/CreateHostUnit --as=auditor '{}'" + Profile()).code, 7);
  EXPECT_EQ(Yz("call registry/Nothing" + Profile()).code, 5);
  EXPECT_EQ(Yz("call registry/GetStation '{\"nam\":1}'" + Profile()).code, 3);
  EXPECT_EQ(Yz("call journal/GetHead --at=payment" + Profile()).code, 0);

  const Output verified = Yz("journal verify" + Profile());
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  EXPECT_EQ(Yz("journal head" + Profile()).code, 0);
  const Output followers = Yz("journal followers" + Profile());
  EXPECT_TRUE(absl::StrContains(followers.out, "FOLLOWING")) << followers.out;
  EXPECT_FALSE(absl::StrContains(followers.out, "STOPPED")) << followers.out;
  EXPECT_EQ(Yz("journal skip review payment 1" + Profile()).code, 3) << "without a reason";

  EXPECT_EQ(Yz("clock set 2026-10-16T08:00" + Profile()).LastLine(),
            "2026-10-16 08:00:00 北京时间 Fri");
  EXPECT_EQ(Yz("clock advance 1d" + Profile()).LastLine(), "2026-10-17 08:00:00 北京时间 Sat");
  EXPECT_NE(Yz("clock set 2026-10-01" + Profile()).code, 0);
  EXPECT_EQ(Yz("clock show" + Profile()).LastLine(), "2026-10-17 08:00:00 北京时间 Sat");
  const std::vector<std::string> token =
      absl::StrSplit(Yz("token auditor" + Profile()).LastLine(), '.');
  EXPECT_EQ(token.size(), 3u);
  EXPECT_EQ(Yz("token king" + Profile()).code, 3);

  const Output twice = Yz(Up());
  EXPECT_EQ(twice.code, 9) << "the folder is in use";
  serving->Signal(SIGTERM);
  EXPECT_EQ(serving->Wait(absl::Seconds(30)), 0);
}

TEST_F(CommandLine, HelpsItself) {
  EXPECT_EQ(Yz("--help").code, 0);
  for (const char* command :
       {"up", "demo", "clock show", "clock set", "clock advance", "token", "call", "journal verify",
        "journal head", "journal followers", "journal skip", "journal resume"}) {
    const Output help = Yz(absl::StrCat(command, " --help"));
    EXPECT_EQ(help.code, 0) << command;
    EXPECT_TRUE(absl::StrContains(help.out, command)) << help.out;
    EXPECT_TRUE(absl::StrContains(help.out, "--")) << help.out;
  }
  EXPECT_EQ(Yz("fly").code, 2);
  EXPECT_EQ(Yz("clock set").code, 2);
  EXPECT_EQ(Yz("clock show --wings=2").code, 2);
  EXPECT_EQ(Yz("clock show" + Profile()).code, 5) << "there is no profile";
}

// An operator corrects them in one go: nothing is found out only after the first was mended.
TEST_F(CommandLine, AServiceTellsAllItsMistakesAtOnce) {
  const auto told = [this](const std::string& words) {
    const auto service = yz::Process::Start(
        "/bin/sh", {"-c", absl::StrCat("YUEZHAN_LISTEN=nowhere exec ", Environment("YUEZHAN_BIN"),
                                       "/yuezhan-", words, " 2>", folder_, "/err")},
        "/dev/null");
    EXPECT_TRUE(service.ok()) << service.status();
    const Output output = Finish(**service);
    EXPECT_EQ(output.code, 2);
    return output.err;
  };
  const std::string wrong = told(
      "registry --database=http://x --connections=0 --policy=/none --calendar=/none "
      "--vault_keys=short --journal_key=@/none --former_journal_keys=xyz --payment=7 --wings=2");
  for (const char* setting :
       {"--database:", "--connections:", "--policy:", "--calendar:", "--vault_keys:",
        "--journal_key:", "--former_journal_keys:", "--token_keys:", "--tls_cert:", "--listen:",
        "--payment:", "--wings:"}) {
    EXPECT_TRUE(absl::StrContains(wrong, setting)) << setting << "\n" << wrong;
  }
  const std::string missing = told("payment");
  for (const char* peer : {"registry", "application", "review", "bank"}) {
    EXPECT_TRUE(absl::StrContains(missing, absl::StrCat("--", peer, ": must be given")))
        << peer << "\n" << missing;
  }
}

}  // namespace
}  // namespace yuezhan::tests
