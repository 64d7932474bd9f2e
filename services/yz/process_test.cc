#include "services/yz/process.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "services/yz/files.h"

namespace yuezhan::yz {
namespace {

std::string TestFile(const std::string& name) {
  return testing::TempDir() + "/process_" + std::to_string(getpid()) + name;
}

TEST(Process, TellsHowItEnded) {
  const std::string log = TestFile("log");
  auto process = Process::Start("/bin/sh", {"-c", "echo here; exit 7"}, log);
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ((*process)->Wait(absl::Seconds(10)), 7);
  EXPECT_FALSE((*process)->Running());
  EXPECT_EQ(ReadFile(log).value_or(""), "here\n");
  unlink(log.c_str());
}

TEST(Process, IsEndedBySignal) {
  auto process = Process::Start("/bin/sleep", {"100"}, "/dev/null");
  ASSERT_TRUE(process.ok());
  EXPECT_TRUE((*process)->Running());
  EXPECT_EQ((*process)->Wait(absl::Milliseconds(1)), std::nullopt);
  (*process)->Signal(SIGTERM);
  EXPECT_EQ((*process)->Wait(absl::Seconds(10)), -SIGTERM);
}

TEST(Process, OutlivesTheThreadThatStartedIt) {
  std::unique_ptr<Process> process;
  std::thread([&] { process = *Process::Start("/bin/sleep", {"100"}, "/dev/null"); }).join();
  absl::SleepFor(absl::Milliseconds(50));
  EXPECT_TRUE(process->Running());
}

TEST(Process, NeedsAProgram) {
  EXPECT_EQ(Process::Start("/nowhere/at/all", {}, "/dev/null").status().code(),
            absl::StatusCode::kNotFound);
}

// Does its part when the test below runs it as a program of its own: starts a child, tells its pid
// and waits.
TEST(Process, StartsAChildWhenToldTo) {
  if (getenv("YUEZHAN_TEST_PID_FILE") == nullptr) return;
  auto child = Process::Start("/bin/sleep", {"100"}, "/dev/null");
  ASSERT_TRUE(child.ok());
  ASSERT_TRUE(WriteFile(getenv("YUEZHAN_TEST_PID_FILE"), std::to_string((*child)->pid())).ok());
  pause();
}

TEST(Process, DoesNotOutliveItsParent) {
  const std::string pid_file = TestFile("pid");
  setenv("YUEZHAN_TEST_PID_FILE", pid_file.c_str(), 1);
  auto parent = Process::Start("/proc/self/exe", {"--gtest_filter=Process.StartsAChildWhenToldTo"},
                               "/dev/null");
  unsetenv("YUEZHAN_TEST_PID_FILE");
  ASSERT_TRUE(parent.ok());
  pid_t child = 0;
  while (!absl::SimpleAtoi(ReadFile(pid_file).value_or(""), &child)) usleep(1000);
  EXPECT_EQ(kill(child, 0), 0);
  (*parent)->Signal(SIGKILL);
  EXPECT_EQ((*parent)->Wait(absl::Seconds(10)), -SIGKILL);
  // Whoever inherits it may be slow to reap it: a zombie has ended.
  const auto ended = [&] {
    const std::string stat = ReadFile("/proc/" + std::to_string(child) + "/stat").value_or("");
    return stat.empty() || stat.find(") Z ") != std::string::npos;
  };
  for (const absl::Time end = absl::Now() + absl::Seconds(10); !ended() && absl::Now() < end;) {
    usleep(1000);
  }
  EXPECT_TRUE(ended());
  unlink(pid_file.c_str());
}

TEST(ReservedPort, IsForTheOneWhoKnowsIt) {
  const auto port = ReservedPort::Take();
  ASSERT_TRUE(port.ok());
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>((*port)->number()));
  for (int round = 0; round < 2; ++round) {  // a service that is killed comes back
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    EXPECT_EQ(bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(server, 1), 0);
    close(server);
  }
  const int stranger = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_NE(bind(stranger, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(stranger);
}

}  // namespace
}  // namespace yuezhan::yz
