// What hostile clients do to a real service over TLS, while an honest caller calls beside them: the
// service lives, stays small, and answers the honest one in time.
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "gtest/gtest.h"
#include "services/yz/files.h"
#include "tests/test_stack.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::tests {
namespace {

constexpr char kList[] = "yuezhan.registry.v1.RegistryService/ListStations";

// One HTTP/2 connection over TLS, written by hand. Verifies nothing: it is not the honest one.
class Hostile {
 public:
  explicit Hostile(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    static SSL_CTX* const kContext = SSL_CTX_new(TLS_client_method());
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ssl_ = SSL_new(kContext);
    constexpr unsigned char kH2[] = {2, 'h', '2'};
    SSL_set_alpn_protos(ssl_, kH2, sizeof kH2);
    SSL_set_fd(ssl_, socket_);
    open_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
            SSL_connect(ssl_) == 1;
    fcntl(socket_, F_SETFL, O_NONBLOCK);
    out_ = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    Frame(4, 0, 0, "");
  }
  ~Hostile() {
    SSL_free(ssl_);
    close(socket_);
  }
  Hostile(const Hostile&) = delete;
  Hostile& operator=(const Hostile&) = delete;

  void Frame(int type, int flags, uint32_t stream, std::string_view payload) {
    const auto size = static_cast<uint32_t>(payload.size());
    for (int shift : {16, 8, 0}) out_ += static_cast<char>(size >> shift);
    out_ += static_cast<char>(type);
    out_ += static_cast<char>(flags);
    for (int shift : {24, 16, 8, 0}) out_ += static_cast<char>(stream >> shift);
    out_ += payload;
  }
  // `large`: bytes of one header more, at most 16,000.
  void Headers(uint32_t stream, size_t large = 0) {
    std::string block;
    const auto add = [&block](const std::string& name, const std::string& value) {
      block += '\0';  // a literal without indexing
      block += static_cast<char>(name.size());
      block += name;
      size_t rest = value.size();
      if (rest < 127) {
        block += static_cast<char>(rest);
      } else {
        block += static_cast<char>(127);
        for (rest -= 127; rest >= 128; rest >>= 7) block += static_cast<char>((rest & 127) | 128);
        block += static_cast<char>(rest);
      }
      block += value;
    };
    add(":method", "POST");
    add(":scheme", "https");
    add(":path", absl::StrCat("/", kList));
    add(":authority", "x");
    add("te", "trailers");
    add("content-type", "application/grpc");
    if (large > 0) add("x-large", std::string(large, 'x'));
    Frame(1, 4, stream, block);
  }
  // Sends what was written, and throws away what comes. False when the server has hung up.
  bool Flush() {
    size_t sent = 0;
    const absl::Time limit = absl::Now() + absl::Seconds(10);
    while (open_ && sent < out_.size() && absl::Now() < limit) {
      const int n = SSL_write(ssl_, out_.data() + sent,
                              static_cast<int>(std::min<size_t>(out_.size() - sent, 16'000)));
      if (n > 0) sent += static_cast<size_t>(n);
      if (n <= 0 && !Again(n)) open_ = false;
      TakeIn();
    }
    out_.clear();
    return open_;
  }
  bool Full() const { return out_.size() > 30'000; }
  bool open() const { return open_; }

 private:
  bool Again(int result) const {
    const int why = SSL_get_error(ssl_, result);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
  }
  void TakeIn() {
    char sink[1 << 14];
    int n = 0;
    while ((n = SSL_read(ssl_, sink, sizeof sink)) > 0) {
    }
    if (!Again(n)) open_ = false;
  }

  const int socket_;
  SSL* ssl_;
  bool open_ = false;
  std::string out_;
};

class Abuse : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    stack_ = new TestStack({});
  }
  static void TearDownTestSuite() { delete stack_; }

  static int Port() {
    const std::vector<std::string> parts = absl::StrSplit(stack_->TargetOf("registry"), ':');
    return std::stoi(parts.back());
  }
  // The most memory that the service ever had resident, MiB.
  static int64_t PeakMiB() {
    const std::string status = yz::ReadFile(absl::StrCat(
        "/proc/", stack_->stack().Pid("registry"), "/status")).value_or("");
    const size_t at = status.find("VmHWM:");
    return at == std::string::npos ? -1 : std::stoll(status.substr(at + 6)) / 1024;
  }

  void SetUp() override {
    honest_ = std::thread([this] {
      const Caller auditor{"auditor", "审计", {Role::kAuditor}, ""};
      while (!end_) {
        registry::v1::ListStationsRequest request;
        request.set_page_size(5);
        registry::v1::ListStationsResponse answer;
        const absl::Time start = absl::Now();
        const absl::Status status = stack_->client().Call(auditor, kList, request, &answer);
        times_.push_back(absl::Now() - start);
        EXPECT_TRUE(status.ok()) << status;
        ++calls_;
        absl::SleepFor(absl::Milliseconds(2));  // an honest caller's own work
      }
    });
  }
  void TearDown() override {
    // At least 300 calls: one in a hundred is more than one.
    const absl::Time limit = absl::Now() + absl::Seconds(30);
    while (calls_ < 300 && absl::Now() < limit) absl::SleepFor(absl::Milliseconds(10));
    end_ = true;
    honest_.join();
    std::sort(times_.begin(), times_.end());
    const absl::Duration p99 = times_[times_.size() * 99 / 100];
    std::cout << testing::UnitTest::GetInstance()->current_test_info()->name() << ": "
              << times_.size() << " honest calls, p50 " << times_[times_.size() / 2] << ", p99 "
              << p99 << ", service's peak " << PeakMiB() << " MiB" << std::endl;
    EXPECT_LT(p99, absl::Milliseconds(250));
    EXPECT_TRUE(stack_->stack().Running("registry"));
    EXPECT_LT(PeakMiB(), 256);
    EXPECT_GT(PeakMiB(), 0);
  }

  static TestStack* stack_;
  std::thread honest_;
  std::atomic<bool> end_ = false;
  std::atomic<int> calls_ = 0;
  std::vector<absl::Duration> times_;  // the honest thread's until it ended
};

TestStack* Abuse::stack_ = nullptr;

TEST_F(Abuse, SixtyThousandResets) {
  int connections = 0;
  for (int resets = 0; resets < 60'000; ++connections) {
    Hostile hostile(Port());
    for (uint32_t i = 0; hostile.open() && resets < 60'000; ++i, ++resets) {
      hostile.Headers(2 * i + 1);
      hostile.Frame(3, 0, 2 * i + 1, std::string("\0\0\0\x08", 4));
      if (hostile.Full()) hostile.Flush();
    }
    ASSERT_LT(connections, 60'000);
  }
  std::cout << connections << " connections" << std::endl;
}

TEST_F(Abuse, PingFlood) {
  for (int pings = 0, connections = 0; pings < 200'000; ++connections) {
    Hostile hostile(Port());
    while (hostile.open() && pings < 200'000) {
      hostile.Frame(6, 0, 0, "12345678");
      ++pings;
      if (hostile.Full()) hostile.Flush();
    }
    ASSERT_LT(connections, 200'000);
  }
}

TEST_F(Abuse, LargeHeaders) {
  for (int calls = 0, connections = 0; calls < 4'000; ++connections) {
    Hostile hostile(Port());
    for (uint32_t i = 0; hostile.open() && calls < 4'000; ++i, ++calls) {
      hostile.Headers(2 * i + 1, i % 2 == 0 ? 16'000 : 15'000);
      if (hostile.Full()) hostile.Flush();
    }
    ASSERT_LT(connections, 4'000);
  }
}

TEST_F(Abuse, LargeMessages) {
  std::vector<std::thread> threads;
  std::atomic<int> refused = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      rpc::ChannelOptions options;
      options.target = stack_->TargetOf("registry");
      options.tls_ca = stack_->client().profile().tls_ca;
      options.max_attempts = 1;
      options.timeout = absl::Seconds(20);
      const auto channel = rpc::Connect(options).value();
      registry::v1::CreateHostUnitRequest request;
      request.mutable_host_unit()->set_address(std::string(5 << 20, 'x'));
      const Caller caller{absl::StrCat("large-", t), "x", {Role::kFilingOfficer}, ""};
      for (int i = 0; i < 10; ++i) {
        registry::v1::HostUnit answer;
        const absl::Status status =
            channel->Call("yuezhan.registry.v1.RegistryService/CreateHostUnit", request, &answer,
                          {.token = stack_->client().Token(caller).value()});
        EXPECT_FALSE(status.ok());
        if (errors::Reason(status) == "TOO_LARGE") ++refused;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_GT(refused, 0);
}

TEST_F(Abuse, ThousandIdleConnectionsAndSomeThatSendAByteASecond) {
  std::vector<std::unique_ptr<Hostile>> idle, slow;
  for (int i = 0; i < 1'000; ++i) {
    idle.push_back(std::make_unique<Hostile>(Port()));
    ASSERT_TRUE(idle.back()->Flush()) << i;
  }
  for (int i = 0; i < 50; ++i) {
    slow.push_back(std::make_unique<Hostile>(Port()));
    slow.back()->Headers(1);
    slow.back()->Flush();
  }
  for (int second = 0; second < 8; ++second) {
    for (auto& each : slow) {
      each->Frame(0, 0, 1, second == 0 ? std::string("\0\0\0\x10\0", 5) : "x");
      each->Flush();
    }
    absl::SleepFor(absl::Seconds(1));  // the abuse itself, nothing is waited for
  }
}

}  // namespace
}  // namespace yuezhan::tests
