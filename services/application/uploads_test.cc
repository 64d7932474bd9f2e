// Large files through the running service: many at once, in flat memory, over a SIGKILL.
#include <atomic>
#include <fstream>
#include <thread>

#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/text.h"
#include "gtest/gtest.h"
#include "tests/sample_request.h"
#include "tests/test_stack.h"
#include "yuezhan/application/v1/application.pb.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::application {
namespace {

constexpr int kAtOnce = 32;
constexpr size_t kFileBytes = 20 << 20;
constexpr size_t kChunkBytes = 1 << 20;
constexpr int64_t kMostResidentKib = 256 << 10;

// A clerk of one host unit, who repeats a call until the service is there again.
class Clerk {
 public:
  explicit Clerk(yz::Client& client) : client_(client) {
    registry::v1::CreateHostUnitRequest unit;
    tests::FillSample(&unit);
    unit.set_request_id(NewUuid());
    unit.mutable_host_unit()->set_credit_code("51430600501234569L");
    auto* account = unit.mutable_host_unit()->mutable_account();
    account->set_holder(unit.host_unit().display_name());
    account->set_bank("演示银行岳阳分行");
    account->set_number("6222000000000001");
    caller_.host_unit =
        Must<registry::v1::HostUnit>("yuezhan.registry.v1.RegistryService/CreateHostUnit", unit)
            .name();
    registry::v1::FileStationRequest filing;
    tests::FillSample(&filing);
    filing.set_request_id(NewUuid());
    filing.mutable_form()->set_host_unit(caller_.host_unit);
    station_ =
        Must<registry::v1::Station>("yuezhan.registry.v1.RegistryService/FileStation", filing)
            .name();
  }

  std::string Draft() {
    v1::CreateApplicationRequest request;
    tests::FillSample(&request);
    request.set_request_id(NewUuid());
    request.mutable_form()->set_station(station_);
    request.mutable_form()->mutable_requested_amount()->set_currency_code("CNY");
    request.mutable_form()->mutable_requested_amount()->set_units(50'000);
    return Must<v1::Application>(Method("CreateApplication"), request).name();
  }

  // Uploads the file chunk by chunk; a chunk whose answer was lost is sent again.
  v1::Material Upload(const std::string& application, const std::string& bytes) {
    v1::StartUploadRequest start;
    start.set_request_id(NewUuid());
    start.set_parent(application);
    start.set_code("other");
    start.set_file_name("大文件.pdf");
    start.set_size_bytes(static_cast<int64_t>(bytes.size()));
    const std::string upload = Must<v1::Upload>(Method("StartUpload"), start).name();
    size_t offset = 0;
    while (offset < bytes.size()) {
      v1::WriteChunkRequest chunk;
      chunk.set_upload(upload);
      chunk.set_offset_bytes(static_cast<int64_t>(offset));
      chunk.set_data(bytes.substr(offset, kChunkBytes));
      offset = static_cast<size_t>(Must<v1::Upload>(Method("WriteChunk"), chunk).offset_bytes());
      ++chunks;
    }
    v1::FinishUploadRequest finish;
    finish.set_request_id(NewUuid());
    finish.set_name(upload);
    finish.set_sha256(ToHex(Sha256(bytes)));
    return Must<v1::Material>(Method("FinishUpload"), finish);
  }

  std::string ReadAll(const std::string& material) {
    std::string bytes;
    v1::ReadChunkRequest request;
    request.set_name(material);
    for (;;) {
      request.set_offset_bytes(static_cast<int64_t>(bytes.size()));
      const auto part = Must<v1::ReadChunkResponse>(Method("ReadChunk"), request);
      if (part.data().empty()) return bytes;
      bytes += part.data();
    }
  }

  std::atomic<int> chunks = 0;

 private:
  static std::string Method(std::string_view name) {
    return Concat({"yuezhan.application.v1.ApplicationService/", name});
  }
  template <typename Answer>
  Answer Must(const std::string& method, const google::protobuf::Message& request) {
    Answer answer;
    absl::Status status;
    for (int i = 0; i < 20; ++i) {
      status = client_.Call(caller_, method, request, &answer);
      if (status.ok() || !(absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
                           absl::IsResourceExhausted(status)))
        break;
    }
    EXPECT_TRUE(status.ok()) << method << ": " << status;
    return answer;
  }

  yz::Client& client_;
  Caller caller_{"clerk", "经办人", {Role::kHostUnit, Role::kFilingOfficer}, ""};
  std::string station_;
};

int64_t PeakResidentKib(pid_t pid) {
  std::ifstream status(Concat({"/proc/", std::to_string(pid), "/status"}));
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(6));
  }
  return 0;
}

TEST(LargeFiles, ManyAtOnceInFlatMemoryOverAKill) {
  tests::TestStack stack({});
  Clerk clerk(stack.client());
  ASSERT_FALSE(HasFailure());
  std::string bytes = "%PDF-1.7\n";
  while (bytes.size() < kFileBytes) bytes += Sha256(bytes.substr(bytes.size() - 9));
  bytes.resize(kFileBytes);

  std::vector<v1::Material> materials(kAtOnce);
  std::vector<std::thread> threads;
  for (auto& material : materials) {
    threads.emplace_back([&] { material = clerk.Upload(clerk.Draft(), bytes); });
  }
  // In the middle of it.
  while (clerk.chunks < kAtOnce * 10) std::this_thread::yield();
  const int64_t before_kill = PeakResidentKib(stack.stack().Pid("application"));
  stack.stack().Kill("application");
  const absl::Status restarted = stack.stack().Start("application");
  EXPECT_TRUE(restarted.ok()) << restarted;
  for (auto& thread : threads) thread.join();

  for (const auto& material : materials) {
    EXPECT_EQ(material.size_bytes(), static_cast<int64_t>(kFileBytes));
    EXPECT_EQ(material.sha256(), ToHex(Sha256(bytes)));
  }
  EXPECT_TRUE(clerk.ReadAll(materials.back().name()) == bytes);
  EXPECT_EQ(stack.Count("application", "files", "state = 1"), 0);
  EXPECT_EQ(stack.Count("application", "file_chunks"), kAtOnce * 20);
  const int64_t after_kill = PeakResidentKib(stack.stack().Pid("application"));
  std::cout << "peak resident: " << before_kill << " KiB before the kill, " << after_kill
            << " KiB after" << std::endl;
  EXPECT_LT(before_kill, kMostResidentKib);
  EXPECT_LT(after_kill, kMostResidentKib);
}

}  // namespace
}  // namespace yuezhan::application
