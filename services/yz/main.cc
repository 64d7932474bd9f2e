// yz, the operators' command line: every act of an officer by hand, the demonstration, and the
// upkeep of clock and journals.
#include <cstdio>
#include <string>
#include <string_view>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/settings.h"
#include "common/errors/errors.h"
#include "common/rpc/server.h"
#include "google/protobuf/util/json_util.h"
#include "google/rpc/status.pb.h"
#include "services/yz/commands.h"

namespace yuezhan::yz {
namespace {

rpc::TerminationSignals* g_signals = nullptr;

struct Command {
  const char* words;
  const char* arguments;
  int least;  // words that must follow
  int most;
  const char* en;
  const char* zh;
  const char* settings;
  absl::Status (*run)(const Words&);
};

constexpr char kCaller[] = "profile as subject display_name host_unit";
const Command kCommands[] = {
    {"up", "", 0, 0,
     "Start the simulated bank and the four services on this machine, until Ctrl-C.",
     "在本机启动模拟银行与四个服务，按 Ctrl-C 停止。", "state mysql schema_prefix tls demo once",
     &Up},
    {"demo", "", 0, 0, "Drive the demonstration through the public APIs, step by step.",
     "通过公开接口逐步运行演示。", "profile", &RunDemo},
    {"install", "DIRECTORY [HOST…]", 1, 20,
     "Make keys, certificates and passwords of a deployed installation where they are missing. "
     "HOST: a name or address by which clients reach it.",
     "生成部署所需的密钥、证书与口令（已有者不变）。", "database_host demo", &Install},
    {"schemas", "DIRECTORY", 1, 1,
     "Make the schemas and accounts of a deployed installation in its database.",
     "在数据库中建立各服务的库与账户。", "", &InstallSchemas},
    {"health", "HOST:PORT [CA_FILE]", 1, 2,
     "Ask a server whether it serves: exit 0 when it does. Without CA_FILE: without TLS.",
     "查询服务是否就绪，就绪时退出码为0。", "", &Health},
    {"reconcile", "", 0, 0,
     "Compare the bank's books with the payments: money that went out and payment does not know "
     "of, "
     "after a restore, is listed, and the exit code is not 0.",
     "核对银行流水与付款记录，列出系统不知道的转账。", kCaller, &Reconcile},
    {"clock show", "", 0, 0, "Show the simulated business clock (Beijing).",
     "显示模拟业务时钟（北京时间）。", "profile", &ClockShow},
    {"clock set", "WHEN", 1, 1,
     "Move the clock forward to WHEN: 2026-10-12 or 2026-10-12T09:30 (Beijing). Never backward.",
     "将时钟拨至指定时刻，只能向前。", "profile", &ClockSet},
    {"clock advance", "DURATION", 1, 1, "Move the clock forward: 90m, 36h; 5d is five days.",
     "将时钟向前拨动一段时间。", "profile", &ClockAdvance},
    {"token", "ROLE[,ROLE…]", 1, 1,
     "Print a token signed by the installation's own key. Roles: public host_unit filing_officer "
     "reviewer secretary director payment_officer payment_authorizer auditor operator.",
     "打印由本安装密钥签发的令牌。", "profile subject display_name host_unit hours", &Token},
    {"call", "SERVICE/METHOD [JSON | @FILE]", 1, 2,
     "Call any method, for example: yz call registry/ListStations --as=auditor '{\"page_size\": "
     "10}'; @FILE: the JSON stands there. SERVICE: registry application review payment reconciliation bank simulator journal. A request_id that "
     "is left out is made. Exit code: the gRPC code.",
     "调用任意方法；退出码为gRPC状态码。", "profile as subject display_name host_unit at", &Call},
    {"csv", "SERVICE/LIST_METHOD [JSON]", 1, 2,
     "Write a whole list as CSV, page by page, for example: yz csv application/ListApplications "
     "--columns=name,station_name,state '{\"filter\": \"subsidy_year = 2026\"}'.",
     "逐页导出列表为CSV表格。", "profile as subject display_name host_unit columns", &Csv},
    {"evidence verify", "FILE [KEY_ID…]", 1, 20,
     "Check the evidence of a case offline: entries, signatures, private parts, history, digests, "
     "policy, calendar. KEY_ID: keys that you trust, as `yz journal head` shows them.",
     "离线校验案件证据文件；KEY_ID 为可信的签名密钥。", "", &EvidenceVerify},
    {"evidence", "CASE [FILE]", 1, 2,
     "Write the history of a case with all that proves it into one file.",
     "将案件全过程及其证明写入一个文件。", kCaller, &Evidence},
    {"import", "TABLE FILE.csv", 2, 2,
     "Check a spreadsheet (UTF-8 or GB18030, Chinese headers) by the rules, and with --write take "
     "in what passes. TABLE: stations subsidies evaluations debarments. What does not pass stands in "
     "FILE.csv.report.csv; sent again after correction, only what is missing is taken in.",
     "按规则检查表格（UTF-8或GB18030，中文表头），加 --write 写入通过的行；未通过的行见报告。",
     "profile as subject display_name write", &Import},
    {"export", "TABLE FILE.csv", 2, 2,
     "Write a table as a spreadsheet with the same headers: stations subsidies evaluations "
     "debarments.",
     "按相同表头导出表格。", "profile as subject display_name", &Export},
    {"journal verify", "[SERVICE…]", 0, 4,
     "Verify journals from the first row to the head, with what the other services saw of them.",
     "校验日志链（含其他服务的见证）。", kCaller, &JournalVerify},
    {"journal head", "[SERVICE…]", 0, 4, "Show the signed end of each journal.",
     "显示日志链的签名末端。", kCaller, &JournalHead},
    {"journal followers", "[SERVICE…]", 0, 4, "Show how far each service follows the others.",
     "显示各服务的跟随进度。", kCaller, &JournalFollowers},
    {"journal skip", "SERVICE SOURCE SEQ", 3, 3,
     "Pass over the one entry of SOURCE at which SERVICE stopped. Needs --reason.",
     "跳过无法应用的一条日志，须填事由。", "profile as subject display_name reason", &JournalSkip},
    {"journal resume", "SERVICE SOURCE", 2, 2,
     "Let a stopped follower try again, after its cause was removed. Needs --reason.",
     "令已停止的跟随者重试，须填事由。", "profile as subject display_name reason", &JournalResume},
    {"vault new-key", "DIRECTORY [SERVICE…]", 1, 5,
     "Put a new master key first into DIRECTORY/SERVICE/vault.keys of a deployed installation: "
     "what is sealed from then on is sealed by it. Keep the old lines.",
     "为部署的安装加入新的主密钥，此后以新密钥封存。", "", &VaultNewKey},
    {"vault rewrap", "DIRECTORY [SERVICE…]", 1, 5,
     "Wrap the key of every sealed row by the present master key, while the services run. May be "
     "stopped and started again.",
     "用现行主密钥重新包裹各行数据密钥，服务照常运行。", "", &VaultRewrap},
};

// The command whose words the line begins with, and how many they are.
const Command* Find(const Words& line, size_t* count) {
  for (const Command& command : kCommands) {
    const Words words = absl::StrSplit(command.words, ' ');
    if (line.size() >= words.size() && std::equal(words.begin(), words.end(), line.begin())) {
      *count = words.size();
      return &command;
    }
  }
  return nullptr;
}

void PrintHelp(const Command& command) {
  std::printf("yz %s %s\n\n  %s\n  %s\n\nSettings 设置:\n", command.words, command.arguments,
              command.en, command.zh);
  for (const auto name : absl::StrSplit(command.settings, ' ', absl::SkipEmpty())) {
    const absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
    std::printf("  --%-15s %s [%s]\n", std::string(name).c_str(), flag->Help().c_str(),
                flag->DefaultValue().c_str());
  }
  std::printf(
      "\nEach is also read from the environment variable YUEZHAN_<NAME>. "
      "也可用同名环境变量。\n");
}

void PrintHelp() {
  std::printf("yz COMMAND [--setting=value…]; yz COMMAND --help tells more. 命令行工具。\n\n");
  for (const Command& command : kCommands) {
    const std::string usage = absl::StrCat(command.words, " ", command.arguments);
    std::printf("  yz %-32s %s\n     %-32s %s\n", usage.c_str(), command.en, "", command.zh);
  }
}

// The error with its details, for a person first and for a program after.
int Report(const absl::Status& status) {
  std::fprintf(stderr, "%s: %s\n", absl::StatusCodeToString(status.code()).c_str(),
               std::string(status.message()).c_str());
  const std::string zh = errors::MessageZh(status);
  if (!zh.empty()) std::fprintf(stderr, "%s\n", zh.c_str());
  const google::rpc::Status details = errors::Details(status);
  if (details.details_size() > 0) {
    google::protobuf::util::JsonPrintOptions options;
    options.add_whitespace = true;
    std::string json;
    (void)google::protobuf::util::MessageToJsonString(details, &json, options);
    std::fprintf(stderr, "%s", json.c_str());
  }
  return static_cast<int>(status.code());
}

int Main(int argc, char** argv) {
  rpc::TerminationSignals signals;
  g_signals = &signals;
  const Words arguments(argv + 1, argv + argc);
  Words words;
  bool help = arguments.empty();
  for (const std::string& argument : arguments) {
    if (argument == "--help" || argument == "-h" || argument == "help") {
      help = true;
    } else if (!absl::StartsWith(argument, "-")) {
      words.push_back(argument);
    }
  }
  size_t count = 0;
  const Command* command = Find(words, &count);
  if (help) {
    command == nullptr ? PrintHelp() : PrintHelp(*command);
    return 0;
  }
  words = ParseSettings(argc, argv, "yz");
  command = Find(words, &count);
  const int given = static_cast<int>(words.size() - count);
  if (command == nullptr || given < command->least || given > command->most) {
    std::fprintf(stderr, "yz: %s: --help lists the commands\n",
                 command == nullptr ? "there is no such command" : "too few or too many words");
    return 2;
  }
  const absl::Status status =
      command->run(Words(words.begin() + static_cast<ptrdiff_t>(count), words.end()));
  return status.ok() ? 0 : Report(status);
}

}  // namespace

void AwaitTermination() { g_signals->Wait(); }

}  // namespace yuezhan::yz

int main(int argc, char** argv) { return yuezhan::yz::Main(argc, argv); }
