// Whole files in one call.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/application/test_application.h"

namespace yuezhan::application {
namespace {

using testing::SizeIs;

TEST(Uploads, OfAWholeFileAreOneCall) {
  TestApplication test;
  const v1::Application draft = test.Create();
  const std::string bytes = TestApplication::Pdf(std::string(200'000, 'x'));
  v1::UploadMaterialRequest request;
  request.set_request_id(NewUuid());
  request.set_parent(draft.name());
  request.set_code("approval-reply");
  request.set_file_name("批复.pdf");
  request.set_data(bytes);
  request.set_sha256(ToHex(Sha256(bytes)));
  const auto material = test.Try(&Handlers::UploadMaterial, request);
  ASSERT_TRUE(material.ok()) << material.status();
  EXPECT_EQ(material->media_type(), "application/pdf");
  EXPECT_EQ(material->size_bytes(), static_cast<int64_t>(bytes.size()));
  EXPECT_EQ(test.Read(material->name()), bytes);
  EXPECT_EQ(test.Events<v1::MaterialAdded>().back().sha256(), material->sha256());
  EXPECT_EQ(test.Try(&Handlers::UploadMaterial, request)->name(), material->name()) << "replay";
  EXPECT_EQ(test.Count("files"), 1);
  EXPECT_EQ(test.Count("journal WHERE LENGTH(private_part) > 5000"), 0) << "no bytes in the trail";
  // The same as one that came in chunks: it takes the place of the one before.
  test.Put(draft.name(), "approval-reply", TestApplication::Pdf("2"));
  EXPECT_THAT(test.Materials(draft.name()), SizeIs(1));
  request.set_request_id(NewUuid());
  ASSERT_TRUE(test.Try(&Handlers::UploadMaterial, request).ok());
  EXPECT_THAT(test.Materials(draft.name()), SizeIs(1));

  struct Case {
    const char* field;
    std::string value;
    const char* reason;
  };
  for (const Case& c :
       std::vector<Case>{{"sha256", std::string(64, '0'), "INVALID_FIELD"},
                         {"data", "neither this nor that", "INVALID_FIELD"},
                         {"code", "no-such-code", "INVALID_FIELD"},
                         {"file_name", "a/b.pdf", "INVALID_FIELD"},
                         {"file_name", "批复.jpg", "INVALID_FIELD"},
                         {"form_digest", std::string(64, '0'), "INVALID_FIELD"},
                         {"parent", Name("applications", NewUuid()), "NOT_FOUND"}}) {
    v1::UploadMaterialRequest wrong = request;
    wrong.set_request_id(NewUuid());
    wrong.GetReflection()->SetString(
        &wrong, v1::UploadMaterialRequest::descriptor()->FindFieldByName(c.field), c.value);
    if (std::string_view(c.field) == "data") wrong.set_sha256(ToHex(Sha256(c.value)));
    EXPECT_EQ(errors::Reason(test.Try(&Handlers::UploadMaterial, wrong).status()), c.reason)
        << c.field;
  }
  v1::UploadMaterialRequest other = request;
  other.set_data(TestApplication::Pdf("other"));
  other.set_sha256(ToHex(Sha256(other.data())));
  EXPECT_EQ(errors::Reason(test.Try(&Handlers::UploadMaterial, other).status()),
            "REQUEST_ID_REUSED");
}

// Calls that are answered together: each its file, or none has one.
TEST(Uploads, OfWholeFilesGoTogether) {
  TestApplication test;
  const std::string names[] = {test.Create().name(), test.Create().name()};
  std::vector<v1::UploadMaterialRequest> requests(3);
  std::vector<v1::Material> answers(3);
  Context context = test.applicant();
  context.method = "yuezhan.application.v1.ApplicationService/UploadMaterial";
  rpc::AskedList<v1::UploadMaterialRequest, v1::Material> asked;
  const char* codes[] = {"approval-reply", "approval-reply", "other"};
  for (size_t i = 0; i < 3; ++i) {
    requests[i].set_request_id(NewUuid());
    requests[i].set_parent(names[i % 2]);
    requests[i].set_code(codes[i]);
    requests[i].set_file_name("x.pdf");
    requests[i].set_data(TestApplication::Pdf(std::to_string(i)));
    requests[i].set_sha256(ToHex(Sha256(requests[i].data())));
    asked.push_back({context, requests[i], &answers[i]});
  }
  requests[2].set_code("no-such-code");
  EXPECT_FALSE(test.handlers().UploadMaterial(asked).ok());
  EXPECT_EQ(test.Count("files"), 0);
  requests[2].set_code("other");
  ASSERT_TRUE(test.handlers().UploadMaterial(asked).ok());
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(answers[i].name().starts_with(names[i % 2])) << answers[i].name();
    EXPECT_EQ(test.Read(answers[i].name()), requests[i].data());
  }
  EXPECT_THAT(test.Materials(names[0]), SizeIs(2));
}

}  // namespace
}  // namespace yuezhan::application
