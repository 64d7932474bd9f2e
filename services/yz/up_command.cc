#include <signal.h>
#include <time.h>

#include <cstdio>
#include <filesystem>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "services/yz/commands.h"
#include "services/yz/demo/demo.h"
#include "services/yz/settings.h"
#include "services/yz/stack.h"

namespace yuezhan::yz {
namespace {

// Whether somebody asked us to end; waits for it at most so long. Main has blocked both signals.
bool Ended(absl::Duration wait) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  const timespec timeout = absl::ToTimespec(wait);
  return sigtimedwait(&signals, nullptr, &timeout) > 0;
}

// Drives the demonstration; false when it was broken off by a signal. Its result is the last line.
absl::StatusOr<bool> Drive(Client& client) {
  YZ_ASSIGN_OR_RETURN(const std::unique_ptr<Demo> demo, Demo::Create(client, std::cout));
  for (const Demo::Step& step : demo->steps()) {
    if (Ended(absl::ZeroDuration())) return false;
    YZ_RETURN_IF_ERROR(demo->Run(step));
  }
  YZ_ASSIGN_OR_RETURN(const DemoResult result, demo->ReadBack());
  std::cout << result.Json() << std::endl;
  return true;
}

void PrintEndpoints(const Profile& profile, const std::string& file) {
  std::printf("\n服务地址 endpoints (%s):\n", profile.tls_ca.empty() ? "plaintext" : "TLS");
  for (const auto& [service, target] : profile.targets) {
    std::printf("  %-12s %s\n", service.c_str(), target.c_str());
  }
  if (!profile.tls_ca.empty()) std::printf("  %-12s %s\n", "CA", profile.tls_ca.c_str());
  std::printf("配置文件 profile: %s (yz --profile=…)\n按 Ctrl-C 停止 to stop\n", file.c_str());
  std::fflush(stdout);
}

// Serves until a signal; an instance that ends by itself is started again.
void Watch(Stack& stack) {
  while (!Ended(absl::Milliseconds(500))) {
    for (const auto& [instance, target] : stack.client().profile().targets) {
      if (stack.Running(instance)) continue;
      std::fprintf(stderr, "%s ended, starting it again; see %s\n", instance.c_str(),
                   stack.LogFile(instance).c_str());
      if (absl::Status status = stack.Start(instance); !status.ok()) {
        std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
      }
    }
  }
}

}  // namespace

absl::Status Up(const Words&) {
  StackOptions options;
  options.directory = absl::GetFlag(FLAGS_state);
  options.binaries = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  options.mysql = absl::GetFlag(FLAGS_mysql);
  options.schema_prefix = absl::GetFlag(FLAGS_schema_prefix);
  options.tls = absl::GetFlag(FLAGS_tls);
  options.clock_start = Demo::Start();
  if (options.mysql.empty()) {
    return absl::InvalidArgumentError(
        "--mysql: must be given (./run starts a database of its own)");
  }
  YZ_ASSIGN_OR_RETURN(const std::unique_ptr<Stack> stack, Stack::Open(std::move(options)));
  YZ_RETURN_IF_ERROR(stack->StartAll());
  const std::string file = absl::StrCat(absl::GetFlag(FLAGS_state), "/yz.json");
  YZ_RETURN_IF_ERROR(WriteProfile(stack->client().profile(), file));
  bool serve = true;
  if (absl::GetFlag(FLAGS_demo)) {
    YZ_ASSIGN_OR_RETURN(const bool finished, Drive(stack->client()));
    serve = finished && !absl::GetFlag(FLAGS_once);
  }
  if (serve) {
    PrintEndpoints(stack->client().profile(), file);
    Watch(*stack);
  }
  return stack->StopAll();
}

absl::Status RunDemo(const Words&) {
  YZ_ASSIGN_OR_RETURN(Profile profile, ProfileFromFlags());
  Client client(std::move(profile));
  YZ_ASSIGN_OR_RETURN(const bool finished, Drive(client));
  return finished ? absl::OkStatus() : absl::CancelledError("the demonstration was broken off");
}

}  // namespace yuezhan::yz
