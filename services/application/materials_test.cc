#include <algorithm>
#include <thread>

#include "common/db/cutting_proxy.h"
#include "common/files/test_clamd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/application/test_application.h"
#include "services/application/transitions.h"

namespace yuezhan::application {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Uploads, AreInvisibleUntilFinished) {
  TestApplication test;
  const v1::Application draft = test.Create();
  const std::string bytes = TestApplication::Pdf(std::string(40'000, 'x'));
  const auto upload = test.Start(draft.name(), "approval-reply", bytes.size());
  ASSERT_TRUE(upload.ok()) << upload.status();
  EXPECT_EQ(upload->offset_bytes(), 0);
  EXPECT_EQ(upload->expire_time().seconds(),
            absl::ToUnixSeconds(test.host().clock().Now() + absl::Hours(24)));
  const std::string first = bytes.substr(0, 20'000);
  for (int i = 0; i < 2; ++i) {
    const auto written =
        test.Try(&Handlers::WriteChunk, TestApplication::ChunkRequest(upload->name(), 0, first));
    ASSERT_TRUE(written.ok()) << written.status();
    EXPECT_EQ(written->offset_bytes(), 20'000);
  }
  v1::GetUploadRequest get;
  get.set_name(upload->name());
  EXPECT_EQ(test.Try(&Handlers::GetUpload, get)->offset_bytes(), 20'000);
  EXPECT_THAT(test.Materials(draft.name()), IsEmpty());

  const v1::FinishUploadRequest finish = TestApplication::FinishRequest(upload->name(), bytes);
  EXPECT_THAT(std::string(test.Try(&Handlers::FinishUpload, finish).status().message()),
              HasSubstr("not complete"));
  ASSERT_TRUE(test.Try(&Handlers::WriteChunk,
                       TestApplication::ChunkRequest(upload->name(), 20'000, bytes.substr(20'000)))
                  .ok());
  const auto material = test.Try(&Handlers::FinishUpload, finish);
  ASSERT_TRUE(material.ok()) << material.status();
  EXPECT_EQ(material->media_type(), "application/pdf");
  EXPECT_EQ(material->size_bytes(), static_cast<int64_t>(bytes.size()));
  EXPECT_EQ(test.Try(&Handlers::FinishUpload, finish)->name(), material->name()) << "replay";
  EXPECT_EQ(test.Try(&Handlers::GetUpload, get).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(test.Materials(draft.name()), SizeIs(1));
  const auto events = test.Events<v1::MaterialAdded>();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].sha256(), material->sha256());

  std::string read;
  v1::ReadChunkRequest request;
  request.set_name(material->name());
  for (;;) {
    request.set_offset_bytes(static_cast<int64_t>(read.size()));
    const auto part = test.Try(&Handlers::ReadChunk, request);
    ASSERT_TRUE(part.ok()) << part.status();
    if (part->data().empty()) break;
    read += part->data();
  }
  EXPECT_EQ(read, bytes);
}

TEST(Uploads, KeepThePolicysLimits) {
  TestApplication test;
  const std::string name = test.Create().name();
  EXPECT_EQ(errors::Reason(test.Start(name, "no-such-code", 10).status()), "INVALID_FIELD");
  EXPECT_EQ(errors::Reason(test.Start(name, "other", (20 << 20) + 1).status()), "TOO_LARGE");
  EXPECT_TRUE(test.Start(name, "other", 20 << 20).ok());
  EXPECT_EQ(test.Start(Name("applications", NewUuid()), "other", 10).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(Uploads, OfOneMaterialReplaceAndOfOthersAdd) {
  TestApplication test;
  const std::string name = test.Create().name();
  test.Put(name, "approval-reply", TestApplication::Pdf("1"));
  const v1::Material second = test.Put(name, "approval-reply", TestApplication::Pdf("2"));
  ASSERT_THAT(test.Materials(name), SizeIs(1));
  EXPECT_EQ(test.Materials(name)[0].name(), second.name());
  test.Put(name, "application-form", TestApplication::Pdf("3"));
  const auto materials = test.Materials(name);
  ASSERT_THAT(materials, SizeIs(2));
  EXPECT_EQ(materials[0].code(), "application-form") << "in the order of their codes";
}

TEST(Uploads, BelongToTheirApplicationAlone) {
  TestApplication test;
  const v1::Application owner = test.Create();
  const v1::Application other = test.Create();
  const std::string bytes = TestApplication::Pdf("x");
  const std::string upload = test.Start(owner.name(), "other", bytes.size())->name();
  const std::string material = test.Put(owner.name(), "approval-reply", bytes).name();
  // Their ids under another application, as someone could name them who may see that one only.
  const auto under_other = [&](const std::string& name) {
    return Concat({other.name(), name.substr(owner.name().size())});
  };
  const auto chunk = TestApplication::ChunkRequest(under_other(upload), 0, bytes);
  EXPECT_EQ(test.Try(&Handlers::WriteChunk, chunk).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(
      test.Try(&Handlers::WriteChunk, TestApplication::ChunkRequest(upload, 0, bytes)).ok());
  v1::GetUploadRequest get;
  get.set_name(under_other(upload));
  EXPECT_EQ(test.Try(&Handlers::GetUpload, get).status().code(), absl::StatusCode::kNotFound);
  const auto finish = TestApplication::FinishRequest(under_other(upload), bytes);
  EXPECT_EQ(test.Try(&Handlers::FinishUpload, finish).status().code(), absl::StatusCode::kNotFound);
  v1::ReadChunkRequest read;
  read.set_name(under_other(material));
  EXPECT_EQ(test.Try(&Handlers::ReadChunk, read).status().code(), absl::StatusCode::kNotFound);
}

TEST(Uploads, ExpireWithoutTrace) {
  TestApplication test;
  const std::string name = test.Create().name();
  const auto upload = test.Start(name, "other", 40'000);
  ASSERT_TRUE(upload.ok());
  const auto chunk = TestApplication::ChunkRequest(upload->name(), 0, std::string(20'000, 'x'));
  ASSERT_TRUE(test.Try(&Handlers::WriteChunk, chunk).ok());
  ASSERT_TRUE(test.host().clock().Advance(absl::Hours(24)).ok());
  EXPECT_EQ(test.Try(&Handlers::WriteChunk, chunk).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(test.handlers().RemoveExpiredUploads().value(), absl::ZeroDuration());
  EXPECT_GT(test.handlers().RemoveExpiredUploads().value(), absl::ZeroDuration());
  EXPECT_EQ(test.Count("files"), 0);
  EXPECT_EQ(test.Count("file_chunks"), 0);
}

TEST(Scans, AreConfirmedByAnOfficer) {
  TestApplication test;
  const v1::Application application = test.Submitted();
  v1::ConfirmScanRequest request;
  request.mutable_confirmation()->set_confirmed(false);
  request.mutable_confirmation()->set_reason("金额与数据不符");
  for (const v1::Material& material : test.Materials(application.name())) {
    request.set_request_id(NewUuid());
    request.set_name(material.name());
    const auto confirmed = test.TryAs(test.officer(), &Handlers::ConfirmScan, request);
    if (material.code() == "approval-reply") {
      EXPECT_EQ(errors::Reason(confirmed.status()), "INVALID_FIELD") << "no sealed scan";
      continue;
    }
    ASSERT_TRUE(confirmed.ok()) << confirmed.status();
    EXPECT_EQ(confirmed->scan_agrees().officer(), "reviewer");
    EXPECT_FALSE(confirmed->scan_agrees().confirmed());
  }
  // A scan that an officer found to differ must be replaced.
  ASSERT_TRUE(test.Review(application, review::v1::CASE_STATE_RETURNED, {"更换扫描件"}).ok());
  v1::SubmitApplicationRequest submit = TestApplication::SubmitRequest(application.name());
  submit.add_answers("已更换");
  const absl::Status refused = test.Try(&Handlers::SubmitApplication, submit).status();
  EXPECT_THAT(Details(refused), HasSubstr("application.scans-agree"));
  for (const char* code : {"application-form", "filing-form"})
    test.Put(application.name(), code, TestApplication::Pdf("new"));
  const auto submitted = test.Try(&Handlers::SubmitApplication, submit);
  EXPECT_TRUE(submitted.ok()) << submitted.status();
}

// As the server runs calls that wait: one transaction, the applications of all locked first.
TEST(Scans, AreConfirmedTogether) {
  TestApplication test;
  std::vector<v1::ConfirmScanRequest> requests;
  for (const char* society : {"化学学会", "物理学会"}) {
    const std::string name =
        test.Submit(test.Complete(test.AddStation("服务站（演示）", society)).name())->name();
    for (const v1::Material& material : test.Materials(name)) {
      if (material.code() == "approval-reply") continue;
      v1::ConfirmScanRequest& request = requests.emplace_back();
      request.set_request_id(NewUuid());
      request.set_name(material.name());
      request.mutable_confirmation()->set_confirmed(true);
      request.mutable_confirmation()->set_reason("相符");
    }
  }
  ASSERT_THAT(requests, SizeIs(4));
  const rpc::Service service = test.handlers().Methods();
  const auto method =
      std::find_if(service.methods().begin(), service.methods().end(),
                   [](const rpc::Service::Method& m) { return m.name == "ConfirmScan"; });
  std::vector<Context> contexts(4, test.officer());
  std::vector<v1::Material> answers(4);
  std::vector<rpc::Service::Called> calls;
  for (size_t i = 0; i < 4; ++i) calls.push_back({contexts[i], requests[i], &answers[i]});
  const int64_t rows = test.Count("journal");
  int commits = 0, locks = 0;
  db::Session::Observe([&](const db::Statement& statement) {
    commits += statement.sql == "COMMIT";
    locks += statement.sql.ends_with("FOR UPDATE");
  });
  const absl::Status status = method->run_together(calls);
  db::Session::Observe({});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(commits, 1);
  EXPECT_EQ(locks, 1);
  EXPECT_EQ(test.Count("journal"), rows + 4);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(answers[i].name(), requests[i].name());
  for (const auto& request : requests) {
    const std::string name = request.name().substr(0, request.name().find("/materials"));
    for (const v1::Material& material : test.Materials(name)) {
      EXPECT_EQ(material.scan_agrees().confirmed(), material.code() != "approval-reply");
    }
  }
}

// Every method in every state does what the table of transitions says.
TEST(States, MethodsStartWhereTheTableSays) {
  TestApplication test;
  const review::v1::CaseState kCases[] = {
      review::v1::CASE_STATE_OPEN,      review::v1::CASE_STATE_ASSESSED,
      review::v1::CASE_STATE_RETURNED,  review::v1::CASE_STATE_AWARDED,
      review::v1::CASE_STATE_IN_NOTICE, review::v1::CASE_STATE_OBJECTED,
      review::v1::CASE_STATE_CLEARED,   review::v1::CASE_STATE_REFUSED,
      review::v1::CASE_STATE_CANCELLED, review::v1::CASE_STATE_WITHDRAWN};
  std::vector<std::string> names = {test.Complete().name()};
  for (const auto state : kCases) {
    // One after the other is the live one of a lineage of its own.
    const std::string station = test.AddStation(Concat({"站", std::to_string(state)}));
    test.registry().stations[station].mutable_station()->set_lineage(ToHex(Digest({station})));
    const auto application = test.Submit(test.Complete(station).name());
    ASSERT_TRUE(application.ok()) << application.status();
    ASSERT_TRUE(test.Review(*application, state).ok());
    names.push_back(application->name());
  }
  for (const std::string& name : names) {
    const v1::Application application = test.Get(name);
    const v1::Material material = test.Materials(name)[0];
    const auto allowed = [&](std::string_view method) {
      return ApplicationTransitions().Check(name, application.state(), method).ok();
    };
    const auto expect = [&](std::string_view method, const absl::Status& status) {
      EXPECT_EQ(errors::Reason(status) != "STATE_FORBIDS", allowed(method))
          << method << " in " << v1::ApplicationState_Name(application.state()) << ": " << status;
    };
    v1::UpdateApplicationRequest update;
    update.set_request_id(NewUuid());
    update.set_name(name);
    *update.mutable_form() = application.form();
    update.set_etag(application.etag());
    v1::ConfirmScanRequest confirm;
    confirm.set_request_id(NewUuid());
    confirm.set_name(material.name());
    confirm.mutable_confirmation()->set_reason("相符");
    expect("UpdateApplication", test.Try(&Handlers::UpdateApplication, update).status());
    expect("StartUpload", test.Start(name, "other", 10).status());
    v1::UploadMaterialRequest upload;
    upload.set_request_id(NewUuid());
    upload.set_parent(name);
    upload.set_code("other");
    upload.set_file_name("x.pdf");
    upload.set_data(TestApplication::Pdf("x"));
    upload.set_sha256(ToHex(Sha256(upload.data())));
    expect("UploadMaterial", test.Try(&Handlers::UploadMaterial, upload).status());
    expect("ConfirmScan", test.TryAs(test.officer(), &Handlers::ConfirmScan, confirm).status());
    expect("SubmitApplication", test.Submit(name).status());
    if (test.Get(name).state() == application.state())
      expect("WithdrawApplication", test.Withdraw(name).status());
  }
}

// The connection is cut at the n-th statement of a call, for every n: the caller gets the truth, or
// an error that a retry of the same request turns into it, and there is one effect.
template <typename Request, typename Answer, typename Method>
void CutEverywhere(TestApplication& test, Method method, const std::function<Request()>& next) {
  int calls = 0;
  for (const auto when : {db::CuttingProxy::When::kBefore, db::CuttingProxy::When::kAfter}) {
    for (int n = 1; n <= 60; ++n) {
      const Request request = next();
      db::CuttingProxy proxy("127.0.0.1", test.host().database().serve().port);
      TestApplication::Replica replica(test, proxy.port());
      proxy.CutAt(n, when);
      Answer answer;
      absl::Status status =
          test.Call(replica.handlers(), test.applicant(), method, request, &answer);
      if (!status.ok()) {
        EXPECT_TRUE(status.code() == absl::StatusCode::kUnavailable ||
                    status.code() == absl::StatusCode::kAborted)
            << n << ": " << status;
        status = test.Call(test.handlers(), test.applicant(), method, request, &answer);
      }
      ASSERT_TRUE(status.ok()) << n << ": " << status;
      ++calls;
      if (!proxy.cut()) break;  // the call has fewer statements than n
    }
  }
  EXPECT_GT(calls, 10);
}

TEST(Cuts, SubmitHasOneEffect) {
  TestApplication test;
  std::string last;
  CutEverywhere<v1::SubmitApplicationRequest, v1::Application>(
      test, &Handlers::SubmitApplication, [&] {
        if (!last.empty()) {
          const v1::Application submitted = test.Get(last);
          EXPECT_EQ(submitted.submissions(), 1);
          EXPECT_TRUE(test.Review(submitted, review::v1::CASE_STATE_REFUSED).ok());
        }
        last = test.Complete().name();
        return TestApplication::SubmitRequest(last);
      });
}

TEST(Cuts, AnUploadGoesOnFromEachOfThem) {
  TestApplication test;
  const std::string name = test.Create().name();
  const std::string bytes = TestApplication::Pdf(std::string(60'000, 'x'));
  v1::Upload upload = *test.Start(name, "other", bytes.size());
  CutEverywhere<v1::WriteChunkRequest, v1::Upload>(test, &Handlers::WriteChunk, [&] {
    v1::GetUploadRequest get;
    get.set_name(upload.name());
    if (test.Try(&Handlers::GetUpload, get)->offset_bytes() == static_cast<int64_t>(bytes.size())) {
      const auto material =
          test.Try(&Handlers::FinishUpload, TestApplication::FinishRequest(upload.name(), bytes));
      EXPECT_TRUE(material.ok()) << material.status();
      upload = *test.Start(name, "other", bytes.size());
      get.set_name(upload.name());
    }
    const int64_t offset = test.Try(&Handlers::GetUpload, get)->offset_bytes();
    return TestApplication::ChunkRequest(upload.name(), offset,
                                         bytes.substr(static_cast<size_t>(offset), 20'000));
  });
}

TEST(Cuts, FinishHasOneEffect) {
  TestApplication test;
  const std::string name = test.Create().name();
  const std::string bytes = TestApplication::Pdf("x");
  CutEverywhere<v1::FinishUploadRequest, v1::Material>(test, &Handlers::FinishUpload, [&] {
    const auto upload = test.Start(name, "approval-reply", bytes.size());
    EXPECT_TRUE(
        test.Try(&Handlers::WriteChunk, TestApplication::ChunkRequest(upload->name(), 0, bytes))
            .ok());
    return TestApplication::FinishRequest(upload->name(), bytes);
  });
  EXPECT_THAT(test.Materials(name), SizeIs(1));
  EXPECT_EQ(test.Count("files"), 1) << "those replaced are removed";
}

// Infected: refused, never served. Scanner configured and silent: said so, and nothing slips through.
TEST(Scanner, StandsBeforeEveryMaterial) {
  files::TestClamd clamd;
  const auto scanner = files::Scanner::At(clamd.address());
  ASSERT_TRUE(scanner.ok()) << scanner.status();
  TestApplication test(&*scanner);
  const std::string name = test.Create().name();
  const auto finish = [&](const std::string& upload, const std::string& bytes) {
    return test.Try(&Handlers::FinishUpload, TestApplication::FinishRequest(upload, bytes))
        .status();
  };
  const auto put = [&](const std::string& bytes) {
    const auto upload = test.Start(name, "approval-reply", bytes.size());
    EXPECT_TRUE(upload.ok()) << upload.status();
    EXPECT_TRUE(test.Try(&Handlers::WriteChunk,
                         TestApplication::ChunkRequest(upload->name(), 0, bytes))
                    .ok());
    return upload->name();
  };
  const std::string infected = TestApplication::Pdf("EICAR");
  const std::string bad = put(infected);
  EXPECT_EQ(errors::Reason(finish(bad, infected)), "INVALID_FIELD");
  const std::string clean = TestApplication::Pdf("reply");
  const std::string good = put(clean);
  clamd.mode = files::TestClamd::Mode::kHangsUp;
  for (const auto& [upload, bytes] : {std::pair(good, clean), std::pair(bad, infected)}) {
    const absl::Status silent = finish(upload, bytes);
    EXPECT_EQ(errors::Reason(silent), "UNAVAILABLE");
    EXPECT_EQ(errors::Metadata(silent, "what"), "virus scanner");
  }
  EXPECT_THAT(test.Materials(name), testing::IsEmpty());
  v1::ReadChunkRequest read;
  read.set_name(Name("applications", IdsOf("applications/*/uploads/*", bad).value()[0], "materials",
                     IdsOf("applications/*/uploads/*", bad).value()[1]));
  EXPECT_EQ(test.Try(&Handlers::ReadChunk, read).status().code(), absl::StatusCode::kNotFound);
  clamd.mode = files::TestClamd::Mode::kScan;
  EXPECT_TRUE(finish(good, clean).ok());
  EXPECT_EQ(errors::Reason(finish(bad, infected)), "INVALID_FIELD");
  EXPECT_THAT(test.Materials(name), testing::SizeIs(1));
}

}  // namespace
}  // namespace yuezhan::application
