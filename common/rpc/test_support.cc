#include "common/rpc/test_support.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"

namespace yuezhan::rpc {
namespace {

void OpenSsl(const TestDirectory& directory, const std::string& arguments) {
  const std::string command =
      "cd " + directory.path() + " && openssl " + arguments + " >openssl.log 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

void MakeAuthority(const TestDirectory& directory, const std::string& name) {
  OpenSsl(directory,
          "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name +
              " -keyout " + name + ".key -out " + name + ".pem");
}

// -days 0 makes one that has expired by the time it is used.
void MakeLeaf(const TestDirectory& directory, const std::string& file, const std::string& name,
              const std::string& authority, const std::string& more = "-days 2") {
  OpenSsl(directory, "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name +
                         " -keyout " + file + ".key -out " + file + ".csr");
  std::ofstream(directory.File(file + ".ext"))
      << "subjectAltName=DNS:" << name << ",DNS:localhost,IP:127.0.0.1\n";
  OpenSsl(directory, "x509 -req -in " + file + ".csr -CA " + authority + ".pem -CAkey " +
                         authority + ".key -CAcreateserial -extfile " + file + ".ext -out " + file +
                         ".pem " + more);
}

}  // namespace

TestDirectory::TestDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "rpc-XXXXXX").string();
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  path_ = pattern;
}

void MakeCertificates(const TestDirectory& directory) {
  MakeAuthority(directory, "ca");
  MakeAuthority(directory, "foreign-ca");
  MakeLeaf(directory, "server", "registry", "ca");
  MakeLeaf(directory, "review", "review", "ca");
  MakeLeaf(directory, "stranger", "stranger", "ca");
  MakeLeaf(directory, "foreign", "review", "foreign-ca");
  MakeLeaf(directory, "expired", "review", "ca", "-days -1");
}

void RenewServerCertificate(const TestDirectory& directory, int serial) {
  MakeLeaf(directory, "renewed", "registry", "ca", "-days 2 -set_serial " + std::to_string(serial));
  // The key before the certificate: a reader between the two finds a pair that does not fit, keeps
  // the old one, and looks again.
  std::filesystem::rename(directory.File("renewed.key"), directory.File("server.key"));
  std::filesystem::rename(directory.File("renewed.pem"), directory.File("server.pem"));
}

void RenewClientCertificate(const TestDirectory& directory, const std::string& name) {
  MakeLeaf(directory, "renewed-client", name, "ca");
  std::filesystem::rename(directory.File("renewed-client.key"), directory.File(name + ".key"));
  std::filesystem::rename(directory.File("renewed-client.pem"), directory.File(name + ".pem"));
}

ServerTest::ServerTest() {
  const auth::KeyPair keys = *auth::MakeKeyPair();
  std::filesystem::create_directory(directory.File("keys"));
  std::ofstream(directory.File("keys/city.pem")) << keys.public_pem;
  issuer = {.private_key_pem = keys.private_pem, .key_id = "city", .issuer = "test-city"};
  verifier = *auth::TokenVerifier::Create(
      {.key_directory = directory.File("keys"), .issuer = "test-city"});
  options.handler_threads = 4;
  options.callers = {.rate = 0, .calls = 1000};  // but where a test is about them
  options.on_call = [this](const CallRecord& record) {
    absl::MutexLock lock(&mutex_);
    records_.push_back(record);
  };
}

void ServerTest::Start() {
  if (options.tls_cert.empty()) options.plaintext = true;
  Service service(kJournal);
  const auto* contract = journal::v1::Entry::descriptor()->file()->service(0);
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  for (int i = 0; i < contract->method_count(); ++i) {
    const auto& method = *contract->method(i);
    Service::Method bound{method.name(), factory->GetPrototype(method.input_type()),
                          factory->GetPrototype(method.output_type()),
                          [this](Context& context, const auto& request, auto* answer) {
                            return handler(context, request, answer);
                          }};
    bound.run_together = together;
    bound.together = together == nullptr ? 0 : 1;
    service.AddMethod(std::move(bound));
  }
  server = std::make_unique<Server>(options, verifier.get());
  server->Add(std::move(service));
  const absl::Status status = server->Start();
  ASSERT_TRUE(status.ok()) << status;
}

std::unique_ptr<Channel> ServerTest::Client(ChannelOptions channel) {
  channel.target = Target();
  if (options.plaintext) channel.plaintext = true;
  auto connected = Connect(channel);
  EXPECT_TRUE(connected.ok()) << connected.status();
  return *std::move(connected);
}

std::string ServerTest::Token(RoleSet roles, absl::Duration life) const {
  return *auth::IssueToken(issuer, {"tester", "测试员", roles, ""}, absl::Now(), life);
}

absl::Status ServerTest::Read(Channel& channel, const std::string& token) {
  journal::v1::ReadEntriesResponse answer;
  return channel.Call(kReadEntries, journal::v1::ReadEntriesRequest(), &answer, {.token = token});
}

std::vector<CallRecord> ServerTest::Records() const {
  absl::MutexLock lock(&mutex_);
  return records_;
}

RawAnswer CallRaw(const std::string& target, const std::string& path, const std::string& bytes,
                  const std::vector<std::pair<std::string, std::string>>& metadata,
                  absl::Duration timeout, bool send_message) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  grpc::GenericStub stub(
      grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  for (const auto& [key, value] : metadata) context.AddMetadata(key, value);
  grpc::CompletionQueue events;
  const auto stream = stub.PrepareCall(&context, path, &events);
  void* tag;
  bool ok = false;
  const auto wait = [&] { events.Next(&tag, &ok); };
  stream->StartCall(nullptr);
  wait();
  if (send_message && ok) {
    grpc::Slice slice(bytes);
    stream->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    wait();
  }
  stream->WritesDone(nullptr);
  wait();
  grpc::ByteBuffer answer;
  stream->Read(&answer, nullptr);
  wait();
  RawAnswer result;
  if (ok) {
    std::vector<grpc::Slice> slices;
    answer.Dump(&slices);
    for (const auto& slice : slices) {
      result.bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }
  grpc::Status status;
  stream->Finish(&status, nullptr);
  wait();
  result.code = status.error_code();
  result.message = status.error_message();
  result.details = status.error_details();
  events.Shutdown();
  while (events.Next(&tag, &ok)) {
  }
  return result;
}

}  // namespace yuezhan::rpc
