// What a hostile client does to a server over a plain socket, frame by frame.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "absl/time/clock.h"
#include "common/rpc/test_support.h"
#include "gtest/gtest.h"

namespace yuezhan::rpc {
namespace {

int64_t ResidentMiB() {
  std::ifstream statm("/proc/self/statm");
  int64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE) >> 20;
}

// One HTTP/2 connection, written by hand.
class Connection {
 public:
  explicit Connection(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    out_ = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    Frame(4, 0, 0, "");
  }
  ~Connection() { close(socket_); }

  void Frame(int type, int flags, uint32_t stream, std::string_view payload) {
    const auto size = static_cast<uint32_t>(payload.size());
    for (int shift : {16, 8, 0}) out_ += static_cast<char>(size >> shift);
    out_ += static_cast<char>(type);
    out_ += static_cast<char>(flags);
    for (int shift : {24, 16, 8, 0}) out_ += static_cast<char>(stream >> shift);
    out_ += payload;
  }
  void Headers(uint32_t stream, const std::string& path) {
    const std::pair<std::string, std::string> fields[] = {
        {":method", "POST"}, {":scheme", "http"}, {":path", path},
        {":authority", "x"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
    std::string block;
    for (const auto& [name, value] : fields) {  // literals without indexing
      block += '\0';
      block += static_cast<char>(name.size()) + name;
      block += static_cast<char>(value.size()) + value;
    }
    Frame(1, 4, stream, block);
  }
  // False when the server has hung up.
  bool Flush() {
    size_t sent = 0;
    while (sent < out_.size()) {
      const ssize_t n =
          send(socket_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) sent += static_cast<size_t>(n);
      if ((n < 0 && errno != EAGAIN) || !TakeIn()) return false;
    }
    out_.clear();
    return true;
  }
  // Throws away what came; false at the end.
  bool TakeIn() {
    char sink[1 << 16];
    ssize_t n = 0;
    while ((n = recv(socket_, sink, sizeof(sink), MSG_DONTWAIT)) > 0) {
    }
    return n < 0 && errno == EAGAIN;
  }
  bool Full() const { return out_.size() > 30'000; }

 private:
  const int socket_;
  std::string out_;
};

class Abuse : public ::testing::Test, protected ServerTest {
 protected:
  void SetUp() override {
    options.on_call = [](const CallRecord&) {};
    Start();
    honest_ = Client();
    token_ = Token({Role::kAuditor});
    ASSERT_TRUE(Read(*honest_, token_).ok());
    before_ = ResidentMiB();
  }
  void TearDown() override {
    RecordProperty("grown_mib", std::to_string(ResidentMiB() - before_));
    EXPECT_LT(ResidentMiB() - before_, most_mib_);
    EXPECT_TRUE(Read(*honest_, token_).ok());
  }

  std::unique_ptr<Channel> honest_;
  std::string token_;
  int64_t before_ = 0;
  int64_t most_mib_ = 100;
};

TEST_F(Abuse, SixtyThousandResets) {
  for (const char* path : {"/yuezhan.journal.v1.JournalService/ReadEntries", "/nothing",
                           "/grpc.health.v1.Health/Check",
                           "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"}) {
    Connection hostile(server->port());
    for (uint32_t i = 0; i < 60'000; ++i) {
      hostile.Headers(2 * i + 1, path);
      hostile.Frame(3, 0, 2 * i + 1, std::string("\0\0\0\x08", 4));
      if (hostile.Full() && !hostile.Flush()) break;
    }
  }
}

TEST_F(Abuse, ThirtyThousandHalfSentRequests) {
  // gRPC keeps about 10 KB for each stream that is open; connections times streams bound them.
  most_mib_ = 400;
  std::vector<std::unique_ptr<Connection>> hostile;
  for (int c = 0; c < 300; ++c) {
    hostile.push_back(std::make_unique<Connection>(server->port()));
    for (uint32_t i = 0; i < 100; ++i) {
      hostile.back()->Headers(2 * i + 1, "/yuezhan.journal.v1.JournalService/ReadEntries");
      hostile.back()->Frame(0, 0, 2 * i + 1, std::string("\0\0\0\x10\0", 5) + "some");
    }
    hostile.back()->Flush();
  }
  // They keep their connections; an honest caller gets through beside them.
  const absl::Time start = absl::Now();
  EXPECT_TRUE(Read(*honest_, token_).ok());
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
}

}  // namespace
}  // namespace yuezhan::rpc
