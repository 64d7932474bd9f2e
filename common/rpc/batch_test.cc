// Lists of what a method does one by one, without a server.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "common/auth/permissions.h"
#include "common/base/text.h"
#include "common/errors/errors.h"
#include "common/rpc/handlers.h"
#include "common/rpc/retry.h"
#include "common/rpc/validation.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "yuezhan/application/v1/application.pb.h"
#include "yuezhan/payment/v1/payment.pb.h"
#include "yuezhan/registry/v1/registry.pb.h"
#include "yuezhan/review/v1/review.pb.h"

namespace yuezhan::rpc {
namespace {

using Request = review::v1::ApproveOpinionRequest;

constexpr char kMethod[] = "yuezhan.review.v1.ReviewService/ApproveOpinion";

// Answers with the name it was asked about; fails for those that begin as it was told.
class Office {
 public:
  absl::Status Approve(const AskedList<Request, review::v1::Case>& asked) {
    sizes.push_back(asked.size());
    for (const auto& each : asked) {
      EXPECT_EQ(each.context.method, kMethod);
      each.answer->set_name(each.request.name());
      if (each.request.name() == "refused") return errors::NotFound("cases/none");
      if (each.request.name() == "down") return errors::Unavailable("database");
      if (each.request.name() == "race") return errors::Conflict();
      if (each.request.name() == "fault") return errors::Internal("incident");
      if (each.request.name() == "wrong") return absl::InternalError("a fault of ours");
    }
    return absl::OkStatus();
  }

  absl::Status ApproveAll(const std::vector<std::string>& names) {
    Service service("yuezhan.review.v1.ReviewService");
    service.Add("ApproveOpinion", &Office::Approve, this)
        .AddBatch<review::v1::BatchApproveOpinionsRequest,
                  review::v1::BatchApproveOpinionsResponse>("BatchApproveOpinions");
    review::v1::BatchApproveOpinionsRequest batch;
    for (const std::string& name : names) batch.add_requests()->set_name(name);
    Context context;
    context.method = "yuezhan.review.v1.ReviewService/BatchApproveOpinions";
    answer.Clear();
    sizes.clear();
    return service.methods().back().run(context, batch, &answer);
  }

  std::vector<size_t> sizes;  // of the lists that it was asked
  review::v1::BatchApproveOpinionsResponse answer;
};

TEST(Batch, AnswersInOrderAndInFewTransactions) {
  Office office;
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back(Concat({"case ", std::to_string(i)}));
  ASSERT_TRUE(office.ApproveAll(names).ok());
  ASSERT_EQ(office.answer.cases_size(), 100);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(office.answer.cases(i).name(), names[i]);
  EXPECT_TRUE(office.answer.failed_requests().empty());
  EXPECT_EQ(office.sizes, (std::vector<size_t>{50, 50}));
}

TEST(Batch, TellsWhatFailedByItsPlace) {
  Office office;
  ASSERT_TRUE(office.ApproveAll({"a", "refused", "b"}).ok());
  EXPECT_EQ(office.sizes, (std::vector<size_t>{3, 1, 1, 1}));
  ASSERT_EQ(office.answer.cases_size(), 3);
  EXPECT_EQ(office.answer.cases(0).name(), "a");
  EXPECT_EQ(office.answer.cases(1).ByteSizeLong(), 0u);
  EXPECT_EQ(office.answer.cases(2).name(), "b");
  ASSERT_EQ(office.answer.failed_requests().size(), 1u);
  const absl::Status failed = errors::FromDetails(office.answer.failed_requests().at(1));
  EXPECT_EQ(failed.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(errors::Reason(failed), errors::Reason(errors::NotFound("cases/none")));
}

TEST(Batch, FailsWithTheService) {
  Office office;
  EXPECT_EQ(office.ApproveAll({"a", "down"}).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(office.sizes, (std::vector<size_t>{2}));
  EXPECT_EQ(office.ApproveAll({"a", "race"}).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(office.ApproveAll({"a", "fault"}).code(), absl::StatusCode::kInternal);
  // What is no answer to a caller is told to nobody item by item.
  EXPECT_EQ(office.ApproveAll({"a", "wrong"}).code(), absl::StatusCode::kInternal);
}

TEST(Batch, RequestIdsOfItemsAreChecked) {
  review::v1::BatchApproveOpinionsRequest batch;
  for (const char* id : {"good", "not good"}) {
    batch.add_requests()->set_request_id(id);
    batch.mutable_requests()->rbegin()->set_name("cases/01890a5d-ac96-774b-bcce-b302099a8057");
  }
  const absl::Status status = CheckRequest(&batch);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("requests[1].request_id"), std::string::npos) << status;
  EXPECT_EQ(status.message().find("requests[0]"), std::string::npos) << status;
}

// Every request in it has its own request_id, or changes nothing: a client may send the list again.
TEST(Batch, IsSafeToRepeat) {
  const auto& pool = *google::protobuf::DescriptorPool::generated_pool();
  // Linked in.
  ASSERT_NE(review::v1::BatchApproveOpinionsRequest::descriptor(), nullptr);
  ASSERT_NE(registry::v1::BatchAcceptFilingsRequest::descriptor(), nullptr);
  ASSERT_NE(application::v1::BatchConfirmScansRequest::descriptor(), nullptr);
  ASSERT_NE(payment::v1::BatchRecordReceiptsRequest::descriptor(), nullptr);
  int lists = 0;
  for (const auto& row : auth::Permissions()) {
    std::string name(row.method);
    std::replace(name.begin(), name.end(), '/', '.');
    const auto* method = pool.FindMethodByName(name);
    if (method == nullptr || method->input_type()->FindFieldByName("requests") == nullptr) continue;
    ++lists;
    const std::unique_ptr<google::protobuf::Message> request(
        google::protobuf::MessageFactory::generated_factory()
            ->GetPrototype(method->input_type())
            ->New());
    EXPECT_TRUE(IsSafeToRepeat(row.method, *request)) << name;
  }
  EXPECT_EQ(lists, 10);
}

}  // namespace
}  // namespace yuezhan::rpc
