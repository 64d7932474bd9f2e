#ifndef YUEZHAN_COMMON_RPC_TEST_SUPPORT_H_
#define YUEZHAN_COMMON_RPC_TEST_SUPPORT_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "common/auth/tokens.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::rpc {

inline constexpr char kJournal[] = "yuezhan.journal.v1.JournalService";
inline constexpr char kReadEntries[] = "yuezhan.journal.v1.JournalService/ReadEntries";
inline constexpr char kSkipEntry[] = "yuezhan.journal.v1.JournalService/SkipEntry";

// A directory that goes with the test.
class TestDirectory {
 public:
  TestDirectory();
  ~TestDirectory() { std::filesystem::remove_all(path_); }
  std::string File(const std::string& name) const { return path_ / name; }
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A server over a real socket, of the journal's contract, whose methods run `handler`.
class ServerTest {
 public:
  using Handler = std::function<absl::Status(Context&, const google::protobuf::Message&,
                                             google::protobuf::Message*)>;
  ServerTest();

  // Starts with `options` (plaintext unless it has certificates).
  void Start();
  std::unique_ptr<Channel> Client(ChannelOptions options = {});
  std::string Target() const { return "localhost:" + std::to_string(server->port()); }
  std::string Token(RoleSet roles, absl::Duration life = absl::Hours(1)) const;

  // Calls ReadEntries with `token`.
  absl::Status Read(Channel& channel, const std::string& token);

  TestDirectory directory;
  auth::IssuerOptions issuer;
  std::unique_ptr<auth::TokenVerifier> verifier;
  ServerOptions options;
  Handler handler = [](Context&, const auto&, auto*) { return absl::OkStatus(); };
  // Set: calls that wait together are answered by it, one handler at a time.
  std::function<absl::Status(absl::Span<const Service::Called>)> together;
  std::unique_ptr<Server> server;

  std::vector<CallRecord> Records() const;

 private:
  mutable absl::Mutex mutex_;
  std::vector<CallRecord> records_ ABSL_GUARDED_BY(mutex_);
};

// One call of raw bytes to `path` ("/service/method"), as clients that are not ours make them.
struct RawAnswer {
  int code = 0;
  std::string message;
  std::string details;
  std::string bytes;
};
RawAnswer CallRaw(const std::string& target, const std::string& path, const std::string& bytes,
                  const std::vector<std::pair<std::string, std::string>>& metadata = {},
                  absl::Duration timeout = absl::Seconds(10), bool send_message = true);

// A private authority, a server's certificate and clients', made by OpenSSL in `directory`:
// ca.pem, server.{pem,key}, review.{pem,key}, stranger.{pem,key} (same authority, a name of no
// service), foreign.{pem,key} with foreign-ca.pem (name review, another authority),
// expired.{pem,key} (name review).
void MakeCertificates(const TestDirectory& directory);
// Another certificate for the server, signed by the same authority, with this serial number.
void RenewServerCertificate(const TestDirectory& directory, int serial);
// Another one for a client, likewise.
void RenewClientCertificate(const TestDirectory& directory, const std::string& name);

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_TEST_SUPPORT_H_
